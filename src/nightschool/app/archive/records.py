"""One record's whole life: asked, answered, made an example, learned, examined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nightschool.exams.text import item_id
from nightschool.types import Example, Mark, Version
from nightschool.warehouse import Warehouse
from nightschool.warehouse.archive import FoundAnswer, FoundContext, Selection, Traces


@dataclass(frozen=True)
class Learning:
    """An example about the context, and the versions whose dataset holds it, oldest first.

    `segment` is the sha256 of its file and `manifests` those that name it. `before` is the mark
    of the version that was to learn it, before it did (None where it was not marked).
    `left_out` are the nights whose manifests exclude it.
    """

    example: Example
    segment: str
    manifests: Sequence[str]
    versions: Sequence[str]
    left_out: Sequence[int]
    before: float | None
    before_version: str


@dataclass(frozen=True)
class Sat:
    """One version's marks of the context as an exam item, in one night."""

    night: int
    version: str
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Life:
    """Everything that became of a context, oldest first."""

    traces: Traces
    learned: Sequence[Learning]
    sat: Sequence[Sat]


class Records:
    """The warehouse's records of one school, to search and to read."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def answers(
        self, chosen: Selection, before: int | None = None, n: int = 50
    ) -> Sequence[FoundAnswer]:
        """At most n answers of a selection, newest first, older than the place `before`."""
        return self._warehouse.archive.answers(chosen, before, n)

    def contexts(
        self, chosen: Selection, after: int | None = None, n: int = 50
    ) -> Sequence[FoundContext]:
        """At most n contexts of a selection, asked or not, by their ids from `after` on."""
        return self._warehouse.archive.contexts(chosen, after, n)

    def life(self, context_id: int) -> Life | None:
        """What became of a context, by its id; None where there is none."""
        traces = self._warehouse.archive.traces(context_id)
        if traces is None:
            return None
        learned = self._warehouse.archive.learned(traces.context.document)
        item = item_id(traces.context.document)
        fresh = {one.example.id for one in learned}
        marks = self._warehouse.archive.marks([item, *fresh])
        versions = self._warehouse.versions()
        before = {m.item: (version, m.value) for _, version, m in marks if m.item in fresh}
        learnings = [
            Learning(
                one.example,
                one.segment.sha256,
                [manifest.hash for manifest in one.manifests],
                holders(versions, [manifest.hash for manifest in one.manifests]),
                sorted(manifest.night for manifest in one.excluded_by),
                before.get(one.example.id, ("", None))[1],
                before.get(one.example.id, ("", None))[0],
            )
            for one in learned
        ]
        return Life(traces, learnings, _sat(marks, item))


def holders(versions: Sequence[Version], manifests: Sequence[str]) -> list[str]:
    """The versions whose dataset is one of these manifests, in the order of the lineage."""
    wanted = set(manifests)
    return [version.id for version in versions if version.manifest in wanted]


def _sat(marks: Sequence[tuple[int, str, Mark]], item: str) -> list[Sat]:
    found: dict[tuple[int, str], list[Mark]] = {}
    for night, version, mark in marks:
        if mark.item == item:
            found.setdefault((night, version), []).append(mark)
    return [Sat(night, version, own) for (night, version), own in found.items()]
