"""The artist's starter and a simulated artist, who draws from digits that no one else has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nightschool.app import parts
from nightschool.app.init import init_school
from nightschool.app.school import School
from nightschool.app.simulation import Measure
from nightschool.app.tasks import DrawingTask
from nightschool.app.tasks.drawing import drawn_items
from nightschool.types import ExamItem, Oracle, Progress, Version

HIDDEN_SEED = 1_000_003


@dataclass(frozen=True)
class DrawingPlan:
    """A school that draws; its hidden exam holds captions of the pool, and some of none.

    `sheets` is how often a caption may be drawn; `hidden` is how many held-out drawings of each
    caption the hidden exam has.
    """

    strategy: str
    seed: int
    nights: int = 10
    answers: int = 10
    sheets: int = 8
    hidden: int = 4

    def build(self, folder: Path, progress: Progress | None = None) -> Measure:
        """The starter's school; the hidden exam is drawn from held-out digits of its own seed."""
        init_school(
            folder,
            DrawingTask(sheets=self.sheets),
            settings={
                "strategy": self.strategy,
                "questions": self.answers,
                "oracle": "artist",
                "seed": self.seed,
            },
            progress=progress,
        )
        return HiddenDrawings(self.seed, self.hidden)

    def oracle(self, school: School) -> Oracle:
        """The simulated artist."""
        return parts.oracle("artist", seed=self.seed)


@dataclass(frozen=True)
class HiddenDrawings:
    """The marks of the drawing exam on a hidden one, as means by group: "unknown recognised".

    Groups are the captions that the base knew, those of the pool that it did not, and those that
    are in no pool ("apart").
    """

    seed: int
    each: int
    references: int = 24
    _items: list[ExamItem] = field(default_factory=list)

    def items(self) -> Sequence[ExamItem]:
        """The hidden items, with references of their own for the judges; made once."""
        if not self._items:
            from nightschool.starter import artist

            captions = [*artist.captions(), *artist.apart()]
            seed = HIDDEN_SEED + self.seed
            self._items.extend(
                drawn_items(captions, self.references, artist.Split.JUDGES, seed, "reference")
            )
            self._items.extend(
                drawn_items(captions, self.each, artist.Split.HELD_OUT, seed, "hidden")
            )
        return self._items

    def __call__(self, school: School, version: Version) -> dict[str, float]:
        """Mean marks of one version, by group and name; "all" is recognition by both judges."""
        found: dict[str, list[float]] = {}
        for mark in school.exam.sit(school.learner(version), self.items()):
            found.setdefault(f"{mark.group} {mark.name}".strip(), []).append(mark.value)
        means = {name: sum(values) / len(values) for name, values in sorted(found.items())}
        return {"all": means["unknown recognised"], **means}
