"""`nightschool demo`: a model learns from a simulated teacher, beside a random twin."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import time
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click

from nightschool.app import School
from nightschool.app.simulation import Clock, Morning, mornings, run_to_file
from nightschool.cli.night import night_bar
from nightschool.cli.render import morning_line
from nightschool.cli.shows import SHOWS, Show

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_demo(
    folder: Path, teacher: str, *, nights: int | None, answers: int | None, seed: int, twin: bool
) -> None:
    """Several nights on the embedded default, what it learned, and a picture."""
    for name in THREADS:  # school and twin have one core each, and results are repeatable
        os.environ.setdefault(name, "1")
    show = SHOWS[teacher](seed, nights, answers)
    used = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if used and not (folder / "demo.json").exists():
        raise click.UsageError(f"{folder} exists and is not a demo's; name another with --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    facts = {"teacher": teacher, "nights": show.plan.nights, "answers": show.plan.answers}
    (folder / "demo.json").write_text(json.dumps(facts))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as other:
        beside: Future[Path] | None = None
        if twin:
            beside = other.submit(run_to_file, folder / "twin", show.twin, folder / "twin.jsonl")
        seen = show_nights(folder / "school", show)
        if beside is not None:
            click.echo("Waiting for the twin whose questions were drawn at random ...")
            beside.result()
    show.finish(folder, seen, twin_rows(folder))


def show_nights(folder: Path, show: Show) -> list[Morning]:
    """Before, every night with its line, and after."""
    with night_bar("init") as report:
        measure = show.plan.build(folder, lambda done, total: report("init", done, total))
    clock = Clock(time.time())
    seen: list[Morning] = []
    with School.open(folder, clock=clock) as school:
        show.before(school)
        nights = mornings(school, clock, show.plan, measure)
        while True:
            with night_bar(f"night {len(seen) + 1}") as school.report:
                morning = next(nights, None)
            if morning is None:
                break
            seen.append(morning)
            click.echo(morning_line(morning.verdict, school.status(), morning.spans))
            show.morning(school, morning)
        click.echo()
        show.after(school)
    return seen


def twin_rows(folder: Path) -> list[dict[str, Any]]:
    """The mornings of the twin; none where there was no twin."""
    path = folder / "twin.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
