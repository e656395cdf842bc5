"""A model of a physical system, which plans its own experiments, in a simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from nightschool.app import parts
from nightschool.app.init import init_school
from nightschool.app.school import School
from nightschool.app.simulation import Measure
from nightschool.app.tasks import ControlTask
from nightschool.app.tasks.control_exam import control_items
from nightschool.exams.control import OVER_RANDOM, RETURN, STEPS, TASK_GROUP, Forecaster
from nightschool.types import (
    TRAJECTORY,
    ExamItem,
    Oracle,
    Progress,
    Simulator,
    Trajectory,
    Version,
)

HIDDEN_SEED = 1_000_003
"""All plans of a system share a hidden exam, as they share the gate's: it takes long to make."""


@dataclass(frozen=True)
class ControlPlan:
    """A school of control; its hidden exam holds trajectories and episodes that no gate sees.

    `noise` is how the pool's random actions are drawn (see `ControlTask`); `written` is how many
    experiments the model plans each night: 0 where they are drawn at random. Not `examined`, no
    gate ever promotes. `returns_of` are the numbers of the versions whose returns are measured:
    all by default, for it takes a while.
    """

    strategy: str
    seed: int
    system: str = "Pendulum-v1"
    nights: int = 6
    answers: int = 1
    noise: str = "held"
    written: int = 32
    examined: bool = True
    returns_of: tuple[int, ...] | None = None

    def build(self, folder: Path, progress: Progress | None = None) -> Measure:
        """The school, with its own exam; returns the measures of the hidden one."""
        task = ControlTask(self.system, noise=self.noise, examined=self.examined)
        init_school(
            folder,
            task,
            settings={
                "strategy": self.strategy,
                "questions": self.answers,
                "written": self.written,
                "seed": self.seed,
            },
            progress=progress,
        )
        # Without sensor noise, which is a floor under every error.
        body = cast(Simulator, parts.system(self.system, noise=0.0))
        return HiddenTrials(control_items(body, HIDDEN_SEED), self.returns_of)

    def oracle(self, school: School) -> Oracle:
        """The school's own system."""
        return school.oracle


@dataclass(frozen=True)
class HiddenTrials:
    """Errors on hidden trajectories and returns of hidden episodes.

    "random error 1" is the root mean square error one step ahead on random trajectories, as a
    share of the motion, "both" of those and a controller's; "inside 90 %" the share of measured
    truths (of the school's own exam, with sensor noise) in the model's interval; "return" lies
    between doing nothing (0) and the same controller with the true simulator (1),
    "return_over_random" between random actions and that; "all" is the first.
    """

    items: Sequence[ExamItem]
    returns_of: tuple[int, ...] | None = None

    def __call__(self, school: School, version: Version) -> dict[str, float]:
        """The measures of one version."""
        learner = cast(Forecaster, school.learner(version))
        found: dict[str, float] = {}
        groups = by_group(self.items)
        both = {"both": [t for held_out in groups.values() for t in held_out]}
        for group, held_out in {**groups, **both}.items():
            errors = learner.step_errors(held_out, STEPS)
            for column, steps in enumerate(STEPS):
                squares = errors[:, column][np.isfinite(errors[:, column])] ** 2
                if len(squares):  # none where experiments are shorter than that
                    found[f"{group} error {steps}"] = float(np.sqrt(squares.mean()))
        measured = by_group(school.examiner.file())
        for group, held_out in measured.items():
            found[f"{group} inside 90 %"] = float(np.mean(learner.coverage(held_out, 0.9)))
        if self.returns_of is not None and version.number not in self.returns_of:
            return {"all": float("nan"), **found}
        episodes = [item for item in self.items if item.group == TASK_GROUP]
        marks = school.exam.sit(school.learner(version), episodes)
        for name in (RETURN, OVER_RANDOM):
            found[name] = float(np.mean([m.value for m in marks if m.name == name]))
        return {"all": found[RETURN], **found}


def by_group(items: Sequence[ExamItem]) -> dict[str, list[Trajectory]]:
    """The held-out trajectories of an exam by group."""
    found: dict[str, list[Trajectory]] = {}
    for item in items:
        for document in item.accepted:
            if document.kind == TRAJECTORY:
                found.setdefault(item.group, []).append(Trajectory.of(document))
    return found
