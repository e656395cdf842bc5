"""The owner's test file as it is kept: JSON lines in a blob of the warehouse."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from nightschool.exams.text import file_item, item_id
from nightschool.types import TEXT, Document, ExamItem


def encode(items: Iterable[ExamItem]) -> bytes:
    """Items as JSON lines, in order of their ids: equal files have equal bytes.

    A document that is no text is an object with its kind; its parts are in it, in base64.
    """
    rows = (
        {
            "context": _pack(item.context),
            "answers": list(map(_pack, item.accepted)),
            "group": item.group,
            **({} if item.source == "file" else {"source": item.source}),
        }
        for item in sorted(items, key=lambda item: item.id)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def decode(data: bytes) -> list[ExamItem]:
    """The items of what `encode` made."""
    # Not splitlines: a context may hold a line separator of Unicode's.
    return [_item(json.loads(line)) for line in data.decode().split("\n") if line]


def _item(row: Mapping[str, Any]) -> ExamItem:
    if isinstance(row["context"], str):
        return file_item(row["context"], row["answers"], row["group"])
    context = _unpack(row["context"])
    accepted = tuple(map(_unpack, row["answers"]))
    source = row.get("source", "file")
    return ExamItem(item_id(context), context, accepted, row["group"], source)


def _pack(document: Document) -> str | dict[str, Any]:
    if document.kind == TEXT and not document.blobs:
        return document.body
    parts = {
        name: base64.b64encode(document.parts[name]).decode() for name in sorted(document.blobs)
    }
    packed = {"kind": document.kind, "body": document.body}
    return {**packed, "parts": parts} if parts else packed


def _unpack(packed: str | Mapping[str, Any]) -> Document:
    if isinstance(packed, str):
        return Document(packed)
    parts = {name: base64.b64decode(data) for name, data in packed.get("parts", {}).items()}
    return Document(packed["body"], packed["kind"], parts=parts)
