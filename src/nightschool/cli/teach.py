"""`nightschool teach`: the school's own oracle answers, by the same door as a person."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nightschool.app import School
from nightschool.app.config import read_config
from nightschool.app.nights import night_environment
from nightschool.cli.night import night_bar
from nightschool.cli.render import morning_line
from nightschool.loop import teach


def teach_school(folder: Path, limit: int, nights: int) -> None:
    """Answer what waits (at most `limit`); with `nights`, learn from it, and again.

    A queue that no night has filled yet is filled by random draws.
    """
    environment = night_environment(read_config(folder))
    os.environ.update({k: v for k, v in environment.items() if k not in os.environ})
    with School.open(folder) as school:
        for turn in range(max(nights, 1)):
            waiting = school.warehouse.queue_left() or school.refill()
            count = min(limit, waiting) if limit else waiting
            with night_bar("teach") as report:
                done = teach(school, school.oracle, count, lambda d, n: report("day", d, n))
            replies = ", ".join(f"{n} {name}" for name, n in outcome(school, done).items())
            click.echo(f"Questions put to {school.oracle.person}: {done} ({replies or 'none'}).")
            for answer in school.warehouse.answers(newest=done) if done else ():
                if answer.note:
                    click.echo(f"  {answer.reply.value}: {answer.note}")
            if not nights:
                return
            with night_bar(f"night {turn + 1} of {nights}") as school.report:
                verdict = school.night()
            spans = school.warehouse.spans(verdict.night)
            click.echo(morning_line(verdict, school.status(), spans))


def outcome(school: School, done: int) -> dict[str, int]:
    """How many of the newest `done` answers were of which kind."""
    counts: dict[str, int] = {}
    for answer in school.warehouse.answers(newest=done) if done else ():
        counts[answer.reply.value] = counts.get(answer.reply.value, 0) + 1
    return counts
