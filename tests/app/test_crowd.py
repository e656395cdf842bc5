"""A school of several people: gold, figures, what they disagree about, and withdrawal."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nightschool.app import School
from nightschool.app.figures import Figure, Share
from nightschool.app.guesses import guess_of
from nightschool.types import (
    Answer,
    AnswerError,
    ConfigError,
    Context,
    Document,
    ExamError,
    Partition,
    Reply,
    UnknownQuestion,
)
from nightschool.types.people import AccountError
from nightschool.warehouse.tables import questions
from nightschool.web.answers import shown

from ..conftest import COLOURS, make_school, world

TRUTH = {Context.of(c).id: a for c, a, _ in world(300, 0)}
WRONG = sorted(set(COLOURS.values()))


@pytest.fixture
def clock():
    return [1_000_000.0]


def say(school, question, person, text, **changes):
    reply = text if isinstance(text, Reply) else Reply.ANSWER
    document = None if isinstance(text, Reply) else Document(text)
    values = {"id": str(uuid.uuid4()), "seconds": 2.0, "at": school.now(), **changes}
    answer = Answer(
        question_id=question.id, person=person, reply=reply, document=document, **values
    )
    school.keep(answer)
    return answer


def put(school, context, **answers):
    """Answers of several people to one context that is put into the queue for it."""
    school.add_contexts([context])
    from nightschool.types import Pick

    school.warehouse.append(
        [Pick(context, school.side(context), "test", 0.0)], school.warehouse.trainee()
    )
    [question] = [q for q in school.warehouse.queue() if q.context.id == context.id]
    for person, text in answers.items():
        say(school, question, person, text)
    return question


def training(school, n, seed=0):
    """n new contexts of the training side."""
    made = (Context.of(f"number {seed}-{i} looks at the sky. It is") for i in range(20 * n))
    return [c for c in made if school.side(c) is Partition.TRAINING][:n]


def gold_file(folder, n, start=0, **more):
    path = folder / "gold.jsonl"
    rows = [
        {"context": f"gold {start + i} looks at the grass. It is", "answers": ["green", "lime"]}
        for i in range(n)
    ]
    path.write_text("\n".join(json.dumps(row) for row in [*rows, *more.get("rows", ())]))
    return path


def examples(school):
    manifest = school.warehouse.manifest(school.warehouse.trainee().manifest)
    return {
        e.context.body: (e.target.body, e.weight) for e in school.warehouse.dataset(manifest).new
    }


# Gold -----------------------------------------------------------------------------------------


def test_gold_comes_among_the_others_at_its_rate_once_each_and_is_never_learned(tmp_path, clock):
    folder = make_school(tmp_path / "school", gold_share=0.3, questions=100, show_guess=True)
    with School.open(folder, clock=lambda: clock[0]) as school:
        assert school.gold.add(gold_file(tmp_path, 40), "ola") == 40
        given = {"anna": [], "bo": []}
        for i in range(40):
            for person in given:
                question = school.next_question(person)
                if i % 4 == 0:
                    again = school.next_question(person)
                    assert again.id == question.id  # a reload shows the same one
                    ahead = school.next_question(person, [question.id])
                    assert ahead.id != question.id
                given[person].append(question)
                gold = question.partition is Partition.GOLD
                say(school, question, person, "green" if gold else TRUTH[question.context.id])
        for questions in given.values():
            gold = [q for q in questions if q.partition is Partition.GOLD]
            assert 4 <= len(gold) <= 20  # 12 of 40, give or take some 3 standard deviations
            assert len({q.context.id for q in gold}) == len(gold)
            # Nothing in the name of a question tells gold apart: the night, and letters.
            assert all(re.fullmatch(r"q0-[0-9a-f]{20}", q.id) for q in questions)
            assert len({q.version for q in questions}) == 1
        orders = [[q.context.id for q in own if q.partition is Partition.GOLD]
                  for own in given.values()]  # fmt: skip
        places = [[i for i, q in enumerate(own) if q.partition is Partition.GOLD]
                  for own in given.values()]  # fmt: skip
        assert orders[0] != orders[1]
        assert places[0] != places[1]
        used = school.morning.read().uses
        assert (used.waiting, used.exam, used.gold) == (80, 0, 0), "the night tells, not the reply"
        school.night()
        used = school.morning.read().uses
        assert (used.waiting, used.gold) == (0, sum(map(len, places)))
        assert used.learned + used.exam + used.unused + used.gold == used.answers == 80
        assert not any("gold" in text for text in examples(school))
        assert not any("gold" in item.context.body for item in school.examiner.bank())
        assert school.warehouse.audit.entries()[-1].action == "gold added"
        # Nor is there anything in what the page is sent, where it is sent the model's guess.
        sent = {True: [], False: []}
        for _ in range(50):
            question = school.next_question("cleo")
            told = shown(question, guess_of(question, True))
            sent[question.partition is Partition.GOLD].append(told)
            say(school, question, "cleo", "green")
        form = [{(q["kind"], q["version"], q["id"][:3], len(q["id"])) for q in part}
                for part in sent.values()]  # fmt: skip
        assert form[0] == form[1]
        guessed = [sum("guess" in q for q in part) / len(part) for part in sent.values()]
        assert guessed == pytest.approx([0.6, 0.6], abs=0.3)  # 3 in 4 of 3 in 4
        assert {frozenset(q) for q in sent[True]} == {frozenset(q) for q in sent[False]}


def test_gold_that_is_taken_back_is_asked_again_first(tmp_path):
    folder = make_school(tmp_path / "school", gold_share=1.0)
    with School.open(folder) as school:
        school.gold.add(gold_file(tmp_path, 3), "ola")
        with pytest.raises(AccountError, match="shut or erased"):
            school.next_question("nobody", member=True)
        assert school.refill()
        # Gold that the model was not asked about takes no place of a question with a guess.
        for guess, gold in (("red", False), ("", True)):
            said = questions.update().values(guess=guess)
            school.warehouse._log.write(lambda c, said=said: c.execute(said) and None)
            asked = school.next_question(f"bo{guess}")
            assert (asked.partition is Partition.GOLD) == gold
        question = school.next_question("anna")
        assert question.partition is Partition.GOLD
        say(school, question, "anna", "blue")
        school.undo("anna")
        say(school, question, "bo", "green")  # others' replies end nothing: gold is everybody's
        assert school.next_question("anna").id == question.id
        say(school, question, "anna", "green")
        for _ in range(2):
            say(school, school.next_question("anna"), "anna", "green")
        assert school.next_question("anna").partition is not Partition.GOLD  # all were had
        # The first reply counts, whatever came after it.
        assert school.figures.of("anna").gold == Share.of(2, 3)


def test_taking_back_a_wrong_reply_to_gold_does_not_better_ones_share(tmp_path):
    folder = make_school(tmp_path / "school", gold_share=1.0)
    with School.open(folder) as school:
        school.gold.add(gold_file(tmp_path, 2), "ola")
        question = school.next_question("anna")
        say(school, question, "anna", "blue")
        trust = school.crowd.read().consensus.trust("anna")
        school.undo("anna")
        school.crowd.renew()
        assert school.figures.of("anna").gold == Share.of(0, 1)
        assert school.crowd.read().consensus.trust("anna") == trust
        assert school.figures.of("anna").answers == 0  # it is taken back all the same
        say(school, question, "anna", "green")
        school.leaving.withdraw("anna", "ola", "wrong")
        school.crowd.renew()
        assert school.figures.of("anna").gold == Share()


def test_a_person_learns_of_their_gold_by_night_and_from_ten_on(tmp_path, clock):
    folder = make_school(tmp_path / "school", gold_share=1.0)
    with School.open(folder, clock=lambda: clock[0]) as school:
        school.gold.add(gold_file(tmp_path, 12), "ola")

        def answer(n, text):
            for _ in range(n):
                say(school, school.next_question("anna"), "anna", text)
            school.crowd.renew()

        answer(9, "green")
        school.night()
        assert school.figures.own("anna") == Figure("anna", 9, 2.0)
        answer(2, "green")
        assert school.figures.of("anna").gold == Share.of(11, 11)
        assert school.figures.own("anna") == Figure("anna", 11, 2.0)
        clock[0] += 86_400
        school.night()
        answer(1, "wrong")
        assert school.figures.of("anna").gold == Share.of(11, 12)
        own = school.figures.own("anna")
        assert (own.answers, own.gold, own.weight) == (12, Share.of(11, 11), None)


def test_what_was_learned_answered_or_examined_with_cannot_be_gold(tmp_path, oracle):
    folder = make_school(tmp_path / "school")
    with School.open(folder) as school:
        question = school.next_question("anna")
        say(school, question, "anna", "green")
        in_file = world(300, 0)[0][0]  # of the owner's test file
        rows = [{"context": question.context.text, "answer": "x"},
                {"context": in_file, "answer": "x"}]  # fmt: skip
        with pytest.raises(ExamError) as refusal:
            school.gold.add(gold_file(tmp_path, 2, rows=rows), "ola")
        assert "2 of the contexts" in str(refusal.value)
        assert repr(question.context.text) in str(refusal.value)
        assert repr(in_file) in str(refusal.value)
        assert school.gold.items() == []
        waits = school.warehouse.queue()[0]
        rows = [{"context": waits.context.text, "answer": "x"}]
        assert school.gold.add(gold_file(tmp_path, 0, rows=rows), "ola") == 1
        assert waits.id not in {q.id for q in school.warehouse.queue()}


# Figures --------------------------------------------------------------------------------------


def test_figures_tell_the_careful_from_the_careless(tmp_path, clock):
    folder = make_school(tmp_path / "school", gold_share=0)
    with School.open(folder, clock=lambda: clock[0]) as school:
        school.gold.add(gold_file(tmp_path, 4), "ola")
        for i, context in enumerate(training(school, 12)):
            put(school, context, anna="blue", bo="blue", mal="blue" if i < 3 else f"red {i}")
        assert school.figures.of("zoe") == Figure("zoe", accuracy=0.8)
        for _ in range(4):
            for person, text in (("anna", "Lime."), ("mal", "black")):
                gold = school.warehouse.gold.lease(
                    person, [], b"k", school.champion(), clock[0], 60.0
                )
                say(school, gold, person, text, seconds=5.0)
        school.crowd.renew()
        people = {f.person: f for f in school.figures.everybody()}
        assert set(people) == {"anna", "bo", "mal"}
        anna, mal = people["anna"], people["mal"]
        assert (anna.answers, anna.seconds, mal.withdrawn) == (16, 2.0, 0)
        assert anna.gold == Share.of(4, 4)
        assert mal.gold.mean == 0
        assert anna.agreement.n == mal.agreement.n == 12
        assert anna.agreement.mean > 0.8 > 0.4 > mal.agreement.mean
        assert mal.agreement.low < mal.agreement.mean < mal.agreement.high < anna.agreement.low
        assert (anna.weight, mal.weight) == (1.0, 0.0)
        assert school.leaving.withdraw("mal", "ola", "careless") == 16
        school.crowd.renew()
        gone = school.figures.of("mal")
        assert (gone.answers, gone.withdrawn, gone.agreement) == (0, 16, Share())
        json.dumps(gone.as_dict())


def test_a_shares_interval_is_jeffreys():
    share = Share.of(8, 10)
    assert (share.mean, share.n) == (0.8, 10)
    assert (share.low, share.high) == pytest.approx((0.4972, 0.9559), abs=1e-3)
    assert Share.of(0, 5).low == 0.0
    assert Share.of(5, 5).high == 1.0


# Settling -------------------------------------------------------------------------------------


def test_what_people_disagree_about_is_settled_by_the_owner(tmp_path, clock):
    folder = make_school(tmp_path / "school", gold_share=0)
    with School.open(folder, clock=lambda: clock[0]) as school:
        one, two, three, four = training(school, 4)
        tie = put(school, one, anna="blue", bo="grey")
        bad = put(school, two, anna="blue", bo=Reply.BAD_QUESTION)
        put(school, three, anna="blue", bo="Blue.")  # no dispute
        put(school, four, anna="blue", bo="blue", cy="blue", dee="blue", eve="red")  # sure
        exam = next(c for c in (Context.of(f"exam {i} is") for i in range(99))
                    if school.side(c) is Partition.EXAM)  # fmt: skip
        asked = put(school, exam, anna="blue", bo="grey")
        found = school.settling.disputes()
        assert (found.total, found.settled) == (3, 0)
        assert {d.question_id for d in found.open} == {tie.id, bad.id, asked.id}
        [first] = [d for d in found.open if d.question_id == tie.id]
        assert [(a.text, len(a.voters)) for a in first.alternatives] == [("blue", 1), ("grey", 1)]
        assert first.alternatives[0].probability == pytest.approx(first.alternatives[1].probability)
        assert not first.decided
        assert 1 < first.entropy < 1.6
        school.night()
        assert one.text not in examples(school)

        settled = school.settling.settle(tie.id, "ola", Reply.ANSWER, " grey ", "it rained")
        school.settling.settle(bad.id, "ola", Reply.BAD_QUESTION)
        school.settling.settle(asked.id, "ola", Reply.ANSWER, "slate")
        assert school.settling.disputes().total == 0
        assert school.settling.disputes().settled == 3
        assert len(school.warehouse.answered(Partition.TRAINING)[0].answers) >= 2  # on record
        clock[0] += 86_400
        school.night()
        assert examples(school)[one.text] == ("grey", 1.0)
        assert two.text not in examples(school)
        [item] = [i for i in school.examiner.bank() if i.context.body == exam.text]
        assert [a.body for a in item.accepted] == ["slate"]
        assert Counter(e.action for e in school.warehouse.audit.entries())["question settled"] == 3
        assert {e.detail for e in school.warehouse.audit.entries()
                if e.action == "question settled"} <= {r.value for r in Reply}  # fmt: skip

        assert school.settling.reopen(settled.id, "ola")
        assert not school.settling.reopen(settled.id, "ola")
        assert [d.question_id for d in school.settling.disputes().open] == [tie.id]


def test_a_skip_settles_nothing_and_a_retry_settles_once(tmp_path):
    folder = make_school(tmp_path / "school", gold_share=0)
    with School.open(folder) as school:
        [context] = training(school, 1)
        question = put(school, context, anna="blue", bo="grey")
        with pytest.raises(AnswerError, match="skip settles nothing"):
            school.settling.settle(question.id, "ola", Reply.SKIP)
        with pytest.raises(AnswerError, match="empty"):
            school.settling.settle(question.id, "ola", Reply.ANSWER, "  ")
        with pytest.raises(UnknownQuestion):
            school.settling.settle("q9", "ola", Reply.ANSWER, "x")
        name = str(uuid.uuid4())
        for _ in range(2):
            school.settling.settle(question.id, "ola", Reply.ANSWER, "blue", name=name)
        assert len(school.warehouse.answers()) == 3
        assert [a.text for a in school.settling.one(question.id).alternatives] == ["blue", "grey"]
        with pytest.raises(UnknownQuestion):
            school.settling.one("q9")


# Nights ---------------------------------------------------------------------------------------


def test_a_night_without_news_makes_no_example_anew_and_labels_count(tmp_path, clock):
    folder = make_school(tmp_path / "school", gold_share=0)
    with School.open(folder, clock=lambda: clock[0]) as school:
        for context in training(school, 8):
            put(school, context, anna="blue", bo="blue", cy="red")
        school.night()
        clock[0] += 86_400
        before = school.warehouse.trainee()
        school.night()
        assert school.warehouse.trainee() == before


def test_the_majority_decides_where_the_setting_says_so_and_others_are_refused(tmp_path):
    folder = make_school(tmp_path / "school", gold_share=0, agreement="majority")
    with School.open(folder) as school:
        [context] = training(school, 1)
        put(school, context, anna="blue", bo="Blue", cy="red")
        school.night()
        assert examples(school)[context.text] == ("blue", pytest.approx(2 / 3))
        assert school.figures.of("cy").weight == 1.0
    from nightschool.app.config import change_config

    with pytest.raises(ConfigError, match=r"agreements.*'glod'.*one_coin"):
        change_config(folder, "agreement", "glod")


def test_withdrawing_a_hostile_person_gives_the_model_that_the_others_alone_would_have_given(
    tmp_path, clock
):
    """Equal weights, byte for byte, whatever the nights before learned from that person."""
    weights = []
    for hostile in (True, False):
        folder = make_school(tmp_path / str(hostile), gold_share=0)
        clock[0] = 1_000_000.0
        rng = random.Random(3)
        with School.open(folder, clock=lambda: clock[0]) as school:
            school.warehouse.set_meta("seed", "7")
            contexts = training(school, 18)
            for night in range(3):
                for i, context in enumerate(contexts[6 * night : 6 * night + 6]):
                    right = WRONG[(i + night) % len(WRONG)]
                    said = {p: right if rng.random() < 0.8 else rng.choice(WRONG)
                            for p in ("anna", "bo")}  # fmt: skip
                    school.add_contexts([context])
                    names = ["mal", *said] if i % 2 else [*said, "mal"]
                    said["mal"] = rng.choice(WRONG)
                    question = put(school, context)
                    for person in names:
                        if hostile or person != "mal":
                            name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{context.id} {person}"))
                            say(school, question, person, said[person], id=name)
                clock[0] += 86_400
                school.night()
            learned = examples(school)
            if hostile:
                assert school.leaving.withdraw("mal", "ola", "hostile") == 18
            clock[0] += 86_400
            school.night(rebuild=True)
            newest = school.warehouse.trainee()
            weights.append((newest.weights, examples(school)))
            if hostile:
                assert learned != weights[0][1]  # they had their say before
    assert weights[0] == weights[1]
    assert np.mean([w for _, w in weights[0][1].values()]) > 0.8


def test_gold_is_not_learned_by_replay_either(tmp_path):
    with School.open(make_school(tmp_path / "school")) as school:
        school.gold.add(gold_file(tmp_path, 1), "owner")
        (item,) = school.gold.items()
        assert school.examiner.fence().holds(Document(f"So: {item.context.text} green, he said."))


def test_a_night_that_is_resumed_takes_the_gold_as_it_was(tmp_path, clock):
    with School.open(make_school(tmp_path / "school"), clock=lambda: clock[0]) as school:
        school.gold.add(gold_file(tmp_path, 1), "owner")
        (item,) = school.gold.items()
        school.warehouse.begin_night(clock=school.now)
        night = school.warehouse.broken_night()
        before = school.crowd._accepted_at(night)
        school.warehouse.gold.add([replace(item, accepted=("lime",))])
        assert school.crowd._accepted_at(night) == before == {item.context.id: item.accepted}
        assert school.crowd._accepted() == {item.context.id: ("lime",)}
