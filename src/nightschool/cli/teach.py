"""`nightschool teach`: the school's own oracle answers, by the same door as a person."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nightschool.app import School
from nightschool.app.config import read_config
from nightschool.app.morning.recording import recorded
from nightschool.app.nights import night_environment
from nightschool.cli.night import night_bar
from nightschool.cli.render import morning_line
from nightschool.cli.serve import interrupt_on_term
from nightschool.loop import teach
from nightschool.types import EXPERIMENT, Oracle


def teach_school(folder: Path, limit: int, nights: int) -> None:
    """Answer what waits (at most `limit`); with `nights`, learn from it, and again.

    A queue that no night has filled yet is filled by random draws. LockedError where this oracle
    answers already: two trials at once on one robot would be its end.
    """
    environment = night_environment(read_config(folder))
    os.environ.update({k: v for k, v in environment.items() if k not in os.environ})
    interrupt_on_term()
    with School.open(folder) as school, recorded(school.warehouse, "teach"):
        oracle = school.oracle  # first: without one nothing is drawn
        with school.warehouse.oracle_lock():
            if not nights:
                teach_day(school, oracle, limit)
            for turn in range(nights):
                teach_day(school, oracle, limit)
                with night_bar(f"night {turn + 1} of {nights}") as school.report:
                    verdict = school.night()
                spans = school.warehouse.spans(verdict.night)
                click.echo(morning_line(verdict, school.status(), spans))


def teach_day(school: School, oracle: Oracle, limit: int) -> None:
    """Let the oracle answer what waits, at most `limit` (0: all), and say what came of it."""
    waiting = school.warehouse.queue_left() or school.refill()
    if not waiting:
        what = "experiments" if school.kind == EXPERIMENT else "contexts"
        click.echo(
            f"Nothing waits: add {what} with `nightschool pool add FILE`, or let a night choose "
            "with `nightschool night`."
        )
        return
    count = min(limit, waiting) if limit else waiting
    with night_bar("teach") as report:
        done = teach(school, oracle, count, lambda d, n: report("day", d, n))
    replies = ", ".join(f"{n} {name}" for name, n in outcome(school, done).items())
    click.echo(f"Questions put to {oracle.person}: {done} ({replies or 'none'}).")
    for answer in school.warehouse.answers(newest=done) if done else ():
        if answer.note:
            click.echo(f"  {answer.reply.value}: {answer.note}")


def outcome(school: School, done: int) -> dict[str, int]:
    """How many of the newest `done` answers were of which kind."""
    counts: dict[str, int] = {}
    for answer in school.warehouse.answers(newest=done) if done else ():
        counts[answer.reply.value] = counts.get(answer.reply.value, 0) + 1
    return counts
