"""Segments: immutable Parquet files of examples and documents, and bounded samples of them.

Only an erasure puts another file in the place of one.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nightschool.faults import reach
from nightschool.types import Document, Example, Segment, WarehouseError
from nightschool.warehouse import disk
from nightschool.warehouse.batches import batches
from nightschool.warehouse.codec import canonical, sha256
from nightschool.warehouse.files import file_sha256
from nightschool.warehouse.heirs import Heir

T = TypeVar("T")

Rows = dict[str, Any]

ORIGINAL = "original"
ANSWERS = "answers"

GROUP_ROWS = 1_000
"""Rows that are read together: a sample of n rows reads at most n such groups."""

SEGMENT_ROWS = 100_000
"""Rows of the original dataset in one file."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("context", pa.string(), nullable=False),
        pa.field("target", pa.string()),
        pa.field("context_kind", pa.string(), nullable=False),
        pa.field("target_kind", pa.string()),
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("answers", pa.list_(pa.string()), nullable=False),
        pa.field("night", pa.int64(), nullable=False),
        pa.field("group", pa.string(), nullable=False),
        pa.field("blobs", pa.string()),
    ]
)


def example_row(example: Example) -> Rows:
    """An example as a row; its large parts are JSON: {"context": {...}, "target": {...}}."""
    return {
        "id": example.id,
        "context": example.context.body,
        "target": example.target.body,
        "context_kind": example.context.kind,
        "target_kind": example.target.kind,
        "weight": float(example.weight),
        "answers": list(example.answers),
        "night": example.night,
        "group": example.group,
        "blobs": _pack(context=example.context, target=example.target),
    }


def to_example(row: Rows) -> Example:
    """An example from its row."""
    blobs = json.loads(row["blobs"]) if row["blobs"] else {}
    return Example(
        id=row["id"],
        context=Document(row["context"], row["context_kind"], blobs.get("context", {})),
        target=Document(row["target"], row["target_kind"], blobs.get("target", {})),
        weight=row["weight"],
        answers=tuple(row["answers"]),
        night=row["night"],
        group=row["group"],
    )


def document_row(document: Document) -> Rows:
    """A document of the original dataset as a row without a target; its id hashes it exactly."""
    exact = canonical([document.kind, document.body, document.blobs])
    return {
        "id": sha256(exact.encode()),
        "context": document.body,
        "target": None,
        "context_kind": document.kind,
        "target_kind": None,
        "weight": 1.0,
        "answers": [],
        "night": 0,
        "group": "",
        "blobs": _pack(context=document),
    }


def to_document(row: Rows) -> Document:
    """A document of the original dataset from its row."""
    blobs = json.loads(row["blobs"]) if row["blobs"] else {}
    return Document(row["context"], row["context_kind"], blobs.get("context", {}))


def _pack(**documents: Document) -> str | None:
    blobs = {name: part.blobs for name, part in documents.items() if part.blobs}
    return canonical(blobs) if blobs else None


class Segments:
    """The folder of segments: it only ever gains files, and a file never changes."""

    def __init__(self, school: Path, heir: Callable[[str], Heir | None] = lambda _: None) -> None:
        self.folder = school / "segments"
        self._heir = heir

    def now(self, segment: Segment) -> Segment:
        """The segment as it is kept now: itself, or what an erasure left of it."""
        if (self.folder / f"{segment.sha256}.parquet").is_file():
            return segment
        heir = self._heir(segment.sha256)
        return replace(segment, sha256=heir.sha256, rows=heir.rows) if heir else segment

    def path(self, segment: Segment) -> Path:
        """The segment's file; raises WarehouseError when it is missing."""
        path = self.folder / f"{self.now(segment).sha256}.parquet"
        if not path.is_file():
            raise WarehouseError(f"The segment {path} is missing; restore it from a backup.")
        return path

    def write(self, rows: Iterable[Rows], role: str, night: int) -> Segment:
        """Write one segment, row group by row group, so that memory stays bounded."""
        new = disk.temporary(self.folder)
        count = 0
        with pq.ParquetWriter(new, SCHEMA, compression="zstd") as writer:
            for group in batches(rows, GROUP_ROWS):
                writer.write_table(pa.Table.from_pylist(group, schema=SCHEMA))
                count += len(group)
        disk.sync(new)
        name = file_sha256(new)
        reach("segment.written")
        disk.put(new, self.folder / f"{name}.parquet")
        reach("segment.renamed")
        return Segment(name, role, count, night)

    def column(self, segment: Segment, name: str) -> list[Any]:
        """One column of a segment, in the order of its rows."""
        values: list[Any] = pq.read_table(self.path(segment), columns=[name])[name].to_pylist()
        return values

    def rows(self, segment: Segment) -> Iterator[Rows]:
        """Every row of a segment, in order."""
        with pq.ParquetFile(self.path(segment)) as file:
            for batch in file.iter_batches(GROUP_ROWS):
                yield from batch.to_pylist()

    def pick(self, segments: Sequence[Segment], numbers: Sequence[int]) -> list[Rows]:
        """The rows with these numbers (counted through all the segments), in the order given.

        Reads the row groups that hold them and no others.
        """
        segments = list(map(self.now, segments))
        ends = list(accumulate(segment.rows for segment in segments))
        wanted: dict[int, list[int]] = {}
        for number in numbers:
            wanted.setdefault(bisect_right(ends, number), []).append(number)
        found: dict[int, Rows] = {}
        for place, members in wanted.items():
            start = ends[place] - segments[place].rows
            inside = [number - start for number in members]
            for number, row in self._pick_inside(segments[place], inside).items():
                found[start + number] = row
        return [found[number] for number in numbers]

    def _pick_inside(self, segment: Segment, numbers: Sequence[int]) -> dict[int, Rows]:
        groups: dict[int, list[int]] = {}
        for number in numbers:
            groups.setdefault(number // GROUP_ROWS, []).append(number)
        found: dict[int, Rows] = {}
        with pq.ParquetFile(self.path(segment)) as file:
            for group, members in groups.items():
                table = file.read_row_group(group)
                inside = [number - group * GROUP_ROWS for number in members]
                found.update(zip(members, table.take(inside).to_pylist(), strict=True))
        return found


def sample(
    store: Segments,
    segments: Sequence[Segment],
    excluded: Collection[str],
    n: int,
    seed: int,
    read: Callable[[Rows], T],
) -> list[T]:
    """At most n distinct rows, drawn uniformly from the segments; excluded ids are left out."""
    segments = list(map(store.now, segments))
    total = sum(segment.rows for segment in segments)
    if n <= 0 or total == 0:
        return []
    rng = np.random.default_rng(seed)
    # Enough for n even if every excluded row were drawn; they are read only as far as needed.
    order = rng.choice(total, size=min(total, n + len(excluded)), replace=False).tolist()
    kept: list[T] = []
    while order and len(kept) < n:
        now, order = order[: n - len(kept)], order[n - len(kept) :]
        rows = store.pick(segments, now)
        kept.extend(read(row) for row in rows if row["id"] not in excluded)
    return kept
