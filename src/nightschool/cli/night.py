"""`nightschool night`: one night, with a progress bar, and one line in the morning."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from nightschool.app.config import read_config
from nightschool.app.logs import set_up
from nightschool.app.machines import tell_webhooks
from nightschool.app.morning.recording import recorded
from nightschool.app.nights import night_environment
from nightschool.app.school import Report, School
from nightschool.app.status import broken, unanswered
from nightschool.cli.find import say
from nightschool.cli.render import morning_line

log = logging.getLogger("nightschool.night")


def run(folder: Path, rebuild: bool, log_format: str | None = None) -> None:
    """Run one night of the school in a folder."""
    if log_format:
        set_up(log_format)
    os.environ.update(
        {k: v for k, v in night_environment(read_config(folder)).items() if k not in os.environ}
    )
    with (
        night_bar("night") as report,
        School.open(folder, report=report) as school,
        recorded(school.warehouse, "night"),
    ):
        try:
            verdict = school.night(rebuild=rebuild)
        except KeyboardInterrupt:
            for what in broken(school.warehouse):
                say(what, err=True)
            raise SystemExit(130) from None  # as a shell tells it
        spans = school.warehouse.spans(verdict.night)
        lines = [morning_line(verdict, school.status(), spans), *unanswered(school.warehouse)]
        try:
            tell_webhooks(school)
        except Exception:  # the night is over, whoever hears of it
            log.exception("The webhooks could not be told; the next server or night tells them.")
    steps = {span.name: round(span.seconds, 3) for span in spans}
    told = {"night": verdict.night, "decision": verdict.decision.value, "serves": verdict.serves}
    log.info("night ended", extra={**told, "seconds": steps})
    for line in lines:
        say(line)


@contextmanager
def night_bar(title: str) -> Iterator[Report]:
    """A progress bar for one night; gone when the night is over, silent without a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task(title, total=None)

        def report(step: str, done: int, total: int) -> None:
            progress.update(task, description=f"{title}: {step}", completed=done, total=total)

        yield report
