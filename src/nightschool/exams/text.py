"""The text exam: marks by the probability of the right answer, and reports exact matches."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nightschool.types import (
    TEXT,
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    ExamError,
    ExamItem,
    Learner,
    LearnerError,
    Mark,
    Partition,
    Reply,
)

SOFT = "answer"
HARD = "exact"
SHOWN = 10


def item_id(context: Document) -> str:
    """The name of the item that asks this context: its context id as 16 hexadecimal digits."""
    return f"{Context(context).id:016x}"


def latest_of_each(answers: Sequence[Answer]) -> list[Answer]:
    """One voice a person: the newest of each person's answers, in the order they came."""
    newest = {answer.person: answer for answer in sorted(answers, key=lambda a: a.at)}
    return [answer for answer in answers if newest[answer.person] is answer]


def accepted_answers(answers: Sequence[Answer]) -> tuple[Document, ...]:
    """The answers that at least half of the answering people gave; empty when unanswerable.

    A question most people skipped, could not tell or called bad is unanswerable, and so is one
    where no answer is shared by half. Two answers are accepted when people split evenly. What an
    owner settled is decided: the newest settling answer is the only right one.
    """
    words = (answer for answer in reversed(answers) if answer.settles)
    settled = max(words, key=lambda answer: answer.at, default=None)
    if settled is not None:
        return (settled.document,) if settled.document is not None else ()
    voices = latest_of_each(answers)
    given = [a.document for a in voices if a.reply is Reply.ANSWER and a.document is not None]
    if not given or 2 * len(given) < len(voices):
        return ()
    votes = Counter(document.digest for document in given)
    first: dict[bytes, Document] = {}
    for document in given:
        first.setdefault(document.digest, document)
    return tuple(first[digest] for digest, n in votes.items() if 2 * n >= len(given))


def bank_items(
    answered: Iterable[AnsweredQuestion],
    accept: Callable[[Sequence[Answer]], tuple[Document, ...]],
) -> list[ExamItem]:
    """Bank items from the exam partition's answers, one for each context with an accepted answer.

    `accept` says which of a context's answers count; a context where none does is left out.
    """
    contexts: dict[str, Context] = {}
    answers: dict[str, list[Answer]] = {}
    for each in answered:
        if each.question.partition is not Partition.EXAM:
            continue
        name = item_id(each.question.context.document)
        contexts.setdefault(name, each.question.context)
        answers.setdefault(name, []).extend(each.answers)
    found = ((name, accept(given)) for name, given in answers.items())
    return [
        ExamItem(name, contexts[name].document, accepted, contexts[name].group, "bank")
        for name, accepted in found
        if accepted
    ]


@dataclass(frozen=True)
class TextExam:
    """Marks texts: gates on the probability of an accepted answer, reports exact matches."""

    def items(self, answered: Iterable[AnsweredQuestion]) -> Sequence[ExamItem]:
        """Bank items from the exam partition's answers, one for each context that has a right one.

        Questions of the training partition are passed over; equal contexts are one item.
        """
        return bank_items(answered, accepted_answers)

    def sit(self, learner: Learner, items: Sequence[ExamItem]) -> Sequence[Mark]:
        """Two marks for each item, in the order of the items: "answer" (gates), then "exact".

        Raises LearnerError when the learner gives too few marks or one that is no probability.
        """
        if not items:
            return []
        soft = learner.mark(items)
        said = learner.predict([Context(item.context, "exam", item.group) for item in items])
        if len(soft) != len(items) or len(said) != len(items):
            raise LearnerError(
                f"The learner gave {len(soft)} marks and {len(said)} answers for {len(items)} "
                "exam items; mark and predict must return one for each."
            )
        marks: list[Mark] = []
        for item, value, answer in zip(items, soft, said, strict=True):
            right = any(answer.digest == accepted.digest for accepted in item.accepted)
            marks.append(Mark(SOFT, probability(value, item), True, item.id, item.group))
            marks.append(Mark(HARD, float(right), False, item.id, item.group))
        return marks


def probability(value: float, item: ExamItem) -> float:
    """The value as a mark in [0, 1], rounding forgiven; LearnerError when it is no probability."""
    if not math.isfinite(value) or not -1e-3 <= value <= 1.0 + 1e-3:
        raise LearnerError(
            f"The learner marked {item.context.body[:60]!r} with {value}, which is no probability; "
            "the model is broken: learn again from version 0 with `nightschool night --rebuild`."
        )
    return min(max(float(value), 0.0), 1.0)


EXAM = TextExam()


def join(bank: Iterable[ExamItem], file: Iterable[ExamItem]) -> list[ExamItem]:
    """Bank and test file as one exam; on a context that both hold, the owner's file decides."""
    both = {item.id: item for item in bank} | {item.id: item for item in file}
    return list(both.values())


def bank_hash(items: Iterable[ExamItem]) -> str:
    """sha256 over what is asked, what is accepted, and each item's group and source.

    The order of the items does not matter.
    """
    lines = sorted(
        json.dumps(
            [
                item.id,
                item.context.digest.hex(),
                sorted(a.digest.hex() for a in item.accepted),
                item.group,
                item.source,
            ]
        )
        for item in items
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def refuse_trained(items: Iterable[ExamItem], is_trained: Callable[[int], bool]) -> None:
    """Raises ExamError that lists the contexts already trained on: they can examine nothing.

    `is_trained` tells of a context id (`Context.id`) whether any version was trained on it.
    """
    known = [item for item in items if is_trained(Context(item.context).id)]
    if not known:
        return
    shown = "\n".join(f"  {item.context.body[:100]!r}" for item in known[:SHOWN])
    more = f"\n  and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    raise ExamError(
        f"The model was already trained on {len(known)} of the exam's contexts; take them out of "
        f"the file:\n{shown}{more}"
    )


@dataclass(frozen=True)
class SkipRates:
    """What became of the exam's questions: counts of questions, and shares of replies in [0, 1].

    A skipped item is not a random one: a bank from which the hard questions were skipped
    flatters every model.
    """

    questions: int
    kept: int
    replies: int
    skip: float
    cant_tell: float
    bad_question: float


def skip_rates(answered: Iterable[AnsweredQuestion]) -> SkipRates:
    """How many of the exam partition's replies were a skip, "can't tell" or "bad question"."""
    exam = [a for a in answered if a.question.partition is Partition.EXAM and a.answers]
    counts = Counter(answer.reply for each in exam for answer in each.answers)
    total = sum(counts.values())

    def share(reply: Reply) -> float:
        return counts[reply] / total if total else 0.0

    return SkipRates(
        questions=len({item_id(each.question.context.document) for each in exam}),
        kept=len(EXAM.items(exam)),
        replies=total,
        skip=share(Reply.SKIP),
        cant_tell=share(Reply.CANT_TELL),
        bad_question=share(Reply.BAD_QUESTION),
    )


def file_item(context: str, answers: Sequence[str], group: str) -> ExamItem:
    """An item of the owner's test file."""
    document = Document(context, TEXT)
    return ExamItem(item_id(document), document, tuple(map(Document, answers)), group, "file")
