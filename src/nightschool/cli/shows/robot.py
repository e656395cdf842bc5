"""A physical system teaches a model of itself: each night plans the experiment that tells most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from nightschool.app import School
from nightschool.app.plans import ControlPlan
from nightschool.app.plots import plot_trials
from nightschool.app.simulation import Morning
from nightschool.cli.render import percent
from nightschool.types import Partition, Reals, Trajectory

SHOWN = 3


class RobotShow:
    """Keeps, of each day, what the model expected of an experiment and what happened."""

    def __init__(self, seed: int, nights: int | None, answers: int | None) -> None:
        self.plan = ControlPlan("information", seed, nights=nights or 6, answers=answers or 1)
        self.twin = replace(self.plan, strategy="random", written=0)
        self.trials: list[tuple[str, Reals, Reals]] = []
        self.names: Sequence[str] = ("", "")

    def before(self, school: School) -> None:
        """What will happen."""
        assert school.system is not None
        spec = school.system.spec
        self.names = spec.states[:2]
        click.echo(
            f"{self.plan.system}: {len(spec.states)} coordinates, {len(spec.actions)} actions; "
            f"{self.plan.answers} experiments a day of {spec.steps} steps "
            f"({spec.steps * spec.seconds:.2g} s). The model has seen 2 trajectories of noise; "
            "hidden trajectories and episodes are used by no gate."
        )

    def morning(self, school: School, morning: Morning) -> None:
        """The measures, and the last experiment of the day."""
        click.echo(f"    hidden exam: {told(morning.trainee)}")
        answered = school.warehouse.answered(Partition.TRAINING)
        if not answered:
            return
        last = answered[-1]
        document = last.answers[-1].document
        expected = school.expected(last.question)
        if document is not None and expected is not None:
            happened = Trajectory.of(document).states
            name = f"experiment {len(answered)}"
            self.trials.append((name, Trajectory.of(expected).states, happened))

    def after(self, school: School) -> None:
        """Nothing more."""

    def finish(
        self, folder: Path, seen: Sequence[Morning], twin: Sequence[Mapping[str, Any]]
    ) -> None:
        """Before and after, the twin, the picture, and how to watch."""
        click.echo(f"Before: {told(seen[0].trainee)}.")
        click.echo(f"After {seen[-1].answers} experiments: {told(seen[-1].trainee)}.")
        key = "random error 1"
        curves = {"experiments planned": [(m.answers, m.trainee[key]) for m in seen]}
        if twin:
            curves["random experiments"] = [(r["answers"], r["trainee"][key]) for r in twin]
            click.echo(f"The twin with random experiments: {told(twin[-1]['trainee'])}.")
        picture = folder / "trajectories.png"
        places = np.unique(np.linspace(0, len(self.trials) - 1, SHOWN).astype(int))
        shown = [self.trials[i] for i in places] if self.trials else []
        plot_trials(curves, shown, self.names, picture, f"{self.plan.system}, night by night")
        click.echo(f"Trajectories: {picture}")
        click.echo(f"Watch its experiments: nightschool --school {folder / 'school'} serve")


def told(measures: Mapping[str, float]) -> str:
    """The task's return, and the one-step errors."""
    errors = ", ".join(
        f"{group} {measures[f'{group} error 1']:.3f}"
        for group in ("random", "controller")
        if f"{group} error 1" in measures
    )
    return f"return {percent(measures['return'])}; one-step error on trajectories: {errors}"
