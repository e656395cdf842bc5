"""The loop against an oracle that never tires: days pass in seconds, the rest is real."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from nightschool.app.school import Report, School
from nightschool.loop import teach
from nightschool.types import Oracle, Partition, Progress, Span, Verdict, Version

DAY = 86_400.0

Measure = Callable[[School, Version], dict[str, float]]
"""What a version can do, by name, measured where no gate looks."""


@dataclass(frozen=True)
class Morning:
    """What a morning shows: the verdict, and measures that no gate has seen.

    `served` and `trainee` are the plan's measures by name. `asked` counts by group what was
    asked so far; `chosen` of those only what was chosen to learn from, without the exam's draws.
    """

    night: int
    answers: int
    verdict: Verdict
    served: dict[str, float]
    trainee: dict[str, float]
    asked: dict[str, int]
    chosen: dict[str, int]
    spans: tuple[Span, ...]


class Plan(Protocol):
    """What a simulated school is made of, and how its versions are measured."""

    @property
    def nights(self) -> int:
        """How many nights follow a day of answers."""

    @property
    def answers(self) -> int:
        """How many answers a day."""

    def build(self, folder: Path, progress: Progress | None = None) -> Measure:
        """Make the school; returns how a version of it is measured."""

    def oracle(self, school: School) -> Oracle:
        """Whoever answers."""


class Clock:
    """Seconds since 1970 that go on only when a day ends."""

    def __init__(self, start: float) -> None:
        self.time = start

    def __call__(self) -> float:
        """Now."""
        return self.time

    def next_day(self) -> None:
        """Let a day pass."""
        self.time += DAY


def mornings(school: School, clock: Clock, plan: Plan, measure: Measure) -> Iterator[Morning]:
    """Night after night: the first only chooses, each later one follows a day of answers."""
    oracle = plan.oracle(school)
    known: dict[str, dict[str, float]] = {}

    def measured(version: Version) -> dict[str, float]:
        if version.id not in known:
            known[version.id] = measure(school, version)
        return known[version.id]

    for day in range(plan.nights + 1):
        if day:
            teach(school, oracle, plan.answers)
        verdict = school.night()
        clock.next_day()
        yield Morning(
            verdict.night,
            len(school.warehouse.answers()),
            verdict,
            measured(school.champion()),
            measured(school.warehouse.trainee()),
            asked_by_group(school),
            asked_by_group(school, (Partition.TRAINING,)),
            tuple(school.warehouse.spans(verdict.night)),
        )


def asked_by_group(school: School, sides: Sequence[Partition] = tuple(Partition)) -> dict[str, int]:
    """How many contexts of each group were answered, skipped or refused so far."""
    counts: dict[str, int] = {}
    for side in sides:
        for answered in school.warehouse.answered(side):
            group = answered.question.context.group
            counts[group] = counts.get(group, 0) + 1
    return dict(sorted(counts.items()))


def run(folder: Path, plan: Plan, report: Report | None = None) -> Iterator[Morning]:
    """A whole simulated school, built and run; yields every morning."""
    measure = plan.build(folder)
    clock = Clock(time.time())
    with School.open(folder, clock=clock, report=report) as school:
        yield from mornings(school, clock, plan, measure)


def run_to_file(folder: Path, plan: Plan, target: Path) -> Path:
    """A whole simulated school in a process of its own; its mornings as JSON lines."""
    with open(target, "w", encoding="utf-8") as file:
        for morning in run(folder, plan):
            file.write(json.dumps(asdict(morning), default=str) + "\n")
            file.flush()
    return target
