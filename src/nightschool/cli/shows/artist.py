"""An artist teaches a small image generator to draw captions that it has never seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from nightschool.app import School
from nightschool.app.plans import DrawingPlan
from nightschool.app.plots import Row, plot_grid
from nightschool.app.simulation import Morning
from nightschool.cli.render import percent
from nightschool.types import (
    PICTURE,
    Context,
    Picture,
    caption_document,
    caption_of,
    decode_picture,
)

SHOWN = 10
SHEET = 300_001
"""The first sheet of what is drawn for the picture: nobody is asked it, nor examined on it."""


class ArtistShow:
    """Collects what each morning's model draws for some captions that the base did not know."""

    def __init__(self, seed: int, nights: int | None, answers: int | None) -> None:
        self.plan = DrawingPlan("captions", seed, nights or 6, answers or 15, hidden=2)
        self.twin = replace(self.plan, strategy="random")
        self.rows: list[Row] = []

    def before(self, school: School) -> None:
        """What will happen."""
        click.echo(
            f"The simulated artist draws {self.plan.answers} captions a day, from real people's "
            "digits that nobody else has seen; a hidden exam is used by no gate."
        )
        self.rows.append(("an artist", [self._real(caption) for caption in self.captions()]))

    def captions(self) -> Sequence[str]:
        """Captions of the pool that the base did not know, of every style."""
        from nightschool.starter import artist

        unknown = artist.unknown()
        return [unknown[i * len(unknown) // SHOWN] for i in range(SHOWN)]

    def _real(self, caption: str) -> Picture:
        import numpy as np

        from nightschool.starter import artist

        return artist.compose(caption, np.random.default_rng(0), artist.Split.HELD_OUT)

    def morning(self, school: School, morning: Morning) -> None:
        """Draw each caption with the newest version."""
        contexts = [Context(caption_document(caption, SHEET)) for caption in self.captions()]
        drawn = school.learner(school.warehouse.trainee()).predict(contexts)
        pictures = [decode_picture(d.parts[PICTURE], 28) for d in drawn]
        self.rows.append((f"{morning.answers} drawings", pictures))
        click.echo(f"    hidden exam: {told(morning.trainee)}")

    def after(self, school: School) -> None:
        """Which captions were drawn."""
        asked = school.warehouse.answers(newest=5)
        names = [caption_of(a.document) for a in asked if a.document is not None]
        click.echo("Drawn last: " + ", ".join(f'"{name}"' for name in names) + ".")

    def finish(
        self, folder: Path, seen: Sequence[Morning], twin: Sequence[Mapping[str, Any]]
    ) -> None:
        """Before and after, the twin, the grid of samples, and how to draw in person."""
        click.echo(f"Before: {told(seen[0].trainee)}.")
        click.echo(f"After {seen[-1].answers} drawings: {told(seen[-1].trainee)}.")
        if twin:
            click.echo(f"The twin with random captions: {told(twin[-1]['trainee'])}.")
        picture = folder / "drawings.png"
        plot_grid(self.captions(), self.rows, picture, "what it draws, night by night")
        click.echo(f"Samples night by night: {picture}")
        click.echo(f"Draw for it in person: nightschool --school {folder / 'school'} serve")


def told(measures: Mapping[str, float]) -> str:
    """Recognition by both judges, of captions that the base knew and of those it did not."""
    parts = [
        f"{group} captions {percent(measures[f'{group} recognised'])}"
        for group in ("unknown", "known", "apart")
        if f"{group} recognised" in measures
    ]
    return "recognised: " + ", ".join(parts)
