from __future__ import annotations

import dataclasses
from functools import partial

import pytest

from nightschool.types import (
    AnswerError,
    ConflictingAnswer,
    Document,
    Partition,
    Person,
    Reply,
    Retract,
    Span,
    UnknownQuestion,
)
from nightschool.types.people import AccountError, Role
from nightschool.warehouse import Warehouse
from nightschool.warehouse.accounts import Change, Invitation
from nightschool.warehouse.answers import add_person
from nightschool.warehouse.lineage import add_span
from tests.warehouse.helpers import answer, contexts, picks, undo


def test_an_answer_is_kept_verbatim_and_once(warehouse: Warehouse) -> None:
    question = warehouse.queue()[0].id
    said = answer("a", question, body="  Four.\nÜnïcode \U0001f600 ")
    said = dataclasses.replace(said, seconds=0.1 + 0.2, note="unsure")
    assert warehouse.keep(said) is True
    assert warehouse.keep(said) is False
    retry = dataclasses.replace(said, at=said.at + 5, seconds=9.0)
    assert warehouse.keep(retry) is False
    assert warehouse.answers() == [said]


def test_a_member_needs_an_open_account(warehouse: Warehouse) -> None:
    said = answer("a", warehouse.queue()[0].id)
    with pytest.raises(AccountError, match="shut or erased"):
        warehouse.keep(said, member=True)
    assert "anna" not in {person.id for person in warehouse.people()}
    change, store = Change("test", 0.0), warehouse.accounts
    for name in ("olga", "anna"):
        store.invite(Invitation(name, Role.OWNER, name, "test", 0.0, 1.0), change)
        store.join(name, name, "!", 0.5)
    assert warehouse.keep(said, member=True) is True
    store.set_disabled("anna", True, change)
    with pytest.raises(AccountError, match="shut or erased"):
        warehouse.keep(answer("b", said.question_id), member=True)


@pytest.mark.parametrize(
    "change",
    [
        {"person": "ben"},
        {"document": Document("no")},
        {"document": Document("yes", "drawing")},
        {"document": Document("yes", parts={"png": b"ink"})},
        {"reply": Reply.SKIP, "document": None},
        {"note": "other"},
    ],
)
def test_an_id_is_used_for_one_answer_only(warehouse: Warehouse, change: dict[str, object]) -> None:
    first, second, *_ = warehouse.queue()
    said = answer("a", first.id)
    warehouse.keep(said)
    with pytest.raises(ConflictingAnswer, match=r"'a' was used before, for anna"):
        warehouse.keep(dataclasses.replace(said, **change))
    with pytest.raises(ConflictingAnswer):
        warehouse.keep(dataclasses.replace(said, question_id=second.id))
    assert warehouse.answers() == [said]
    assert [person.id for person in warehouse.people()] == ["anna"]


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"person": ""},
        {"document": None},
        {"reply": Reply.SKIP},
        {"seconds": float("nan")},
        {"seconds": -1.0},
    ],
)
def test_what_does_not_fit_together_is_refused(
    warehouse: Warehouse, change: dict[str, object]
) -> None:
    said = answer("a", warehouse.queue()[0].id)
    with pytest.raises(AnswerError):
        warehouse.keep(dataclasses.replace(said, **change))
    with pytest.raises(UnknownQuestion, match="nowhere"):
        warehouse.keep(answer("a", "nowhere"))
    assert warehouse.answers() == []


def test_undo(warehouse: Warehouse) -> None:
    first, second, *_ = (question.id for question in warehouse.queue())
    warehouse.keep(answer("a", first))
    warehouse.keep(answer("b", second))
    last = warehouse.last_answer("anna")
    assert last is not None
    assert last.id == "b"
    assert warehouse.retract(undo("r", "b")) is True
    assert warehouse.retract(undo("r", "b")) is False
    assert warehouse.retract(undo("other", "b")) is False
    last = warehouse.last_answer("anna")
    assert last is not None
    assert last.id == "a"
    assert warehouse.last_answer("ben") is None
    with pytest.raises(AnswerError, match="nothing"):
        warehouse.retract(undo("r2", "nothing"))
    with pytest.raises(ConflictingAnswer, match="'r' was used before"):
        warehouse.retract(undo("r", "a"))
    assert [r.id for r in warehouse.retractions()] == ["r"]
    assert warehouse.retractions()[0].why == Retract.UNDO
    assert [a.id for a in warehouse.answers()] == ["a"]
    assert [a.id for a in warehouse.answers(retracted=True)] == ["a", "b"]


def test_answers_about_one_context_meet_under_its_first_question(warehouse: Warehouse) -> None:
    first, second, *_ = warehouse.queue()
    warehouse.keep(answer("a", second.id))
    warehouse.keep(answer("b", first.id))
    # The same context under a question of another version, answered late.
    with warehouse.begin_night(now=0) as night:
        warehouse.retract(undo("r", "a"))
        night.post(picks([first.context, second.context]), warehouse.champion())
        again = next(q for q in warehouse.queue() if q.night == 1)
    assert again.context == second.context
    warehouse.keep(answer("c", again.id, "ben"))
    warehouse.keep(answer("d", second.id, "cleo"))
    one, two = warehouse.answered(Partition.TRAINING)
    assert one.question == first
    assert two.question == again
    assert [a.id for a in two.answers] == ["c", "d"]


def test_answers_up_to_a_mark_never_change(warehouse: Warehouse) -> None:
    ids = [question.id for question in warehouse.queue()]
    warehouse.keep(answer("a", ids[0]))
    warehouse.keep(answer("b", ids[1]))
    warehouse.retract(undo("r1", "b"))
    before = warehouse.answered(Partition.TRAINING, 2, 1)
    assert [a.answers[0].id for a in before] == ["a"]
    warehouse.keep(answer("c", ids[0], "ben"))
    warehouse.retract(undo("r2", "a"))
    assert warehouse.answered(Partition.TRAINING, 2, 1) == before
    assert [a.answers[0].id for a in warehouse.answered(Partition.TRAINING)] == ["c"]
    assert warehouse.answered(Partition.EXAM) == []


def test_people(warehouse: Warehouse) -> None:
    def add(person: Person) -> None:
        warehouse._log.write(partial(add_person, person=person))

    add(Person("ben", "Ben B."))
    warehouse.keep(answer("a", warehouse.queue()[0].id))
    add(Person("anna"))
    add(Person("ben"))
    assert warehouse.people() == [Person("anna"), Person("ben", "Ben B.")]


def test_counts(warehouse: Warehouse) -> None:
    warehouse.post(picks([*contexts(3), *contexts(2, "exam")]), warehouse.champion())
    queue = warehouse.queue()
    for i, question in enumerate(queue[1:]):
        warehouse.keep(answer(f"a{i}", question.id))
    skip = dataclasses.replace(answer("s", queue[0].id), reply=Reply.SKIP, document=None)
    warehouse.keep(skip)
    warehouse.retract(undo("r", "a3"))
    counts = warehouse.counts()
    assert (counts.training, counts.exam, counts.questions) == (10, 10, 12)
    assert counts.answers[Reply.ANSWER] == 3
    assert counts.answers[Reply.SKIP] == 1
    assert (counts.retractions, counts.bank, counts.queue_left) == (1, 1, 1)


def test_the_newest_answers_of_a_person(warehouse: Warehouse) -> None:
    for i, question in enumerate(warehouse.queue()[:6]):
        warehouse.keep(answer(str(i), question.id, "anna" if i % 2 else "ben"))
    assert [a.id for a in warehouse.answers("anna", newest=2)] == ["3", "5"]
    assert [a.id for a in warehouse.answers(newest=3)] == ["3", "4", "5"]


def test_the_ledger(warehouse: Warehouse) -> None:
    for span in (Span("import", 2.5, 10.0, 0), Span("fit", 3.5, 11.0, 2)):
        warehouse._log.write(partial(add_span, span=span))
    assert [(s.name, s.seconds, s.at, s.night) for s in warehouse.spans()] == [
        ("import", 2.5, 10.0, 0),
        ("fit", 3.5, 11.0, 2),
    ]
    assert [s.name for s in warehouse.spans(night=2)] == ["fit"]


def test_replies_are_those_to_training_contexts(warehouse: Warehouse) -> None:
    one, two = warehouse.queue()[:2]
    warehouse.keep(answer("a", one.id))
    warehouse.keep(answer("b", two.id))
    ids = [one.context.id, two.context.id]
    assert [(i, a.id) for i, a in warehouse.replies(ids)] == [(ids[0], "a"), (ids[1], "b")]
    warehouse.reserve(ids[:1])
    assert [(i, a.id) for i, a in warehouse.replies(ids)] == [(ids[1], "b")]
