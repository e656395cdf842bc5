"""The artist's starter and a simulated artist, who draws from digits that no one else has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from nightschool.app import parts
from nightschool.app.init import init_school
from nightschool.app.school import School
from nightschool.app.simulation import Measure
from nightschool.app.tasks import DrawingTask
from nightschool.app.tasks.drawing import drawn_items
from nightschool.exams.drawing import SIDE
from nightschool.exams.judges import nearest_ratio
from nightschool.types import (
    PICTURE,
    Context,
    Document,
    ExamItem,
    Oracle,
    Picture,
    Progress,
    Version,
    caption_of,
    decode_picture,
    normalise,
)

HIDDEN_SEED = 1_000_003


@dataclass(frozen=True)
class DrawingPlan:
    """A school that draws; its hidden exam holds captions of the pool, and some of none.

    `sheets` is how often a caption may be drawn; `hidden` is how many held-out drawings of each
    caption the hidden exam has. Not `examined`, no gate ever promotes.
    `measured_of` are the numbers of the versions that sit the hidden exam: all by default.
    """

    strategy: str
    seed: int
    nights: int = 10
    answers: int = 10
    sheets: int = 8
    hidden: int = 4
    examined: bool = True
    measured_of: tuple[int, ...] | None = None

    def build(self, folder: Path, progress: Progress | None = None) -> Measure:
        """The starter's school; the hidden exam is drawn from held-out digits of its own seed."""
        init_school(
            folder,
            DrawingTask(sheets=self.sheets, examined=self.examined),
            settings={
                "strategy": self.strategy,
                "questions": self.answers,
                "oracle": "artist",
                "seed": self.seed,
            },
            progress=progress,
        )
        return HiddenDrawings(self.seed, self.hidden, measured_of=self.measured_of)

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
    measured_of: tuple[int, ...] | None = None
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
        if self.measured_of is not None and version.number not in self.measured_of:
            return {"all": float("nan")}
        found: dict[str, list[float]] = {}
        for mark in school.exam.sit(school.learner(version), self.items()):
            found.setdefault(f"{mark.group} {mark.name}".strip(), []).append(mark.value)
        found |= self._losses(cast(Denoiser, school.learner(version)))
        means = {name: sum(values) / len(values) for name, values in sorted(found.items())}
        means |= self._copied(school, version)
        return {"all": means["unknown recognised"], **means}

    def _marked(self) -> list[ExamItem]:
        return [item for item in self.items() if item.source == "hidden"]

    def _losses(self, learner: Denoiser) -> dict[str, list[float]]:
        """Denoising losses of the hidden drawings, by group."""
        items = self._marked()
        captions = [caption_of(item.context) for item in items]
        pictures = np.stack([pixels(item.accepted[0]) for item in items])
        losses = learner.losses(captions, pictures, [Context(i.context).id for i in items])
        found: dict[str, list[float]] = {}
        for item, loss in zip(items, losses, strict=True):
            found.setdefault(f"{item.group} denoising loss", []).append(float(loss))
        return found

    def _copied(self, school: School, version: Version) -> dict[str, float]:
        """How near samples of unknown captions are to the nearest lesson, as a share of real ones.

        Lessons are the drawings that the version was taught; 0 is a copy of one.
        """
        manifest = school.warehouse.manifest(version.manifest)
        lessons = [e.target for e in school.warehouse.dataset(manifest).new]
        taught = {normalise(caption_of(d)) for d in lessons}
        items = [i for i in self._marked() if normalise(caption_of(i.context)) in taught]
        items = [i for i in items if i.group == "unknown"]
        if not items:
            return {}
        drawn = school.learner(version).predict([Context(i.context) for i in items])
        known = sorted(taught)
        ratios = nearest_ratio(
            np.stack([pixels(d) for d in drawn]),
            np.stack([pixels(i.accepted[0]) for i in items]),
            labels(known, [i.context for i in items]),
            np.stack([pixels(d) for d in lessons]),
            labels(known, lessons),
        )
        return {"unknown nearest lesson": float(np.nanmean(ratios))}


class Denoiser(Protocol):
    """A generator that tells how well it denoises."""

    def losses(
        self, captions: Sequence[str], pictures: NDArray[np.uint8], keys: Sequence[int]
    ) -> NDArray[np.float64]:
        """Denoising loss of each drawing, (n,); the noise of a row is keyed by its key."""


def pixels(drawing: Document) -> Picture:
    """A drawing at the size that judges see."""
    return decode_picture(drawing.parts[PICTURE], SIDE)


def labels(known: Sequence[str], documents: Sequence[Document]) -> NDArray[np.int64]:
    """The number of each document's caption among the known ones."""
    return np.array([known.index(normalise(caption_of(d))) for d in documents])
