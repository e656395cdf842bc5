"""The owner's test file as it is brought: each kind of school has its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nightschool.app.tasks.control import read_trajectories
from nightschool.app.tasks.drawing import read_drawings
from nightschool.exams import files
from nightschool.exams.text import item_id
from nightschool.types import (
    CAPTION,
    EXPERIMENT,
    ExamError,
    ExamItem,
    Experiment,
    PoolError,
    Trajectory,
    caption_document,
    caption_of,
)

FIRST_SHEET = 400_001
"""The number of an owner's first held-out drawing: nobody is asked that sheet."""


def read(path: Path, kind: str) -> list[ExamItem]:
    """The items of a test file for a school of that kind; ExamError names the line.

    Words: rows of context and answer. Drawing: JSON lines of "caption" and "picture", a path.
    Control: JSON lines, each a trajectory.
    """
    makers = {CAPTION: _drawings, EXPERIMENT: _trajectories}
    if kind not in makers:
        return files.read_exam_file(path)
    try:
        items = list(makers[kind](path))
    except PoolError as error:
        raise ExamError(str(error)) from error
    if not items:
        raise ExamError(f"{path}: the exam file is empty; add rows to it.")
    return items


def _drawings(path: Path) -> Iterator[ExamItem]:
    for number, drawing in enumerate(read_drawings(path)):
        caption = caption_of(drawing)
        context = caption_document(caption, FIRST_SHEET + number)
        yield ExamItem(item_id(context), context, (drawing,), caption, "file")


def _trajectories(path: Path) -> Iterator[ExamItem]:
    for document in read_trajectories(path):
        done = Trajectory.of(document)
        start = done.states[0]
        context = Experiment(done.system, start, start, done.actions).document()
        yield ExamItem(item_id(context), context, (document,), "recorded", "file")
