from __future__ import annotations

from dataclasses import replace

import pytest

from nightschool.app import School
from nightschool.app.again import Doubtful, compete, doubtful, seconds_of
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    Partition,
    Pick,
    Question,
    Reply,
)
from nightschool.warehouse.queue import AGAIN_AFTER, RECENT

from ..conftest import make_school


class Sure:
    """A learner that gives each answer the probability that its text says."""

    def mark(self, items):
        return [float(item.context.body.split()[-1]) for item in items]


def answered(p, *said, at=0.0):
    context = Context.of(f"{said} {p}")
    question = Question(f"q{context.id}", context, Partition.TRAINING, "bald", 0.0, "v0", 0, 0)
    answers = [
        Answer(
            f"{context.id}-{i}", question.id, person,
            Reply.ANSWER if text else Reply.CANT_TELL, Document(text) if text else None, 2.0, at,
        )
        for i, (person, text) in enumerate(said)
    ]  # fmt: skip
    return AnsweredQuestion(question, tuple(answers))


def never(name):
    raise AssertionError(f"{name} was not asked again")


def found(*cases, now=0.0, active=None):
    """What is found doubtful where all who answered are `active`, or those that are named."""
    everybody = {a.person for case in cases for a in case.answers}
    doubts = doubtful(Sure(), cases, now, never, everybody if active is None else active)
    by_context = {d.context: d for d in doubts}
    return [by_context.get(case.question.context) for case in cases]


OTHER = answered(1.0, ("ben", "green"), ("cleo", "green"))


def test_an_improbable_answer_is_doubted_and_a_probable_one_is_not():
    low, high, _ = found(answered(0.01, ("anna", "red")), answered(0.9, ("anna", "red")), OTHER)
    assert low.doubt > 0.1 > 0.01 > high.doubt
    assert low.gain > 5 * high.gain


def test_people_who_disagree_cause_doubt_and_people_who_agree_settle_it():
    tie = answered(0.5, ("anna", "red"), ("ben", "blue"))
    both = answered(0.5, ("anna", "red"), ("ben", "Red "))
    declined = answered(0.5, ("anna", "red"), ("ben", ""))
    alone = answered(0.5, ("anna", "red"))
    unsure, sure, hardly, one, _ = found(tie, both, declined, alone, OTHER)
    assert unsure.doubt == pytest.approx(0.5, abs=0.01)
    assert hardly.doubt == pytest.approx(0.5, abs=0.01)
    assert unsure.doubt > 10 * one.doubt > 100 * sure.doubt


def test_a_context_without_an_answer_and_a_settled_one_are_not_asked_again():
    many = answered(0.1, *((name, "red") for name in ("anna", "ben", "cleo", "dora")))
    assert found(answered(0.1, ("anna", "")), many, OTHER)[:2] == [None, None]


def test_who_is_alone_is_asked_again_a_day_later_and_nobody_checks_themselves():
    alone = answered(0.01, ("anna", "red"))
    assert found(alone, now=AGAIN_AFTER - 1) == [None]
    assert found(alone, now=AGAIN_AFTER)[0] is not None
    everybody = answered(0.01, ("anna", "red"), ("ben", "blue"))
    assert found(everybody, now=9 * AGAIN_AFTER) == [None]


def test_who_has_left_neither_checks_an_answer_nor_keeps_another_from_it():
    alone, both = answered(0.01, ("anna", "red")), answered(0.01, ("anna", "red"), ("ben", "blue"))
    day = AGAIN_AFTER
    assert found(alone, both, now=day - 1, active={"anna"}) == [None, None]  # ben has left
    assert None not in found(alone, both, now=day, active={"anna"})
    assert None not in found(alone, both, now=day, active=())
    late = answered(0.01, ("anna", "red"), at=day)
    assert found(late, now=day + 1, active={"ben"})[0] is not None
    assert found(late, now=day + 1, active=()) == [None]


def test_second_answers_are_found_with_what_the_model_gave_the_first():
    tie = answered(0.5, ("anna", "red"), ("ben", "RED"), ("cleo", "blue"))
    tie = replace(tie, answers=(tie.answers[0], replace(tie.answers[1], question_id="again")))
    asked = Question("again", tie.question.context, Partition.TRAINING, "again", 0.4, "v0", 1, 0)
    declined = answered(0.5, ("anna", "red"), ("ben", ""))
    single, none = answered(0.5, ("anna", "red")), answered(0.5, ("anna", ""), ("ben", "red"))
    cases = [tie, OTHER, declined, single, none]
    agreed, given = seconds_of(cases, lambda name: {"again": asked}[name])
    assert agreed == [True, True, False]
    assert given == pytest.approx([0.4, float("nan"), float("nan")], nan_ok=True)


def pick(i, partition=Partition.TRAINING, spare=False):
    return Pick(Context.of(f"new {i}"), partition, "bald", 0.0, spare=spare)


def test_the_least_worthy_of_the_day_give_way_and_become_spares():
    picks = [pick(0), pick(1, Partition.EXAM), pick(2), pick(3), pick(4, spare=True)]
    values = {p.context.id: v for p, v in zip(picks, (0.3, 0.0, 0.01, 0.2, 0.0), strict=True)}
    doubts = [
        Doubtful(Context.of(f"old {i}"), 0.25, 0.5, gain) for i, gain in enumerate((0.2, 0.9, 0.3))
    ]
    chosen = compete(picks, values, doubts, [2.0, 2.0, 2.0], 3)
    # 0.9 nats in 2 seconds beat 0.01, 0.3 nats in 2 do not beat 0.2.
    assert [p.context.text for p in chosen] == [
        "new 0",
        "new 1",
        "old 1",
        "new 3",
        "new 2",
        "new 4",
    ]
    assert [p.again for p in chosen] == [False, False, True, False, False, False]
    assert [p.spare for p in chosen] == [False, False, False, False, True, True]
    assert chosen[2].score == 0.25  # what the model gave it, from which the error rate is measured


def test_no_more_are_asked_again_than_are_allowed():
    picks = [pick(i) for i in range(5)]
    values = {p.context.id: 0.0 for p in picks}
    doubts = [Doubtful(Context.of(f"old {i}"), 0.25, 0.5, 0.5) for i in range(5)]
    assert sum(p.again for p in compete(picks, values, doubts, [1.0] * 5, 2)) == 2


def kept(school, question, person, text):
    name = f"{question.id} {person}"
    said = Answer(name, question.id, person, Reply.ANSWER, Document(text), 2.0, school.now())
    assert school.keep(said)


def test_a_dispute_is_put_to_a_third_person_and_their_vote_decides(tmp_path):
    folder = make_school(tmp_path / "school", exam=False, exam_partition=0.0)
    with School.open(folder) as school:
        disputed, other = school.next_question("anna"), school.next_question("cleo")
        kept(school, disputed, "anna", "red")
        kept(school, disputed, "ben", "blue")
        kept(school, other, "cleo", "white")
        school.night()
        assert disputed.context.id not in examples(school)  # a tie teaches nothing
        [again] = [q for q in school.warehouse.queue() if q.strategy == "again"]
        assert again.context == disputed.context
        others = [q.id for q in school.warehouse.queue() if q.id != again.id]
        assert school.next_question("cleo", others).id == again.id
        kept(school, again, "cleo", "blue")
        school.night()
        assert examples(school)[disputed.context.id] == ("blue", 2)
        assert not any(q.strategy == "again" for q in school.warehouse.queue())


def examples(school):
    """By context, the target that the newest version learned, and how many answers say so."""
    manifest = school.warehouse.manifest(school.warehouse.trainee().manifest)
    known = list(school.warehouse.dataset(manifest).new)
    return {Context(e.context).id: (e.target.body, len(e.answers)) for e in known}


@pytest.mark.parametrize("settings", [{"ask_again": 0.0}, {"strategy": "random"}])
def test_nothing_is_asked_again_where_the_school_does_not_want_it(tmp_path, settings):
    folder = make_school(tmp_path / "school", exam=False, exam_partition=0.0, **settings)
    with School.open(folder) as school:
        disputed, other = school.next_question("anna"), school.next_question("cleo")
        kept(school, disputed, "anna", "red")
        kept(school, disputed, "ben", "blue")
        kept(school, other, "cleo", "red")
        school.night()
        assert not any(q.strategy == "again" for q in school.warehouse.queue())


def test_what_is_asked_again_finds_its_person_where_the_other_one_has_left(tmp_path):
    folder = make_school(tmp_path / "school", exam=False, exam_partition=0.0)
    at = [1e9]
    with School.open(folder, clock=lambda: at[0]) as school:
        disputed = school.next_question("anna")
        kept(school, disputed, "anna", "red")
        kept(school, disputed, "ben", "blue")
        at[0] += RECENT + 1
        kept(school, school.next_question("anna"), "anna", "white")
        school.night()
        [again] = [q for q in school.warehouse.queue() if q.strategy == "again"]
        assert again.context == disputed.context
        others = [q.id for q in school.warehouse.queue() if q.id != again.id]
        assert school.next_question("anna", others).id == again.id


def test_a_context_that_was_learned_before_is_no_fresh_answer(tmp_path):
    folder = make_school(tmp_path / "school", exam=False, exam_partition=0.0)
    with School.open(folder) as school:
        question, other = school.next_question("anna"), school.next_question("cleo")
        kept(school, question, "anna", "red")
        school.night()
        kept(school, question, "ben", "red")
        kept(school, other, "cleo", "white")
        school.night()
        assert examples(school)[question.context.id] == ("red", 2)
        first, second = (r.marks for r in school.warehouse.results() if r.bank == "fresh")
        assert len(first) == len(second) == 1
        assert first[0].item != second[0].item
