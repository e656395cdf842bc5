"""An owner's own labelled data: a part of it is the pool, the rest a hidden exam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nightschool.app.init import init_school
from nightschool.app.school import School
from nightschool.app.simulation import Measure
from nightschool.app.tasks import Task
from nightschool.exams.files import read_exam_file
from nightschool.oracles import ScriptedOracle
from nightschool.types import (
    ConfigError,
    Context,
    ExamItem,
    Oracle,
    Progress,
    Version,
    uniform,
)

SCRIPT = "script"
FEWEST = 20
"""Rows of data below which there is nothing to measure."""


@dataclass(frozen=True)
class LabelledPlan:
    """A school whose pool is labelled already: its oracle reads the answers from the data.

    Every seed draws its own hidden exam, the share `hidden` of the data but at most `most` rows;
    all other rows are the pool, or `pool` of them. Runs of one seed share both. `digest` tells one
    state of the file from another. A row without a group is of its answer's group where answers
    are few.
    """

    data: Path
    task: Task
    strategy: str
    seed: int
    nights: int = 10
    answers: int = 30
    hidden: float = 0.3
    most: int = 1000
    pool: int = 0
    oracle_name: str = SCRIPT
    settings: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    def build(self, folder: Path, progress: Progress | None = None) -> Measure:
        """The school with its pool; returns the measures on the hidden exam."""
        pool, hidden = self.split(read_labelled(self.data))
        settings = {
            "strategy": self.strategy,
            "questions": self.answers,
            "seed": self.seed,
            **({} if self.oracle_name == SCRIPT else {"oracle": self.oracle_name}),
            **self.settings,
        }
        init_school(folder, self.task, settings=settings, progress=progress)
        with School.open(folder) as school:
            contexts = [Context(item.context, "pool", item.group) for item in pool]
            for context in contexts:
                school.check(context)
            school.add_contexts(contexts)
        return HiddenLabels(hidden)

    def oracle(self, school: School) -> Oracle:
        """Whoever knows the data's answers, or the oracle that was named."""
        if self.oracle_name != SCRIPT:
            return school.oracle
        items = read_labelled(self.data)
        return ScriptedOracle({Context(i.context).id: i.accepted[0].body for i in items})

    def split(self, items: Sequence[ExamItem]) -> tuple[list[ExamItem], list[ExamItem]]:
        """Pool and hidden exam: drawn by this seed and the contexts' ids, whatever their order."""
        draws = uniform([Context(item.context).id for item in items], self.seed)
        count = min(self.most, max(1, round(self.hidden * len(items))))
        order = np.argsort(draws, kind="stable")
        pool = order[count:][: self.pool or None]
        return [items[i] for i in pool], [items[i] for i in order[:count]]


def read_labelled(path: Path) -> list[ExamItem]:
    """The rows of a data file as items; ExamError or ConfigError names what is wrong with it.

    Rows have a context, an answer and perhaps a group (.jsonl, .csv, .parquet).
    """
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file; --data wants one of labelled rows.")
    items = read_exam_file(path)
    if len(items) < FEWEST:
        raise ConfigError(
            f"{path}: has {len(items)} different contexts; a simulation needs {FEWEST} or more."
        )
    answers = {item.accepted[0].body for item in items}
    if len(answers) > len(items) // 4:  # free text: an answer is no group
        return items
    return [
        ExamItem(i.id, i.context, i.accepted, i.group or i.accepted[0].body, i.source)
        for i in items
    ]


@dataclass(frozen=True)
class HiddenLabels:
    """Shares of right answers in [0, 1]: "all", "macro" (the mean over groups), and by group.

    "probability" is the mean probability of the right answer.
    """

    items: Sequence[ExamItem]

    def __call__(self, school: School, version: Version) -> dict[str, float]:
        """The measures of one version."""
        marks = school.exam.sit(school.learner(version), self.items)
        exact = [m for m in marks if m.name == "exact"]
        soft = [m.value for m in marks if m.name == "answer"]
        groups: dict[str, list[float]] = {}
        for mark in exact:
            if mark.group:
                groups.setdefault(mark.group, []).append(mark.value)
        found = {"all": mean([m.value for m in exact]), "probability": mean(soft)}
        if groups:
            found["macro"] = mean([mean(v) for v in groups.values()])
        return found | {group: mean(v) for group, v in sorted(groups.items())}


def mean(values: Sequence[float]) -> float:
    """The mean; not a number where there is none."""
    return sum(values) / len(values) if values else float("nan")


def labels_of(items: Sequence[ExamItem]) -> tuple[str, ...]:
    """All answers that a data file accepts, in order."""
    return tuple(sorted({accepted.body for item in items for accepted in item.accepted}))
