"""Long things in short pieces, so that memory and transactions stay bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

LISTED = 500
"""Values in one IN (...); databases limit them."""


def batches(items: Iterable[T], count: int) -> Iterator[list[T]]:
    """The items in lists of at most `count`."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == count:
            yield batch
            batch = []
    if batch:
        yield batch
