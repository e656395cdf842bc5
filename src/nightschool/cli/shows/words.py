"""The starter and the teacher of arithmetic: does Charlie eat half of Jane's apples?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from nightschool.app import School
from nightschool.app.plans import WordsPlan
from nightschool.app.plots import plot_curves
from nightschool.app.simulation import Morning
from nightschool.cli.render import percent
from nightschool.types import Context


class WordsShow:
    """Asks the seed question before and after."""

    def __init__(self, seed: int, nights: int | None, answers: int | None) -> None:
        self.plan = WordsPlan("hybrid", seed, nights or 10, answers or 30)
        self.twin = replace(self.plan, strategy="random")

    def before(self, school: School) -> None:
        """The seed question as the starter answers it."""
        self._ask_seed(school)
        click.echo(
            f"The simulated teacher answers {self.plan.answers} questions a day; "
            f"a hidden exam of {self.plan.hidden} items is used by no gate."
        )

    def morning(self, school: School, morning: Morning) -> None:
        """Nothing more."""

    def after(self, school: School) -> None:
        """The seed question as the champion answers it."""
        self._ask_seed(school)

    def _ask_seed(self, school: School) -> None:
        """The seed question, and variants of it that nobody was asked."""
        from nightschool.starter import stories

        variants = stories.seed_variants(50, 1000 * self.plan.seed + 9)
        learner = school.learner(school.champion())
        said = learner.predict([Context.of(stories.SEED_CONTEXT)])[0].body.strip()
        wanted = [str(v.answer).strip() for v in variants]
        given = [d.body.strip() for d in learner.predict([Context.of(v.context) for v in variants])]
        right = sum(a == b for a, b in zip(given, wanted, strict=True))
        verdict = "right" if said == stories.SEED_ANSWER.strip() else "wrong"
        click.echo(f'"{stories.SEED_CONTEXT}" ... "{said}" ({verdict})')
        click.echo(f"Fresh variants of it: {right} of {len(wanted)} right.")

    def finish(
        self, folder: Path, seen: Sequence[Morning], twin: Sequence[Mapping[str, Any]]
    ) -> None:
        """Before and after on the hidden exam, the picture, and how to teach it in person."""
        first, last = seen[0].served, seen[-1].served
        skills = [f"{g} {percent(first[g])} → {percent(last[g])}" for g in last if g != "all"]
        click.echo(
            f"Hidden exam: {percent(first['all'])} → {percent(last['all'])} ({', '.join(skills)})."
        )
        curves = {
            "trainee, questions chosen": [(m.answers, m.trainee["all"]) for m in seen],
            "served, questions chosen": [(m.answers, m.served["all"]) for m in seen],
        }
        if twin:
            curves["trainee, random questions"] = [
                (r["answers"], r["trainee"]["all"]) for r in twin
            ]
            curves["served, random questions"] = [(r["answers"], r["served"]["all"]) for r in twin]
            click.echo(
                f"The twin with random questions: {percent(twin[-1]['trainee']['all'])} (trainee)"
            )
            click.echo(
                f"The school with chosen questions: {percent(seen[-1].trainee['all'])} (trainee)"
            )
        picture = folder / "learning-curve.png"
        plan = self.plan
        plot_curves(curves, picture, f"{plan.answers} answers a day, {plan.nights} nights")
        click.echo(f"Learning curve: {picture}")
        click.echo(f"Teach it in person: nightschool --school {folder / 'school'} serve")
