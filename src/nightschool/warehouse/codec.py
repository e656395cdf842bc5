"""Records to rows and back: JSON that is canonical, so that equal records have equal hashes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import Enum
from typing import Any

from sqlalchemy import Row

from nightschool.types import (
    Answer,
    Context,
    Decision,
    Document,
    ExamResult,
    Look,
    Manifest,
    Mark,
    Partition,
    Question,
    Recipe,
    Reply,
    Segment,
    Verdict,
    Version,
)


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces; numbers that JSON lacks (nan) become null."""
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256(data: bytes) -> str:
    """The sha256 of bytes, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [_plain(part) for part in value]
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return _plain(value.tolist())
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")


def pack_blobs(blobs: Mapping[str, str]) -> str | None:
    """The large parts of a document as JSON; None when it has none."""
    return canonical(blobs) if blobs else None


def unpack_blobs(packed: str | None) -> Mapping[str, str]:
    """The reverse of `pack_blobs`."""
    return json.loads(packed) if packed else {}


def context_row(context: Context, partition: Partition) -> dict[str, Any]:
    """A context as a row of `contexts`."""
    return {
        "id": context.id,
        "kind": context.document.kind,
        "body": context.document.body,
        "blobs": pack_blobs(context.document.blobs),
        "source": context.source,
        "grp": context.group,
        "partition": partition.value,
    }


def to_context(row: Row[Any]) -> Context:
    """A context from a row with the columns of `contexts`."""
    document = Document(row.body, row.kind, unpack_blobs(row.blobs))
    return Context(document, row.source, row.grp)


def to_question(row: Row[Any]) -> Question:
    """A question from a row of `questions` joined with its context's columns."""
    return Question(
        id=row.question_id,
        context=to_context(row),
        partition=Partition(row.partition),
        strategy=row.strategy,
        score=row.score,
        version=row.version,
        night=row.night,
        rank=row.rank,
        wanted=row.wanted,
        guess=row.guess,
    )


def answer_row(answer: Answer, context_id: int) -> dict[str, Any]:
    """An answer as a row of `answers`."""
    document = answer.document
    return {
        "id": answer.id,
        "question_id": answer.question_id,
        "context_id": context_id,
        "person": answer.person,
        "reply": answer.reply.value,
        "kind": document.kind if document else None,
        "body": document.body if document else None,
        "blobs": pack_blobs(document.blobs) if document else None,
        "seconds": float(answer.seconds),
        "at": float(answer.at),
        "note": answer.note,
        "settles": answer.settles,
    }


def to_answer(row: Row[Any]) -> Answer:
    """An answer from a row of `answers`."""
    document = None
    if row.body is not None:
        document = Document(row.body, row.kind, unpack_blobs(row.blobs))
    return Answer(
        id=row.id,
        question_id=row.question_id,
        person=row.person,
        reply=Reply(row.reply),
        document=document,
        seconds=row.seconds,
        at=row.at,
        note=row.note,
        settles=bool(row.settles),
    )


def version_row(version: Version) -> dict[str, Any]:
    """A version as a row of `versions`."""
    values = {name: getattr(version, name) for name in Version.__dataclass_fields__}
    recipe = {"learner": version.recipe.learner, "settings": version.recipe.settings}
    return {**values, "recipe": canonical(recipe)}


def to_version(row: Row[Any]) -> Version:
    """A version from a row of `versions`."""
    values = dict(row._mapping)
    return Version(**{**values, "recipe": Recipe(**json.loads(row.recipe))})


def pack_manifest(manifest: Manifest) -> str:
    """A manifest's canonical JSON, of which its hash is the sha256 (the hash is not in it)."""
    body = asdict(manifest)
    del body["hash"]
    return canonical(body)


def unpack_manifest(packed: str) -> Manifest:
    """The reverse of `pack_manifest`."""
    body = json.loads(packed)
    return Manifest(
        hash=sha256(packed.encode()),
        night=body["night"],
        segments=tuple(Segment(**segment) for segment in body["segments"]),
        excluded=tuple(body["excluded"]),
        note=body["note"],
    )


def pack_result(result: ExamResult) -> str:
    """An exam result as JSON."""
    return canonical(asdict(result))


def unpack_result(packed: str) -> ExamResult:
    """The reverse of `pack_result`; a mark that was not a number comes back as nan."""
    body = json.loads(packed)
    marks = tuple(Mark(**{**mark, "value": _number(mark["value"])}) for mark in body["marks"])
    return ExamResult(**{**body, "marks": marks})


def pack_verdict(verdict: Verdict) -> str:
    """A verdict as JSON."""
    body = {name: getattr(verdict, name) for name in Verdict.__dataclass_fields__}
    return canonical({**body, "look": asdict(verdict.look) if verdict.look else None})


def unpack_verdict(packed: str) -> Verdict:
    """The reverse of `pack_verdict`; nan outside `evidence` comes back as nan."""
    body = json.loads(packed)
    numbers = {name: _number(body[name]) for name in ("before", "after", "p_better", "p_worse")}
    look = Look(**body["look"]) if body["look"] else None
    return Verdict(**{**body, **numbers, "decision": Decision(body["decision"]), "look": look})


def _number(value: float | None) -> float:
    return math.nan if value is None else value
