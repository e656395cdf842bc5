"""A lesson apart: a model taught from nothing on some examples, examined, and thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightschool.app.school import School
from nightschool.curation import FencedDataset
from nightschool.types import (
    Dataset,
    Document,
    ExamItem,
    Example,
    Learner,
    Manifest,
)


@dataclass(frozen=True)
class Lesson:
    """A dataset of these examples, all new, beside the original data that a school replays."""

    examples: Sequence[Example]
    base: Dataset

    @property
    def manifest(self) -> Manifest:
        """The manifest whose original data it replays."""
        return self.base.manifest

    @property
    def new(self) -> Sequence[Example]:
        """The examples, all of them."""
        return self.examples

    def earlier(self, n: int, seed: int) -> Sequence[Example]:
        """None: everything is new."""
        return ()

    def original(self, n: int, seed: int) -> Sequence[Document]:
        """Original documents, less those that hold an exam or gold context."""
        return self.base.original(n, seed)


def fenced(school: School) -> FencedDataset:
    """The newest version's dataset, every night's examples new, without what the exam holds."""
    manifest = school.warehouse.manifest(school.warehouse.trainee().manifest)
    return FencedDataset(school.warehouse.dataset(manifest), school.examiner.fence())


def taught(learner: Learner, examples: Sequence[Example], base: Dataset, seed: int) -> Learner:
    """The learner, taught these examples in one go, in a workspace that is thrown away."""
    if not examples:
        return learner
    with tempfile.TemporaryDirectory(prefix="nightschool-") as workspace:
        return learner.fit(Lesson(examples, base), seed=seed, workspace=Path(workspace))


def scores(school: School, learner: Learner, items: Sequence[ExamItem]) -> dict[str, float]:
    """The gating mark of each item, in [0, 1], by item."""
    marks: dict[str, list[float]] = {}
    for mark in school.exam.sit(learner, items):
        if mark.gates:
            marks.setdefault(mark.item, []).append(mark.value)
    return {item: sum(values) / len(values) for item, values in marks.items()}
