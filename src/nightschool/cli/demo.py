"""`nightschool demo`: the starter learns from a simulated teacher, beside a random twin."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import click

from nightschool.app.plots import plot_curves
from nightschool.app.simulation import Clock, Morning, Task, build_school, mornings, run_to_file
from nightschool.cli.night import night_bar
from nightschool.cli.render import morning_line, percent
from nightschool.types import Context

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_demo(folder: Path, *, nights: int, answers: int, seed: int, twin: bool) -> None:
    """Several nights on the embedded default, then the seed question again, and a picture."""
    for name in THREADS:  # school and twin have one core each, and results are repeatable
        os.environ.setdefault(name, "1")
    used = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if used and not (folder / "demo.json").exists():
        raise click.UsageError(f"{folder} exists and is not a demo's; name another with --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "demo.json").write_text(json.dumps({"nights": nights, "answers": answers}))
    task = Task("hybrid", seed, nights, answers)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
        random: Future[Path] | None = None
        if twin:
            random = other.submit(
                run_to_file,
                folder / "twin",
                replace(task, strategy="random"),
                folder / "twin.jsonl",
            )
        seen = show_nights(folder / "school", task)
        if random is not None:
            click.echo("Waiting for the twin whose questions were drawn at random ...")
            random.result()
    finish(folder, seen, task)


def show_nights(folder: Path, task: Task) -> list[Morning]:
    """The seed question, every night with its line, and the seed question again."""
    import time

    from nightschool.app import School, parts
    from nightschool.starter import stories

    hidden = build_school(folder, task)
    clock = Clock(time.time())
    seen: list[Morning] = []
    with School.open(folder, clock=clock) as school:
        variants = stories.seed_variants(50, 1000 * task.seed + 9)
        ask_seed(school, variants)
        click.echo(
            f"The simulated teacher answers {task.answers} questions a day; "
            f"a hidden exam of {len(hidden)} items is used by no gate."
        )
        nights = mornings(school, clock, parts.oracle("arithmetic"), task, hidden)
        while True:
            with night_bar(f"night {len(seen) + 1}") as school.report:
                morning = next(nights, None)
            if morning is None:
                break
            seen.append(morning)
            click.echo(morning_line(morning.verdict, school.status(), morning.spans))
        click.echo()
        ask_seed(school, variants)
    return seen


def ask_seed(school: object, variants: Sequence[object]) -> None:
    """Ask the served model the seed question, and variants of it that nobody was asked."""
    from nightschool.app import School
    from nightschool.starter import stories

    assert isinstance(school, School)
    learner = school.learner(school.champion())
    said = learner.predict([Context.of(stories.SEED_CONTEXT)])[0].body.strip()
    contexts = [Context.of(v.context) for v in variants]  # type: ignore[attr-defined]
    wanted = [str(v.answer).strip() for v in variants]  # type: ignore[attr-defined]
    given = [d.body.strip() for d in learner.predict(contexts)]
    right = sum(a == b for a, b in zip(given, wanted, strict=True))
    verdict = "right" if said == stories.SEED_ANSWER.strip() else "wrong"
    click.echo(f'"{stories.SEED_CONTEXT}" ... "{said}" ({verdict})')
    click.echo(f"Fresh variants of it: {right} of {len(wanted)} right.")


def finish(folder: Path, seen: Sequence[Morning], task: Task) -> None:
    """Before and after on the hidden exam, the picture, and how to teach it in person."""
    first, last = seen[0].served, seen[-1].served
    rows = ", ".join(f"{g} {percent(first[g])} -> {percent(last[g])}" for g in last if g != "all")
    click.echo(f"Hidden exam: {percent(first['all'])} -> {percent(last['all'])} ({rows}).")
    curves = {
        "trainee, questions chosen": [(m.answers, m.trainee["all"]) for m in seen],
        "served, questions chosen": [(m.answers, m.served["all"]) for m in seen],
    }
    twin = folder / "twin.jsonl"
    if twin.exists():
        rows_ = [json.loads(line) for line in twin.read_text().splitlines()]
        curves["trainee, random questions"] = [(r["answers"], r["trainee"]["all"]) for r in rows_]
        curves["served, random questions"] = [(r["answers"], r["served"]["all"]) for r in rows_]
        click.echo(
            f"The twin with random questions: {percent(rows_[-1]['trainee']['all'])} (trainee)"
        )
        click.echo(
            f"The school with chosen questions: {percent(seen[-1].trainee['all'])} (trainee)"
        )
    picture = folder / "learning-curve.png"
    plot_curves(curves, picture, f"{task.answers} answers a day, {task.nights} nights")
    click.echo(f"Learning curve: {picture}")
    click.echo(f"Teach it in person: nightschool --school {folder / 'school'} serve")
