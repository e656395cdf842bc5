"""`nightschool init`: a school of words, of control or of drawing."""

from __future__ import annotations

from pathlib import Path

import click

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.app.tasks import ControlTask, DrawingTask, Task, WordsTask
from nightschool.cli.night import night_bar
from nightschool.cli.settings import split_pairs

NEXT = {
    "words": "nightschool pool add FILE && nightschool serve",
    "control": "nightschool teach --nights 5",
    "drawing": "nightschool night && nightschool serve",
}


def begin(
    folder: Path,
    *,
    task: str,
    model: str,
    original: Path | None,
    exam: Path | None,
    learner: str | None,
    env: str,
    captions: Path | None,
    seed: int,
    pairs: tuple[str, ...],
) -> None:
    """Make the school, and say what it is and what comes next."""
    settings = {"seed": seed, **split_pairs(pairs)}
    if learner is not None:
        settings["learner"] = learner
    made: Task
    if task == "control":
        made = ControlTask(env, settings.get("system_settings", {}), original)
    elif task == "drawing":
        made = DrawingTask(captions, model, original)
    else:
        made = WordsTask(model, original)
    with night_bar("init") as report:
        init_school(
            folder,
            made,
            exam=exam,
            settings=settings,
            progress=lambda done, total: report("exam", done, total),
        )
    with School.open(folder) as school:
        note = school.warehouse.meta("original_note")
        items = len(school.examiner.bank())
    click.echo(f"A school in {folder}. Model: {made.model}. Original dataset: {note}.")
    if items:
        click.echo(f"Its exam holds {items} items.")
    click.echo(f"Next: cd {folder} && {NEXT[task]}")
