"""The owner's test file as it is kept: JSON lines in a blob of the warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterable

from nightschool.exams.text import file_item
from nightschool.types import ExamItem


def encode(items: Iterable[ExamItem]) -> bytes:
    """Items as JSON lines, in order of their ids: equal files have equal bytes."""
    rows = (
        {"context": i.context.body, "answers": [a.body for a in i.accepted], "group": i.group}
        for i in sorted(items, key=lambda item: item.id)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def decode(data: bytes) -> list[ExamItem]:
    """The items of what `encode` made."""
    # Not splitlines: a context may hold a line separator of Unicode's.
    rows = map(json.loads, filter(None, data.decode().split("\n")))
    return [file_item(row["context"], row["answers"], row["group"]) for row in rows]
