"""What goes out of a school: its examples, its raw answers or its exam, never two together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from nightschool.types import ConfigError, Document, ExamItem, Example, Partition
from nightschool.warehouse.archive import FoundAnswer, Selection, State

if TYPE_CHECKING:
    from nightschool.app.school import School

Row = dict[str, Any]


class What(StrEnum):
    """What is exported."""

    EXAMPLES = "examples"
    """What a night would learn now: each context with its trusted answer."""
    ANSWERS = "answers"
    """Every reply as it was given, of the training side."""
    OWN = "own"
    """Every reply of one person, taken back or not, on whichever side: what is theirs to have."""
    EXAM = "exam"
    """The exam's contexts with the answers that it accepts. Whoever trains on it has no exam."""


COLUMNS: Mapping[What, Mapping[str, type]] = {
    What.EXAMPLES: {
        "id": str, "context": str, "answer": str, "weight": float, "group": str,
        "answers": list, "context_kind": str, "answer_kind": str,
    },
    What.ANSWERS: {
        "id": str, "context": str, "answer": str, "reply": str, "person": str, "seconds": float,
        "at": float, "note": str, "settles": bool, "retracted": str, "group": str, "source": str,
        "strategy": str, "score": float, "version": str, "night": int,
        "context_kind": str, "answer_kind": str,
    },
    # Nothing that tells exam or gold from the rest, for people who go on answering.
    What.OWN: {
        "id": str, "context": str, "answer": str, "reply": str, "seconds": float, "at": float,
        "note": str, "retracted": str, "context_kind": str, "answer_kind": str,
    },
    What.EXAM: {
        "id": str, "context": str, "answer": str, "accepted": list, "group": str, "source": str,
        "context_kind": str, "answer_kind": str,
    },
}  # fmt: skip
"""The columns of each export and what they hold; a list is one of texts."""


def rows(school: School, chosen: Selection, what: What) -> Iterator[Row]:
    """The rows of an export, with the columns of `COLUMNS`, oldest first.

    Raises ConfigError, with the cure, where the selection asks for the exam's records among
    others, or for what the export cannot tell apart.
    """
    if what is What.EXAM:
        return _exam(school, chosen)
    if what is What.OWN:
        return _own(school, chosen)
    if chosen.partition not in (None, Partition.TRAINING):
        raise ConfigError(
            f"The {what.value} of the training side are exported, not those of the "
            f"{chosen.partition.value} side; leave partition out, or ask for the exam itself "
            "(--exam, what=exam)."
        )
    chosen = replace(chosen, partition=Partition.TRAINING)
    return _examples(school, chosen) if what is What.EXAMPLES else _answers(school, chosen)


def _examples(school: School, chosen: Selection) -> Iterator[Row]:
    if chosen.state is not State.LIVE:
        raise ConfigError(
            "Examples are made from answers that count; to have those that were taken back, "
            "export the answers (--answers, what=answers)."
        )
    wanted = school.warehouse.archive.context_ids(chosen)
    answered = school.warehouse.answered(Partition.TRAINING)
    fence = school.examiner.fence()
    # All are curated, then some are chosen: how much a person's word weighs depends on all.
    contexts = {a.question.context.document.digest: a.question.context.id for a in answered}
    for example in school.crowd.curator()(answered, 0):
        if contexts[example.context.digest] not in wanted:
            continue
        if not (fence.has(example.context) or fence.keeps(example.target)):
            yield _example(example)


def _example(example: Example) -> Row:
    return {
        "id": example.id,
        "context": example.context.body,
        "answer": example.target.body,
        "weight": example.weight,
        "group": example.group,
        "answers": list(example.answers),
        "context_kind": example.context.kind,
        "answer_kind": example.target.kind,
    }


def _answers(school: School, chosen: Selection) -> Iterator[Row]:
    return map(_answer, school.warehouse.archive.every_answer(chosen))


def _own(school: School, chosen: Selection) -> Iterator[Row]:
    if not chosen.person:
        raise ConfigError("Own answers are one person's; say whose, as in person=anna.")
    found = school.warehouse.archive.every_answer(replace(chosen, state=State.ANY))
    return ({name: row[name] for name in COLUMNS[What.OWN]} for row in map(_answer, found))


def _answer(found: FoundAnswer) -> Row:
    answer, question = found.answer, found.question
    document = answer.document
    return {
        "id": answer.id,
        "context": question.context.document.body,
        "answer": document.body if document else None,
        "reply": answer.reply.value,
        "person": answer.person,
        "seconds": answer.seconds,
        "at": answer.at,
        "note": answer.note,
        "settles": answer.settles,
        "retracted": found.retraction.why.value if found.retraction else "",
        "group": question.context.group,
        "source": question.context.source,
        "strategy": question.strategy,
        "score": question.score,
        "version": question.version,
        "night": question.night,
        "context_kind": question.context.document.kind,
        "answer_kind": document.kind if document else None,
    }


def _exam(school: School, chosen: Selection) -> Iterator[Row]:
    """The exam's items; of a selection only text, group and source say something about them."""
    said = replace(chosen, text="", group="", source="", partition=None)
    if said != Selection():
        raise ConfigError(
            "The exam's items are chosen by text, group and source (bank or file); leave the "
            "other filters out."
        )
    if chosen.partition not in (None, Partition.EXAM):
        raise ConfigError("The exam is on the exam side; leave partition out.")
    words = chosen.text.casefold()
    for item in school.examiner.marked():
        bodies = [item.context.body, *(a.body for a in item.accepted)]
        if words and not any(words in body.casefold() for body in bodies):
            continue
        if chosen.group not in ("", item.group) or chosen.source not in ("", item.source):
            continue
        yield _item(item)


def _item(item: ExamItem) -> Row:
    first = item.accepted[0] if item.accepted else Document("")
    return {
        "id": item.id,
        "context": item.context.body,
        "answer": first.body,
        "accepted": [answer.body for answer in item.accepted],
        "group": item.group,
        "source": item.source,
        "context_kind": item.context.kind,
        "answer_kind": first.kind,
    }


def told(value: Any) -> Any:
    """A value as a cell of a table that knows only texts and numbers: a list is JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
