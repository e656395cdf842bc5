from __future__ import annotations

import itertools
import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from nightschool.curation import (
    Ballot,
    Consensus,
    Curator,
    Voice,
    ballots_of,
    curate,
    one_coin,
    weight_of,
)
from nightschool.curation.agreement import majority, settling, voices_of
from nightschool.curation.crowd import NONE
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    Partition,
    Question,
    Reply,
)


def ballot(name, *said, labels=0, truth=()):
    voices = tuple(Voice(person, text) for person, text in said)
    return Ballot(name, voices, labels, frozenset(truth))


def crowd_of(accuracies, items, voices, labels, seed, gold=0):
    """Ballots by people of known accuracy, and the truth."""
    rng = np.random.default_rng(seed)
    made, truth = [], rng.integers(labels, size=items)
    for i in range(items):
        said = []
        for person in rng.choice(len(accuracies), voices, replace=False):
            other = (truth[i] + rng.integers(1, labels)) % labels
            right = rng.random() < accuracies[person]
            said.append((f"p{person:02}", str(truth[i] if right else other)))
        known = [str(truth[i])] if i < gold else []
        made.append(ballot(i, *said, labels=labels, truth=known))
    return made, [str(t) for t in truth]


def share_right(consensus, truth, start=0):
    best = [max(p, key=p.get) for _, p in sorted(consensus.posterior.items())]
    return float(np.mean([b == t for b, t in zip(best[start:], truth[start:], strict=True)]))


def bayes(one, accuracy, labels):
    """The posterior of each label by trying every one as the truth."""
    likely = {
        str(t): np.prod(
            [
                accuracy[v.person] if v.said == str(t) else (1 - accuracy[v.person]) / (labels - 1)
                for v in one.voices
            ]
        )
        for t in range(labels)
    }
    total = sum(likely.values())
    return {t: p / total for t, p in likely.items()}


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_the_posterior_is_bayes_rule_and_the_accuracies_are_its_fixed_point(labels):
    ballots, _ = crowd_of([0.9, 0.8, 0.6, 0.3], 30, 3, labels, seed=labels)
    found = one_coin(ballots)
    accuracy = {person: known.mean for person, known in found.accuracy.items()}
    for one in ballots:
        exact = bayes(one, accuracy, labels)
        assert found.posterior[one.name] == pytest.approx(
            {said: exact[said] for said in found.posterior[one.name]}, abs=1e-6
        )
    for person, known in found.accuracy.items():
        own = [found.posterior[b.name][v.said] for b in ballots for v in b.voices
               if v.person == person]  # fmt: skip
        assert (known.right, known.right + known.wrong) == pytest.approx(
            (4 + sum(own), 5 + len(own))
        )


def test_what_the_others_say_leaves_ones_own_voice_out():
    ballots, truth = crowd_of([0.9, 0.8, 0.6, 0.3], 30, 3, 3, seed=0)
    # Settled ones too: without what people disagreed about, everybody would agree.
    ballots[::3] = [replace(b, truth=frozenset({truth[b.name]})) for b in ballots[::3]]
    found = one_coin(ballots)
    accuracy = {person: known.mean for person, known in found.accuracy.items()}
    for one in ballots:
        for voice in one.voices:
            others = ballot(one.name, *((v.person, v.said) for v in one.voices if v is not voice))
            exact = bayes(others, accuracy, 3)[voice.said]
            assert found.beside[voice.person, one.name] == pytest.approx(exact, abs=1e-6)


def test_careless_and_hostile_people_weigh_less_than_in_a_majority():
    accuracies = [0.75] * 25 + [0.3] * 15
    for labels, gain in ((2, 0.12), (4, 0.03)):
        ballots, truth = crowd_of(accuracies, 600, 5, labels, seed=1)
        found = one_coin(ballots)
        assert share_right(found, truth) > share_right(majority(ballots), truth) + gain
        told = [found.trust(f"p{i:02}") for i in range(40)]
        assert np.abs(np.array(told) - accuracies).mean() < 0.06


def test_who_is_wrong_more_often_than_chance_speaks_against_what_they_say():
    ballots, truth = crowd_of([0.9, 0.9, 0.9, 0.1], 200, 4, 2, seed=2)
    found = one_coin(ballots)
    assert found.trust("p03") == pytest.approx(0.1, abs=0.07)
    [alone] = one_coin([*ballots, ballot(9_999, ("p03", "1"), labels=2)]).posterior[9_999].items()
    assert alone == ("1", pytest.approx(found.trust("p03"), abs=0.02))
    assert share_right(found, truth) > share_right(majority(ballots), truth) + 0.08


def test_gold_tells_apart_the_two_ways_to_read_a_split_crowd():
    ballots, truth = crowd_of([0.8] * 4 + [0.15] * 6, 300, 10, 2, seed=3)
    assert share_right(one_coin(ballots), truth) < 0.1  # the many agree, and are wrong
    known, _ = crowd_of([0.8] * 4 + [0.15] * 6, 300, 10, 2, seed=3, gold=30)
    assert share_right(one_coin(known), truth, start=30) > 0.95


def test_the_order_of_ballots_and_voices_changes_no_bit():
    ballots, _ = crowd_of([0.9, 0.7, 0.6, 0.3], 50, 3, 4, seed=4)
    turned = [Ballot(b.name, b.voices[::-1], b.labels, b.truth) for b in ballots[::-1]]
    assert one_coin(turned).posterior == one_coin(ballots).posterior
    assert one_coin(turned).accuracy == one_coin(ballots).accuracy


def test_free_texts_that_agree_are_right_the_more_surely_the_more_wrong_ones_there_could_be():
    said = [("a", "x"), ("b", "x")]
    free = one_coin([ballot(1, *said)]).posterior[1]["x"]
    two = one_coin([ballot(1, *said, labels=2)]).posterior[1]["x"]
    assert 0.9 < two < free < 1
    # Many different wrong texts elsewhere say that two people are not wrong alike by chance.
    spread = [ballot(i, ("c", f"{i}"), ("d", f"{i}!"), ("e", f"{i}?")) for i in range(10, 40)]
    weak = one_coin([ballot(1, ("c", "x"), ("d", "x")), *spread])
    assert weak.trust("c") < 0.5
    assert weak.posterior[1]["x"] > 0.8


def test_cannot_tell_is_a_voice_against_but_shows_nobody_to_be_wrong():
    sure = [ballot(i, ("a", "x"), ("b", "x")) for i in range(20)]
    for claims in (False, True):
        voices = (Voice("a", "x"), Voice("b", "x"), Voice("c", NONE, claims))
        found = one_coin([*sure, *(Ballot(i, voices) for i in range(30, 40))])
        assert (found.trust("c") == pytest.approx(0.8)) is not claims
        assert NONE in found.posterior[30]


def test_nobody_and_nothing_is_no_error():
    assert one_coin([]).posterior == {}
    assert one_coin([]).trust("anna") == 0.8
    assert majority([]).posterior == {}


# From answers to examples ---------------------------------------------------------------------

ids = itertools.count()


def answered(text, *replies, settles=None):
    question = Question(f"q {text}", Context.of(text), Partition.TRAINING, "r", 0, "v0", 1, 0)
    if settles is not None:
        replies = (*replies, ("owner", settles))
    answers = []
    for number, (person, said) in enumerate(replies):
        reply = said if isinstance(said, Reply) else Reply.ANSWER
        document = None if isinstance(said, Reply) else Document(said)
        last = settles is not None and number == len(replies) - 1
        name = f"a{next(ids)}"
        answers.append(
            Answer(name, question.id, person, reply, document, 1.0, number, settles=last)
        )
    return AnsweredQuestion(question, tuple(answers))


def taught(made):
    return {e.context.body: (e.target.body, e.weight) for e in made}


CURATE = Curator(one_coin)


def test_where_nothing_is_known_of_people_all_is_as_with_one_vote_each():
    lone = [
        answered("one", ("anna", " Four ")),
        answered("two", ("bo", "five")),
        answered("three", ("anna", Reply.SKIP)),
        answered("four", ("bo", Reply.CANT_TELL)),
        answered("five", ("cy", Reply.BAD_QUESTION)),
        answered("six", ("anna", "x"), ("anna", "y")),
        answered("seven", ("dee", "x"), ("eve", "y")),
        answered("eight", ("fay", "x"), ("gus", Reply.BAD_QUESTION)),
    ]
    made, before = CURATE(lone, 1), curate(lone, 1)
    assert taught(made) == taught(before) == {
        "one": ("Four", 1.0), "two": ("five", 1.0), "six": ("y", 1.0),
    }  # fmt: skip
    assert [e.id for e in made] == [e.id for e in before]


def test_two_against_one_are_taught_and_the_one_stays_on_record():
    [example] = CURATE([answered("c", ("anna", "four"), ("bo", "Four."), ("cy", "five"))], 1)
    assert (example.target.body, example.weight, len(example.answers)) == ("four", 1.0, 2)


def test_a_tie_goes_to_whom_gold_shows_to_be_right():
    tie = answered("c", ("anna", "four"), ("mal", "five"))
    assert CURATE([tie], 1) == []
    gold = [
        ballot(i, ("anna", "yes"), ("mal", "no" if i % 3 else "yes"), truth=["yes"])
        for i in range(15)
    ]
    lone = answered("d", ("mal", "six"))
    assert taught(Curator(one_coin, anchors=gold)([tie, lone], 1)) == {"c": ("four", 1.0)}


def test_a_lone_answer_of_somebody_who_is_often_wrong_weighs_less():
    gold = [ballot(i, ("cy", "yes" if i % 5 else "no"), truth=["yes"]) for i in range(50)]
    gold += [ballot(i, ("dee", "yes" if i % 5 < 3 else "no"), truth=["yes"]) for i in range(50, 99)]
    lone = [answered("c", ("cy", "x")), answered("d", ("dee", "x"))]
    assert taught(Curator(one_coin, anchors=gold)(lone, 1)) == {"c": ("x", 1.0), "d": ("x", 0.8)}


def test_weights_come_in_tenths_so_that_news_does_not_make_every_example_anew():
    assert [weight_of(p, 0.8) for p in (0.5, 0.51, 0.7, 0.71, 0.8, 0.99)] == [
        0.0, 0.6, 0.9, 0.9, 1.0, 1.0,
    ]  # fmt: skip
    people = [0.9, 0.8, 0.75]
    ballots, _ = crowd_of(people, 120, 3, 4, seed=5)
    asked = [answered(str(b.name), *((v.person, v.said) for v in b.voices)) for b in ballots]
    before = {e.id for e in Curator(one_coin, 4)(asked[:100], 1)}
    after = {e.id for e in Curator(one_coin, 4)(asked, 2)}
    assert before == {e.id for e in Curator(one_coin, 4)(asked[:100], 2)}  # no news, no change
    assert len(before - after) <= 5


def test_an_example_stays_while_its_weight_would_hardly_move_and_a_rebuild_makes_it_anew():
    lone = [answered("c", ("cy", "x"))]

    def gold(wrong):
        return [ballot(i, ("cy", "no" if i < wrong else "yes"), truth=["yes"]) for i in range(40)]

    [first] = Curator(one_coin, anchors=gold(8))(lone, 1)
    held = {Context(first.context).id: first}
    assert Curator(one_coin, anchors=gold(12), held=held)(lone, 2) == [first]
    [anew] = Curator(one_coin, anchors=gold(12))(lone, 2)
    assert (first.weight, anew.weight) == (1.0, 0.9)
    assert Curator(one_coin, anchors=gold(30), held=held)(lone, 2) == []  # much moved
    more = [answered("c", ("cy", "x"), ("anna", "x"))]
    assert Curator(one_coin, held=held)(more, 2)[0].id != first.id  # other answers


def test_what_an_owner_settled_is_the_example_and_tells_about_people():
    against = [("anna", "x"), ("bo", "x"), ("cy", "y")]
    for curator in (CURATE, curate):
        [one] = curator([answered("c", *against, settles="y")], 1)
        assert (one.target.body, one.weight, len(one.answers)) == ("y", 1.0, 1)
        assert curator([answered("c", *against, settles=Reply.BAD_QUESTION)], 1) == []
    settled = [answered(f"s{i}", *against, settles="y") for i in range(10)]
    consensus = one_coin(ballots_of(settled))
    assert consensus.trust("cy") > 0.9 > 0.3 > consensus.trust("anna")
    assert "owner" not in consensus.accuracy
    assert taught(CURATE([*settled, answered("c", *against)], 1))["c"] == ("y", 1.0)


def test_the_newest_settling_answer_decides():
    one = answered("c", ("anna", "x"), settles="y")
    other = answered("c", ("bo", "z"), settles="w")
    both = AnsweredQuestion(one.question, (*one.answers, *other.answers))
    assert taught(CURATE([both], 1)) == taught(curate([both], 1)) == {"c": ("w", 1.0)}


def test_another_packages_method_weighs_by_the_same_door(monkeypatch):
    import pandas

    class DawidSkene:
        def __init__(self, n_iter):
            pass

        def fit_predict_proba(self, frame):
            assert list(frame.columns) == ["task", "worker", "label"]
            tasks = sorted(frame["task"].unique())
            return pandas.DataFrame({"x": 0.9, "y": 0.1}, index=tasks)

    package = types.ModuleType("crowdkit")
    aggregation = types.ModuleType("crowdkit.aggregation")
    aggregation.DawidSkene = DawidSkene
    monkeypatch.setitem(sys.modules, "crowdkit", package)
    monkeypatch.setitem(sys.modules, "crowdkit.aggregation", aggregation)
    from nightschool.curation.crowdkit import dawid_skene

    votes = [ballot(i, ("anna", "x"), ("bo", "y")) for i in range(5)]
    found = dawid_skene([*votes, ballot(9, ("bo", "z"), truth=["z"])])
    assert found.posterior[0] == {"x": 0.9, "y": 0.1}
    assert found.posterior[9] == {"z": 1.0}
    assert found.accuracy["anna"].mean == pytest.approx((4 + 4.5) / 10)
    assert taught(Curator(dawid_skene)([answered("c", ("anna", "x"), ("bo", "y"))], 1)) == {
        "c": ("x", 1.0)
    }


def spoken(*said, about="x is"):
    """A context with (id, person, text, at) answers, in the order in which they came."""
    question = Question("q", Context.of(about), Partition.TRAINING, "t", 0.0, "v0", 1, 0)
    given = [
        Answer(name, "q", person, Reply.ANSWER, Document(text), 1.0, at)
        for name, person, text, at in said
    ]
    return AnsweredQuestion(question, tuple(given))


def test_an_older_answer_that_came_later_counts_for_nothing():
    each = spoken(("a", "ann", "green", 9.0), ("b", "ann", "red", 5.0), ("c", "ann", "blue", 0.0))
    assert [a.id for a in voices_of(each.answers)] == ["a"]
    assert [e.target.body for e in curate([each], 1)] == ["green"]
    settled = replace(each, answers=tuple(replace(a, settles=True) for a in each.answers))
    assert settling(settled.answers) is settled.answers[0]
    undated = spoken(("a", "ann", "green", 0.0), ("b", "ann", "red", 0.0))
    assert [a.id for a in voices_of(undated.answers)] == ["b"]


def test_what_is_held_goes_where_it_is_no_longer_more_likely_right_than_not():
    each = spoken(("a", "ann", "green", 1.0), ("b", "ben", "red", 2.0))
    name = each.question.context.id

    def sure(probability):
        return lambda _: Consensus({name: {"green": probability, "red": 0.3}}, stranger=0.9)

    (held,) = Curator(sure(0.55))([each], 1)
    assert Curator(sure(0.6), held={name: held})([each], 2) == [held]
    assert Curator(sure(0.5), held={name: held})([each], 2) == []
    # What it would weigh is compared, in whole tenths: 0.8 is within 0.2 of 0.6, 0.9 is not.
    assert held.weight == 0.6
    assert Curator(sure(0.75), held={name: held})([each], 2) == [held]
    assert [e.weight for e in Curator(sure(0.78), held={name: held})([each], 2)] == [0.9]
