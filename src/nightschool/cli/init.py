"""`nightschool init`: a school of words, of labels, of control or of drawing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.app.pool import STARTER_POOL
from nightschool.app.tasks import ClassificationTask, ControlTask, DrawingTask, Task, WordsTask
from nightschool.app.tasks.classification import read_labels
from nightschool.app.tasks.drawing import SHEETS
from nightschool.app.tasks.words import STARTER
from nightschool.cli.find import counted
from nightschool.cli.night import night_bar
from nightschool.cli.settings import split_pairs

NEXT = {
    "control": "nightschool teach --nights 5",
    "drawing": "nightschool night && nightschool serve",
}
"""What follows where the task brings contexts of its own."""


DEFAULT_ENV = "Pendulum-v1"
MEANT_FOR = {
    "model": ("words", "classification", "drawing"),
    "labels": ("classification",),
    "captions": ("drawing",),
    "env": ("control",),
}
"""The options that only some tasks have."""


def refuse_others(task: str, given: Mapping[str, object]) -> None:
    """Raise UsageError for an option that another task has and this one has not."""
    for name, value in given.items():
        if value and task not in MEANT_FOR[name]:
            tasks = " or ".join(f"--task {t}" for t in MEANT_FOR[name])
            raise click.UsageError(f"--{name} is for {tasks}; this school is of {task}.")


def begin(
    folder: Path,
    *,
    task: str,
    model: str,
    original: Path | None,
    exam: Path | None,
    learner: str | None,
    labels: Path | None,
    env: str | None,
    captions: Path | None,
    seed: int,
    database: str | None,
    pairs: tuple[str, ...],
) -> None:
    """Make the school, and say what it is and what comes next."""
    brought = {"model": model != STARTER, "labels": labels, "captions": captions, "env": env}
    refuse_others(task, brought)
    settings = {"seed": seed, **split_pairs(pairs)}
    if learner is not None:
        settings["learner"] = learner
    made: Task
    if task == "control":
        made = ControlTask(env or DEFAULT_ENV, settings.get("system_settings", {}), original)
    elif task == "drawing":
        made = DrawingTask(captions, model, original, settings.get("sheets", SHEETS))
    elif task == "classification":
        if labels is None:
            raise click.UsageError(
                "--task classification needs --labels FILE, a text file with one label a line."
            )
        made = ClassificationTask(read_labels(labels), model, original)
    else:
        made = WordsTask(model, original)
    with night_bar("init") as report:
        init_school(
            folder,
            made,
            exam=exam,
            settings=settings,
            database=database,
            progress=lambda done, total: report("exam", done, total),
        )
    with School.open(folder) as school:
        note = school.warehouse.meta("original_note")
        items = len(school.examiner.marked())
    click.echo(f"A school in {folder}. Model: {made.model}. Original dataset: {note}.")
    if items:
        click.echo(f"Its exam holds {counted(items, 'item')}.")
    click.echo(f"Next: {following(folder, made, task)}")


def following(folder: Path, made: Task, task: str) -> str:
    """What to type next, in a line that works as it stands."""
    enter = f"cd {shlex.quote(str(folder))}"
    if task in NEXT:
        return f"{enter} && {NEXT[task]}"
    if isinstance(made, WordsTask) and made.model == STARTER:
        return " && ".join((enter, *STARTER_POOL, "nightschool serve"))
    file = folder / "contexts.txt"
    return (
        f"write contexts that could be asked, one a line, into {file}, then: "
        f"{enter} && nightschool pool add {file.name} && nightschool serve"
    )
