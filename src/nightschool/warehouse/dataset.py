"""The dataset that a manifest names, as a trainee reads it; and the manifests themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from nightschool.faults import reach
from nightschool.types import Context, Document, Example, Manifest, Segment, WarehouseError
from nightschool.warehouse import disk, tables
from nightschool.warehouse.batches import batches
from nightschool.warehouse.codec import pack_manifest, sha256, unpack_manifest
from nightschool.warehouse.dialect import insert_once
from nightschool.warehouse.parts import Parts
from nightschool.warehouse.segments import (
    ANSWERS,
    ORIGINAL,
    SEGMENT_ROWS,
    Rows,
    Segments,
    document_row,
    example_row,
    sample,
    to_document,
    to_example,
)


class StoredDataset:
    """Tonight's examples in memory; earlier ones and the original data by bounded samples.

    `fresh` are the segments whose examples are new tonight; other segments of answers are
    earlier ones. The new ones come in the order of what they say, and samples depend on nothing but
    their seed and the rows: of two schools with the same answers, one of which also had others
    that were withdrawn, a rebuild makes the same model.
    """

    def __init__(
        self, store: Segments, parts: Parts, manifest: Manifest, fresh: Iterable[Segment]
    ) -> None:
        self.manifest = manifest
        self._store = store
        self._parts = parts
        self._excluded = frozenset(manifest.excluded)
        names = {segment.sha256 for segment in fresh}
        answers = [segment for segment in manifest.segments if segment.role == ANSWERS]
        self._earlier = [segment for segment in answers if segment.sha256 not in names]
        self._original = [segment for segment in manifest.segments if segment.role == ORIGINAL]
        rows = (
            row
            for segment in answers
            if segment.sha256 in names
            for row in store.rows(segment)
            if row["id"] not in self._excluded
        )
        self.new: Sequence[Example] = sorted(map(self._example, rows), key=_place)

    def earlier(self, n: int, seed: int) -> Sequence[Example]:
        """At most n distinct examples of former nights, drawn uniformly, exclusions left out."""
        key = _key(ANSWERS, seed)
        return sample(self._store, self._earlier, self._excluded, n, key, self._example)

    def original(self, n: int, seed: int) -> Sequence[Document]:
        """At most n distinct documents of the original dataset, drawn uniformly."""
        key = _key(ORIGINAL, seed)
        return sample(self._store, self._original, self._excluded, n, key, self._document)

    def _example(self, row: Rows) -> Example:
        return self._parts.example(to_example(row))

    def _document(self, row: Rows) -> Document:
        return self._parts.document(to_document(row))


def _place(example: Example) -> tuple[str, bytes, str, bytes, float]:
    """By what an example says: its id would tell of its answers' ids, which are random."""
    said, given = example.context, example.target
    return said.body, said.digest, given.body, given.digest, example.weight


def _key(role: str, seed: int) -> int:
    """What a sample is drawn by: not the manifest, whose hash tells of all that was ever there."""
    return int(sha256(f"{role}:{seed}".encode())[:16], 16)


def new_manifest(
    night: int, segments: Sequence[Segment], excluded: Iterable[str], note: str
) -> Manifest:
    """A manifest, with the hash that its canonical JSON has."""
    body = Manifest("", night, tuple(segments), tuple(sorted(excluded)), note)
    return unpack_manifest(pack_manifest(body))


def seal_examples(
    store: Segments, base: Manifest, examples: Sequence[Example], night: int
) -> Manifest:
    """The manifest of a night: `base`, one segment with the examples it lacks, exclusions.

    Returns `base` itself when it holds exactly these examples. Writes the segment, not the
    manifest.
    """
    known = {
        name
        for segment in base.segments
        if segment.role == ANSWERS
        for name in store.column(segment, "id")
    }
    current = {example.id: example for example in examples}
    excluded = sorted(known - current.keys())
    new = [example for name, example in current.items() if name not in known]
    kept = tuple(map(store.now, base.segments))
    if not new and tuple(excluded) == base.excluded and kept == base.segments:
        return base
    added = [store.write(map(example_row, new), ANSWERS, night)] if new else []
    return new_manifest(night, [*kept, *added], excluded, base.note)


def seal_documents(
    store: Segments, parts: Parts, documents: Iterable[Document], note: str
) -> Manifest:
    """The manifest of night 0: the original dataset, each document once, in large segments."""

    def kept() -> Iterator[Rows]:
        for document in documents:
            parts.put(document)
            yield document_row(document)

    groups = batches(_distinct(kept()), SEGMENT_ROWS)
    return new_manifest(0, [store.write(group, ORIGINAL, 0) for group in groups], (), note)


def _distinct(rows: Iterable[Rows]) -> Iterator[Rows]:
    seen: set[int] = set()  # 64 bits of each hash: a million documents in some 60 MB
    for row in rows:
        key = int(row["id"][:16], 16)
        if key not in seen:
            seen.add(key)
            yield row


class Manifests:
    """Manifests as files named by their hash, and the same text in the log."""

    def __init__(self, school: Path) -> None:
        self.folder = school / "manifests"

    def path(self, name: str) -> Path:
        """The file of a manifest."""
        return self.folder / f"{name}.json"

    def write(self, manifest: Manifest) -> None:
        """Write the manifest's file; its content has the sha256 that is its name."""
        if not self.path(manifest.hash).exists():
            disk.write(self.path(manifest.hash), pack_manifest(manifest).encode())
        reach("manifest.written")


def record(connection: Connection, manifest: Manifest) -> None:
    """Put a manifest in the log; harmless when it is there."""
    row = {"hash": manifest.hash, "night": manifest.night, "body": pack_manifest(manifest)}
    connection.execute(insert_once(connection, tables.manifests), row)


def find(connection: Connection, name: str) -> Manifest:
    """The manifest with that hash; raises WarehouseError when the log has none."""
    manifests = tables.manifests
    body = connection.execute(select(manifests.c.body).where(manifests.c.hash == name)).scalar()
    if body is None:
        raise WarehouseError(
            f"The log has no manifest {name!r}; `nightschool doctor` lists what is damaged."
        )
    return unpack_manifest(body)


def every(connection: Connection) -> list[Manifest]:
    """Every manifest in the log, oldest first."""
    manifests = tables.manifests
    rows = connection.execute(
        select(manifests.c.body).order_by(manifests.c.night, manifests.c.hash)
    )
    return [unpack_manifest(row.body) for row in rows]


def trained(store: Segments, manifests: Iterable[Manifest]) -> set[int]:
    """Ids of the contexts that any version may have learned, whatever became of the answers."""
    segments = {s.sha256: s for m in manifests for s in m.segments if s.role == ANSWERS}
    rows = (row for segment in segments.values() for row in store.rows(segment))
    return {Context(to_example(row).context).id for row in rows}
