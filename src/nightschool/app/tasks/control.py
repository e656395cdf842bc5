"""Control: a model of a physical system asks for experiments, the system reacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nightschool.app import parts
from nightschool.app.tasks.task import NO_SHARE
from nightschool.app.tasks.trials import experiments, run
from nightschool.types import (
    EXPERIMENT,
    TRAJECTORY,
    AnswerError,
    Context,
    Document,
    ExamItem,
    Learner,
    PoolError,
    Progress,
    System,
    Trajectory,
    simulates,
)

POOL = 400
"""Experiments of a simulator's first pool, from which the model writes its own."""

RECORDED = 2
"""Trajectories of white noise that a simulator's school begins with."""

WRITTEN = 32
EXAM_SEED = 2_000_003
"""Every school of a system has the same exam: it takes long to make."""


@dataclass(frozen=True)
class ControlTask:
    """A physical system by its name, with its settings; `recorded` is a file of trajectories.

    A simulator brings its own pool, original trajectories and exam; for a robot or an instrument
    they are brought with `--original` and `nightschool pool add`. `noise` is how the pool's random
    actions are drawn: "held" (piecewise constant) or "white". Not `examined`, a simulator's school
    begins without an exam of its own.
    """

    system: str
    system_settings: Mapping[str, Any] = field(default_factory=dict)
    recorded: Path | None = None
    noise: str = "held"
    examined: bool = True
    kind: str = EXPERIMENT
    untaught: bool = True

    @property
    def model(self) -> str:
        """What the model is of."""
        return self.system

    @cached_property
    def body(self) -> System:
        """The system itself."""
        return parts.system(self.system, **self.system_settings)

    @property
    def settings(self) -> Mapping[str, Any]:
        """An ensemble of dynamics models, which plans its own experiments."""
        from nightschool.learners.dynamics import settings_for

        return {
            "learner": "dynamics",
            "strategy": "information",
            "exam": "control",
            "gate_days": 0,
            "oracle": "physical",
            "system": self.system,
            "system_settings": dict(self.system_settings),
            "learner_settings": settings_for(self.body.spec),
            "questions": 4,
            "written": WRITTEN,
            "pool_sample": 200,
            **(NO_SHARE if simulates(self.body) else {}),
        }

    def source(self) -> str:
        """Nothing: the learner's settings say what the system is."""
        return ""

    def original(self, learner: Learner, seed: int) -> tuple[Iterable[Document], str]:
        """Trajectories recorded before the school began."""
        if self.recorded is not None:
            return read_trajectories(self.recorded), f"the trajectories of {self.recorded.name}"
        if not simulates(self.body):
            return (), "none: bring recorded trajectories with --original"
        first = experiments(self.body, RECORDED, seed, "white")
        documents = [run(self.body, e, seed + i).document() for i, e in enumerate(first)]
        return documents, f"{RECORDED} trajectories under white noise"

    def contexts(self, seed: int) -> Iterable[Context]:
        """Random experiments."""
        if simulates(self.body):
            for experiment in experiments(self.body, POOL, seed + 1, self.noise):
                yield Context(experiment.document(), "pool", "random")

    def exam(self, seed: int, progress: Progress | None = None) -> Sequence[ExamItem]:
        """Held-out trajectories and episodes of the task, where a simulator can make them."""
        if not (self.examined and simulates(self.body)):
            return ()
        from nightschool.app.tasks.control_exam import control_items

        return control_items(self.body, EXAM_SEED, progress)


def read_trajectories(path: Path) -> Iterator[Document]:
    """Trajectories of a JSON-lines file; PoolError names file, line and cure."""
    if not path.is_file():
        raise PoolError(f"{path}: there is no such file.")
    with open(path, encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield Trajectory.of(Document(line, TRAJECTORY)).document()
                except AnswerError as error:
                    raise PoolError(f"{path}, line {number}: {error}") from error
