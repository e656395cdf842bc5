"""What the API and the pages tell of the warehouse's records, as JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from nightschool.app.archive import Learning, Life
from nightschool.types import TEXT, Document
from nightschool.types.people import Caller
from nightschool.warehouse.archive import FoundAnswer, FoundContext
from nightschool.web.answers import content
from nightschool.web.veil import veiled


def shown(document: Document | None) -> str | None:
    """A document in words; a drawing or a trajectory by its kind."""
    if document is None:
        return None
    if document.kind == TEXT:
        return document.body
    try:
        return str(content(document)["text"])
    except (KeyError, ValueError, TypeError):
        return f"({document.kind})"


def told_answer(found: FoundAnswer, who: Caller) -> dict[str, Any]:
    """An answer with what was asked, as JSON and as somebody may see it."""
    answer, question = found.answer, found.question
    taken = found.retraction
    told = {
        "seq": found.seq,
        "id": answer.id,
        "record": f"{question.context.id:016x}",
        "context": shown(question.context.document),
        "group": question.context.group,
        "source": question.context.source,
        "partition": question.partition.value,
        "person": answer.person,
        "reply": answer.reply.value,
        "text": shown_answer(answer.document),
        "note": answer.note,
        "seconds": answer.seconds,
        "at": answer.at,
        "settles": answer.settles,
        "question": question.id,
        "strategy": question.strategy,
        "score": question.score,
        "version": question.version,
        "night": question.night,
        "retracted": None
        if taken is None
        else {
            "why": taken.why.value,
            "person": taken.person,
            "at": taken.at,
            "reason": taken.reason,
        },
    }
    return veiled(told, who)


def shown_answer(document: Document | None) -> str | None:
    """An answer in words; what is no text by its kind."""
    if document is None or document.kind == TEXT:
        return document.body if document is not None else None
    return f"({document.kind})"


def told_context(found: FoundContext) -> dict[str, Any]:
    """A context, as JSON."""
    return {
        "id": f"{found.context.id:016x}",
        "record": f"{found.context.id:016x}",
        "context": shown(found.context.document),
        "group": found.context.group,
        "source": found.context.source,
        "partition": found.partition.value,
        "questions": found.questions,
        "answers": found.answers,
    }


def told_life(life: Life, who: Caller) -> dict[str, Any]:
    """One record's whole life, as JSON and as somebody may see it."""
    context = life.traces.context
    replied = Counter(
        found.question.id
        for found in life.traces.answers
        if found.retraction is None and not found.answer.settles
    )
    return {
        "id": f"{context.id:016x}",
        "context": shown(context.document),
        "group": context.group,
        "source": context.source,
        "partition": life.traces.partition.value,
        "questions": [
            {
                "id": q.id,
                "night": q.night,
                "strategy": q.strategy,
                "score": q.score,
                "version": q.version,
                "wanted": q.wanted,
                "replied": replied[q.id],
                "guess": q.guess,
            }
            for q in life.traces.questions
        ],
        "answers": [told_answer(each, who) for each in life.traces.answers],
        "examples": [told_learning(each) for each in life.learned],
        "exams": [
            {"night": s.night, "version": s.version, "marks": {m.name: m.value for m in s.marks}}
            for s in life.sat
        ],
    }


def told_learning(learning: Learning) -> dict[str, Any]:
    """An example and where it went, as JSON."""
    example = learning.example
    return {
        "id": example.id,
        "answer": shown_answer(example.target),
        "weight": example.weight,
        "night": example.night,
        "answers": list(example.answers),
        "segment": learning.segment,
        "manifests": list(learning.manifests),
        "versions": list(learning.versions),
        "left_out": list(learning.left_out),
        "before": learning.before,
        "before_version": learning.before_version,
    }
