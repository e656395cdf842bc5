"""Progress bars of many runs: one for all mornings, with the time left, one for each run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from nightschool.app.simulations import Watch


@contextmanager
def run_bars(mornings: Mapping[str, int], console: Console | None = None) -> Iterator[Watch]:
    """Bars on stderr for runs of so many mornings each; silent where there is no terminal."""
    console = console or Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        whole = progress.add_task("all mornings", total=sum(mornings.values()))
        bars = {n: progress.add_task(n, total=m, visible=False) for n, m in mornings.items()}
        reached = dict.fromkeys(mornings, 0)

        def watch(name: str, done: int, total: int) -> None:
            progress.advance(whole, done - reached[name])
            reached[name] = done
            progress.update(bars[name], completed=done, visible=0 < done < total)

        yield watch
