"""Versions: where each comes from, what it learned, and how it did in the exam, item by item."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nightschool.types import (
    TEXT,
    Context,
    Decision,
    Document,
    ExamItem,
    ExamResult,
    Learner,
    Manifest,
    Mark,
    Verdict,
    Version,
    WarehouseError,
)
from nightschool.warehouse import Reign, Warehouse
from nightschool.warehouse.lineage import succession
from nightschool.warehouse.segments import ANSWERS

EXACT = "exact"
"""The mark that says right or wrong, where an exam gives it; else half a mark is right."""

WORDS = 60
"""Items of which both versions are asked what they say, those that changed most."""


@dataclass(frozen=True)
class Line:
    """A version in the list: where it comes from and how it did.

    `score` is its mean mark in the newest exam that it sat (None before any), over `items`;
    `examples` is how many it learned from. `serves` since the reign `reign`; `there` says whether
    its weights still are. `erased` names (by pseudonym) whose answers it had learned that were
    erased since.
    """

    version: Version
    examples: int
    score: float | None
    items: int
    serves: bool
    reign: Reign | None
    verdict: Verdict | None
    there: bool
    erased: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """An exam item and what two versions made of it: marks in [0, 1], before and after.

    `context` is None for one that is not kept any more. `was_right` and `is_right` are None where
    the version did not sit it.
    """

    id: str
    context: Document | None
    accepted: tuple[Document, ...]
    group: str
    before: float | None
    after: float | None
    was_right: bool | None
    is_right: bool | None

    @property
    def change(self) -> str:
        """won, lost or same: whether the version turned it from wrong to right or back."""
        if self.was_right is None or self.is_right is None or self.was_right == self.is_right:
            return "same"
        return "won" if self.is_right else "lost"


@dataclass(frozen=True)
class Page:
    """All about one version; `items` compare it with `against`, what changed most first.

    `against` is "" where no other version sat the same exam. `night` is the one of that exam.
    """

    line: Line
    manifest: Manifest
    excluded: int
    children: tuple[str, ...]
    reigns: tuple[Reign, ...]
    against: str
    others: tuple[str, ...]
    night: int
    items: tuple[Item, ...]

    def of(self, change: str) -> list[Item]:
        """The items that were won, lost or stayed the same."""
        return [item for item in self.items if item.change == change]


class Versions:
    """The versions of one school."""

    def __init__(
        self,
        warehouse: Warehouse,
        bank: Callable[[], Sequence[ExamItem]],
        learner: Callable[[Version], Learner],
        touched: Callable[[], Mapping[str, tuple[str, ...]]],
    ) -> None:
        self._warehouse = warehouse
        self._bank = bank
        self._learner = learner
        self._touched = touched
        self._loading = threading.Lock()

    def every(self) -> list[Line]:
        """All versions, the newest first."""
        reigns = self._warehouse.champions()
        champion = self._warehouse.champion().id
        verdicts = {v.challenger: v for v in self._warehouse.verdicts() if _of_challenger(v)}
        sizes = {m.hash: _size(m) for m in self._warehouse.manifests()}
        scores = self._scores()
        touched = self._touched()
        return [
            self._line(version, reigns, champion, verdicts, sizes, scores, touched)
            for version in reversed(self._warehouse.versions())
        ]

    def _scores(self) -> dict[str, tuple[float, int]]:
        """Each version's newest score and number of items; verdicts say it without the marks."""
        found: dict[str, tuple[float, int]] = {}
        for verdict in self._warehouse.verdicts():
            for version, value in (
                (verdict.champion, verdict.before),
                (verdict.challenger, verdict.after),
            ):
                if math.isfinite(value) and verdict.items:
                    found[version] = (value, verdict.items)
        return found

    def _line(
        self,
        version: Version,
        reigns: Sequence[Reign],
        champion: str,
        verdicts: Mapping[str, Verdict],
        sizes: Mapping[str, int],
        scores: Mapping[str, tuple[float, int]],
        touched: Mapping[str, tuple[str, ...]],
    ) -> Line:
        score, items = scores.get(version.id, (None, 0))
        own = [reign for reign in reigns if reign.version == version.id]
        return Line(
            version=version,
            examples=sizes.get(version.manifest, 0),
            score=score,
            items=items,
            serves=version.id == champion,
            reign=own[-1] if own else None,
            verdict=verdicts.get(version.id),
            there=self._there(version),
            erased=touched.get(version.id, ()),
        )

    def _there(self, version: Version) -> bool:
        try:
            self._warehouse.weights_path(version)
        except WarehouseError:
            return False
        return True

    def page(self, version_id: str, against: str = "") -> Page:
        """All about a version, beside `against` or the champion of the night that examined it.

        Raises WarehouseError for a version that there is not.
        """
        version = self._warehouse.version(version_id)
        line = next(each for each in self.every() if each.version.id == version_id)
        manifest = self._warehouse.manifest(version.manifest)
        sat = self._sat(version_id)
        others = {o: pair for pair in sat for o in pair[1] if o != version_id}
        chosen = against if against in others else self._champion_of(line, others)
        night, results = others.get(chosen, sat[-1] if sat else (0, {}))
        after = results.get(version_id) or self._own(version_id)
        return Page(
            line=line,
            manifest=manifest,
            excluded=len(manifest.excluded),
            children=tuple(
                v.id
                for v in self._warehouse.versions()
                if v.parent == version_id and v.id != version_id
            ),
            reigns=tuple(r for r in self._warehouse.champions() if r.version == version_id),
            against=chosen,
            others=tuple(others),
            night=night,
            items=self._items(results.get(chosen), after),
        )

    def _sat(self, version_id: str) -> list[tuple[int, dict[str, ExamResult]]]:
        """Nights in which the version sat an exam with others: each one's result of that bank."""
        found = []
        for verdict in self._warehouse.verdicts():
            if version_id not in (verdict.champion, verdict.challenger):
                continue
            results = [r for r in self._warehouse.results(verdict.night) if r.by_item]
            own = next((r for r in results if r.version == version_id), None)
            if own is not None:
                same = {r.version: r for r in results if r.bank == own.bank}
                found.append((verdict.night, same))
        return [(night, same) for night, same in found if len(same) > 1] or found

    def _champion_of(self, line: Line, others: Mapping[str, object]) -> str:
        """Whom the version had to beat, or (for a champion of old) who came to beat it."""
        verdict = line.verdict
        if verdict is not None and verdict.champion != line.version.id:
            return verdict.champion if verdict.champion in others else ""
        return line.version.parent if line.version.parent in others else ""

    def _own(self, version_id: str) -> ExamResult | None:
        results = [r for r in self._warehouse.results(version=version_id) if r.by_item]
        return results[-1] if results else None

    def _items(self, before: ExamResult | None, after: ExamResult | None) -> tuple[Item, ...]:
        if after is None:
            return ()
        bank = {item.id: item for item in self._bank()}
        ids = list(after.by_item)
        lost = [int(name, 16) for name in ids if name not in bank and _is_id(name)]
        contexts = self._warehouse.archive.some(lost)
        was, now = _Marks(before), _Marks(after)
        items = [_item(name, bank.get(name), contexts, was, now) for name in ids]
        return tuple(sorted(items, key=lambda i: (-abs(_moved(i)), i.id)))

    def earlier(self) -> str | None:
        """The champion to which rolling back would return; None without one."""
        line = succession([reign.version for reign in self._warehouse.champions()])
        return line[-2] if len(line) > 1 else None

    def said(self, version_id: str, against: str = "") -> dict[str, tuple[str, str]]:
        """What both versions say to the items that changed most: (before, after) by item.

        Slow: it loads both. Raises WarehouseError where weights are gone.
        """
        page = self.page(version_id, against)
        changed = [*page.of("won"), *page.of("lost")][:WORDS]
        items = [item for item in changed if item.context is not None]
        contexts = [Context(item.context, "exam", item.group) for item in items if item.context]
        if not contexts or not page.against:
            return {}
        with self._loading:  # one at a time: each holds a model
            before, after = (
                self._learner(self._warehouse.version(name)).predict(contexts)
                for name in (page.against, version_id)
            )
        return {
            item.id: (_words(b), _words(a)) for item, b, a in zip(items, before, after, strict=True)
        }


class _Marks:
    """One version's marks by item; nothing where it did not sit."""

    def __init__(self, result: ExamResult | None) -> None:
        self.soft = result.by_item if result is not None else {}
        exact: list[Mark] = [m for m in result.marks if m.name == EXACT] if result else []
        self.exact = {mark.item: mark.value for mark in exact}
        self.groups = {mark.item: mark.group for mark in result.marks} if result else {}

    def mark(self, item: str) -> float | None:
        value = self.soft.get(item)
        return value if value is not None and math.isfinite(value) else None

    def right(self, item: str) -> bool | None:
        mark = self.mark(item)
        if mark is None:
            return None
        return self.exact.get(item, mark) >= 0.5


def _item(
    name: str,
    known: ExamItem | None,
    contexts: Mapping[int, Context],
    was: _Marks,
    now: _Marks,
) -> Item:
    context = known.context if known is not None else None
    if context is None and _is_id(name) and int(name, 16) in contexts:
        context = contexts[int(name, 16)].document
    return Item(
        id=name,
        context=context,
        accepted=known.accepted if known is not None else (),
        group=now.groups.get(name, ""),
        before=was.mark(name),
        after=now.mark(name),
        was_right=was.right(name),
        is_right=now.right(name),
    )


def _moved(item: Item) -> float:
    """How far the mark moved; what turned from wrong to right or back comes before the rest."""
    if item.before is None or item.after is None:
        return 0.0
    return (item.after - item.before) + {"won": 1.0, "lost": -1.0, "same": 0.0}[item.change]


def _is_id(name: str) -> bool:
    return len(name) == 16 and all(c in "0123456789abcdef" for c in name)


def _of_challenger(verdict: Verdict) -> bool:
    """Whether a verdict says something of its challenger: not where a night made no other one."""
    return verdict.champion != verdict.challenger or verdict.decision is not Decision.KEEP


def _size(manifest: Manifest) -> int:
    rows = sum(segment.rows for segment in manifest.segments if segment.role == ANSWERS)
    return max(0, rows - len(manifest.excluded))


def _words(document: Document) -> str:
    """What was said, as a person reads it; nothing for what is no text."""
    return document.body if document.kind == TEXT else f"({document.kind})"
