from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest

from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Case,
    Context,
    Document,
    ExamItem,
    ExamResult,
    Look,
    Mark,
    Partition,
    Question,
    Reply,
)


@pytest.fixture
def answered() -> Callable[..., AnsweredQuestion]:
    """A question of the exam partition with replies ("anna", Reply.ANSWER, "4") and so on."""
    number = itertools.count()

    def make(
        text: str,
        *replies: tuple[str, Reply, str],
        partition: Partition = Partition.EXAM,
        group: str = "",
    ) -> AnsweredQuestion:
        question = Question(
            f"q{next(number)}", Context.of(text, group=group), partition, "random", 0.0, "v", 0, 0
        )
        answers = tuple(
            Answer(
                f"{question.id}-{i}",
                question.id,
                person,
                reply,
                Document(body) if reply is Reply.ANSWER else None,
                1.0,
                float(i),
            )
            for i, (person, reply, body) in enumerate(replies)
        )
        return AnsweredQuestion(question, answers)

    return make


class Parrot:
    """A learner that marks and answers as it is told."""

    def __init__(self, marks: Sequence[float], says: Sequence[str]) -> None:
        self.marks, self.says = marks, says

    def mark(self, items: Sequence[ExamItem]) -> Sequence[float]:
        return self.marks

    def predict(self, contexts: Sequence[Context]) -> Sequence[Document]:
        return [Document(text) for text in self.says]


@pytest.fixture
def parrot() -> type[Parrot]:
    return Parrot


def sat(version: str, marks: Sequence[float], groups: Sequence[str] | None = None) -> ExamResult:
    """The result of a version with those gating marks, and a mark that must not gate."""
    names = groups or [""] * len(marks)
    made = [
        Mark("answer", value, True, f"i{i}", group)
        for i, (value, group) in enumerate(zip(marks, names, strict=True))
    ]
    return ExamResult(version, "bank", (*made, Mark("exact", 0.0, False, "i0")))


@pytest.fixture
def case() -> Callable[..., Case]:
    """A case over lists of marks; looks default to none."""

    def make(
        before: Sequence[float],
        after: Sequence[float],
        *,
        previous: Sequence[float] | None = None,
        groups: Sequence[str] | None = None,
        looks: Sequence[Look] = (),
        day: int = 0,
        challenger: str = "v1",
    ) -> Case:
        return Case(
            day,
            sat("v0", before, groups),
            sat(challenger, after, groups),
            None if previous is None else sat("old", previous, groups),
            looks,
        )

    return make
