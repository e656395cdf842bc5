"""What `nightschool simulate` was asked for, as plans of schools."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from nightschool.app import parts
from nightschool.app.config import FIXED, PARTS, check_parts, make_config
from nightschool.app.init import combined
from nightschool.app.plans import (
    AdjustedPlan,
    ControlPlan,
    DrawingPlan,
    LabelledPlan,
    WordsPlan,
)
from nightschool.app.plans.labelled import labels_of, read_labelled
from nightschool.app.simulation import Plan
from nightschool.app.tasks import ClassificationTask, Task, WordsTask
from nightschool.app.tasks.classification import read_labels
from nightschool.types import ConfigError, normalise

DAYS = {"words": (10, 30), "robot": (6, 1), "artist": (10, 10)}
"""Nights and answers a day of each teacher by default; labelled data has those of words."""

ONLY_DATA = {"task": "words", "labels": None, "model": "starter", "hidden": 0.3}
"""Options that say something only of an owner's data, by their defaults."""


@dataclass(frozen=True)
class Request:
    """Which schools to simulate: a teacher of the embedded starters, or an owner's `data`."""

    strategies: tuple[str, ...]
    seeds: range
    teacher: str
    data: Path | None
    task: str
    model: str
    labels: Path | None
    hidden: float
    nights: int
    answers: int
    oracle: str
    settings: Mapping[str, Any]

    def plans(self) -> dict[tuple[str, int], Plan]:
        """A plan for each strategy and seed; all strategies of a seed stand side by side."""
        made = self._labelled if self.data is not None else self._taught
        return {(s, seed): made(s, seed) for seed in self.seeds for s in self.strategies}

    def rehearsal(self) -> Plan:
        """A small school, quick to make, on which the strategies are tried."""
        plan = next(iter(self.plans().values()))
        inner = plan.plan if isinstance(plan, AdjustedPlan) else plan
        if isinstance(inner, WordsPlan):
            inner = replace(inner, pool=60, exam_file=2, hidden=2)
        elif isinstance(inner, LabelledPlan):
            inner = replace(inner, pool=20, most=1)
        elif isinstance(inner, ControlPlan | DrawingPlan):
            inner = replace(inner, examined=False)
        return replace(plan, plan=inner) if isinstance(plan, AdjustedPlan) else inner

    def check(self) -> None:
        """Raise ConfigError for a strategy, oracle or setting that there is not.

        UsageError for options that would be silently ignored beside the others.
        """
        self._refuse_ignored()
        for name in self.strategies:
            parts.require("strategies", name)
        for key in ("strategy", "questions"):
            if key in self.settings:
                raise ConfigError(
                    f"--set {key}={self.settings[key]} is what --strategies and --answers say here."
                )
        if self.oracle:
            parts.check("oracles", self.oracle, self.settings.get("oracle_settings", {}))
        if self.data is not None:
            if not 0 < self.hidden < 1:
                raise ConfigError(f"--hidden {self.hidden} is not a share between 0 and 1.")
            read_labelled(self.data)
            check_parts(make_config(combined(self._task().settings, self.settings), "--set"))
            return
        make_config(self.settings, "--set")
        for key in (*FIXED, "learner_settings"):
            if key in self.settings:
                raise ConfigError(
                    f"--set {key}=… changes the starter itself; that goes only with --data."
                )
        for key in PARTS.keys() & self.settings.keys():
            parts.require(PARTS[key], self.settings[key])

    def check_target(self, target: float | None, measure: str) -> None:
        """Raise ConfigError for a share above 1, which no run could reach."""
        taught_words = self.data is not None or self.teacher == "words"
        share = taught_words or (self.teacher == "artist" and measure == "all")
        if share and target is not None and target > 1:
            raise ConfigError(
                f"--target {target:g}: {measure!r} is a share from 0 to 1; for {target:g} % write "
                f"--target {target / 100:g}."
            )

    def _refuse_ignored(self) -> None:
        if not self.strategies:
            raise click.UsageError("--strategies names none; write --strategies random,hybrid.")
        if self.data is None:
            for name, usual in ONLY_DATA.items():
                if getattr(self, name) != usual:
                    raise click.UsageError(f"--{name} goes only with --data FILE.")
            return
        if self.teacher != "words":
            raise click.UsageError(
                f"--teacher {self.teacher} has its own pool; leave out either it or --data."
            )
        if self.labels is not None and self.task != "classification":
            raise click.UsageError("--labels goes only with --task classification.")

    def size(self) -> int:
        """How many contexts the pool of the data has; 0 for a teacher's, which is made."""
        if self.data is None:
            return 0
        plan = self._labelled(self.strategies[0], self.seeds[0])
        return len(plan.split(read_labelled(self.data))[0])

    def _taught(self, strategy: str, seed: int) -> Plan:
        plan: Plan
        if self.teacher == "robot":
            # A random school plans nothing: its experiments are the pool's random ones.
            plan = ControlPlan(strategy, seed, nights=self.nights, answers=self.answers)
            if strategy == "random":
                plan = replace(plan, written=0)
        elif self.teacher == "artist":
            plan = DrawingPlan(strategy, seed, self.nights, self.answers)
        else:
            plan = WordsPlan(strategy, seed, self.nights, self.answers)
        if self.settings or self.oracle:
            return AdjustedPlan(plan, self.settings, self.oracle)
        return plan

    def _labelled(self, strategy: str, seed: int) -> LabelledPlan:
        assert self.data is not None
        return LabelledPlan(
            self.data.resolve(),
            self._task(),
            strategy,
            seed,
            nights=self.nights,
            answers=self.answers,
            hidden=self.hidden,
            oracle_name=self.oracle or "script",
            settings=self.settings,
            digest=hashlib.sha256(self.data.read_bytes()).hexdigest()[:16],
        )

    def _task(self) -> Task:
        if self.task == "words":
            return WordsTask(model=self.model)
        return ClassificationTask(self._labels(), model=self.model)

    def _labels(self) -> tuple[str, ...]:
        """The labels of the file, or those that the data use."""
        assert self.data is not None
        items = read_labelled(self.data)
        if self.labels is not None:
            labels = tuple(read_labels(self.labels))
            known = set(map(normalise, labels))
            for item in items:
                for answer in item.accepted:
                    if normalise(answer.body) not in known:
                        raise ConfigError(
                            f"{self.data}: the row {item.context.body[:60]!r} has the label "
                            f"{answer.body[:60]!r}, which {self.labels} lacks; add it there, or "
                            "leave --labels out to take those of the data."
                        )
            return labels
        found = labels_of(items)
        if len(found) < 2 or 2 * len(found) > len(items):
            raise ConfigError(
                f"{self.data}: has {len(found)} different answers in {len(items)} rows; "
                "--task classification wants a few labels that come again and again. For answers "
                "in free text there is --task words."
            )
        return found
