from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from nightschool.exams import EXAM, bank_hash, join, refuse_trained, skip_rates
from nightschool.exams.text import accepted_answers, file_item
from nightschool.types import (
    AnsweredQuestion,
    Context,
    Document,
    ExamError,
    LearnerError,
    Partition,
    Reply,
)

Answered = Callable[..., AnsweredQuestion]
YES, SKIP, CANT, BAD = Reply.ANSWER, Reply.SKIP, Reply.CANT_TELL, Reply.BAD_QUESTION


def test_an_answered_exam_question_becomes_an_item(answered: Answered) -> None:
    (item,) = EXAM.items([answered("2 + 2 =", ("anna", YES, "Four."), group="sums")])
    assert item.context == Document("2 + 2 =")
    assert [a.body for a in item.accepted] == ["Four."]  # verbatim, compared normalised
    assert (item.group, item.source) == ("sums", "bank")
    assert int(item.id, 16) == Context.of("2 + 2 =").id


def test_training_questions_never_examine(answered: Answered) -> None:
    training = answered("x", ("anna", YES, "y"), partition=Partition.TRAINING)
    assert EXAM.items([training]) == []


@pytest.mark.parametrize(
    ("replies", "accepted"),
    [
        ([("a", YES, "4"), ("b", YES, " 4. "), ("c", YES, "5")], ["4"]),
        ([("a", YES, "4"), ("b", YES, "5")], ["4", "5"]),
        ([("a", YES, "4"), ("b", YES, "5"), ("c", YES, "6")], None),
        ([("a", YES, "4"), ("b", SKIP, "")], ["4"]),
        ([("a", YES, "4"), ("b", SKIP, ""), ("c", CANT, "")], None),
        ([("a", BAD, "")], None),
        ([("a", YES, "4"), ("a", YES, "5"), ("b", YES, "5")], ["5"]),
        ([("a", YES, "4"), ("a", BAD, "")], None),
        ([], None),
    ],
)
def test_majority_decides_one_voice_a_person(
    answered: Answered, replies: list[tuple[str, Reply, str]], accepted: list[str] | None
) -> None:
    items = EXAM.items([answered("2 + 2 =", *replies)])
    assert [[a.body for a in item.accepted] for item in items] == ([accepted] if accepted else [])


def test_equal_contexts_are_one_item(answered: Answered) -> None:
    twice = [answered("2 + 2 =", ("a", YES, "4")), answered("2 + 2  = ", ("b", YES, "4"))]
    assert len(EXAM.items(twice)) == 1


def test_sit_gives_a_gating_and_a_reporting_mark(parrot: type) -> None:
    items = [file_item("2 + 2 =", ["4", "four"], "sums"), file_item("Sky?", ["blue"], "")]
    marks = EXAM.sit(parrot([0.25, 1.0000001], [" FOUR.", "red"]), items)
    assert [(m.name, m.value, m.gates) for m in marks] == [
        ("answer", 0.25, True), ("exact", 1.0, False),
        ("answer", 1.0, True), ("exact", 0.0, False),
    ]  # fmt: skip
    assert [m.item for m in marks] == [items[0].id] * 2 + [items[1].id] * 2
    assert marks[0].group == "sums"
    assert EXAM.sit(parrot([], []), []) == []


@pytest.mark.parametrize("marks", [[float("nan")], [1.5], [], [0.1, 0.2]])
def test_a_broken_learner_is_named(parrot: type, marks: list[float]) -> None:
    with pytest.raises(LearnerError, match=r"no probability.*night --rebuild|one for each"):
        EXAM.sit(parrot(marks, ["x"]), [file_item("2 + 2 =", ["4"], "")])


def test_trained_contexts_are_refused_and_listed() -> None:
    items = [file_item(f"{i} + 1 =", ["x"], "") for i in range(30)]
    refuse_trained(items, lambda _: False)
    known = {Context(i.context).id for i in items[:14]}
    with pytest.raises(ExamError) as error:
        refuse_trained(items, known.__contains__)
    text = str(error.value)
    assert "14 of the exam's" in text
    assert "'9 + 1 ='" in text
    assert "'10 + 1 ='" not in text
    assert "and 4 more" in text


def test_bank_hash_knows_content_not_order() -> None:
    a, b = file_item("a", ["1"], "g"), file_item("b", ["2"], "")
    assert bank_hash([a, b]) == bank_hash([b, a])
    assert bank_hash([a]) == bank_hash([file_item(" A ", ["1."], "g")])
    assert bank_hash([a]) != bank_hash([file_item("a", ["1"], "other")])
    assert len({bank_hash(x) for x in ([], [a], [b], [file_item("a", ["1", "2"], "g")])}) == 4


def test_the_owners_file_decides_over_the_bank(answered: Answered) -> None:
    bank = EXAM.items([answered("a", ("p", YES, "1")), answered("b", ("p", YES, "2"))])
    both = join(bank, [file_item("A", ["9"], "")])
    assert [(i.source, i.accepted[0].body) for i in both] == [("file", "9"), ("bank", "2")]


def test_skip_rates(answered: Answered) -> None:
    rates = skip_rates(
        [
            answered("a", ("p", YES, "1"), ("q", SKIP, "")),
            answered("b", ("p", CANT, "")),
            answered("c", ("p", BAD, "")),
            answered("d"),
            answered("e", ("p", SKIP, ""), partition=Partition.TRAINING),
        ]
    )
    assert (rates.questions, rates.kept, rates.replies) == (3, 1, 4)
    assert (rates.skip, rates.cant_tell, rates.bad_question) == (0.25, 0.25, 0.25)
    assert skip_rates([]).skip == 0.0


def test_the_newest_word_settles_an_item_whatever_came_last(answered: Answered) -> None:
    each = answered("2 + 2 =", ("o", YES, "4"), ("o", YES, "5"))
    said = [replace(a, settles=True, at=at) for a, at in zip(each.answers, (9.0, 5.0), strict=True)]
    assert [a.body for a in accepted_answers(said)] == ["4"]
