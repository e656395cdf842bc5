"""Recording: this process' timeline is written to the log every so often and at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from nightschool.timeline import PROCESS, Timeline
from nightschool.warehouse import Warehouse

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between writes: so much at most is unknown of a process that was killed."""

SLICE = 3600.0
"""Seconds after which a new slice begins, so that the last 24 hours can be told from the rest."""


@contextmanager
def recorded(
    warehouse: Warehouse,
    process: str,
    state: str = "other",
    *,
    line: Timeline = PROCESS,
    every: float = EVERY,
    longest: float = SLICE,
) -> Iterator[Timeline]:
    """Record a timeline under the name of the process while the block runs.

    `state` is where the process is when it is in no other; what came before counts as it was.
    """
    line.rename(process, state)
    over = threading.Event()

    def work() -> None:
        while True:  # at once: a process that is killed soon leaves a trace too
            try:
                write(warehouse, line, longest)
            except Exception:  # no figure is worth a night or an answer
                log.exception("The timeline could not be written; the next write holds it too.")
            if over.wait(every):
                return

    writer = threading.Thread(target=work, name="timeline", daemon=True)
    writer.start()
    try:
        yield line
    finally:
        over.set()
        writer.join()
        line.rename(process, "other")
        try:
            warehouse.timelines.keep(line.cut())
        except Exception:  # no more is it worth what went wrong in the block, or came of it
            log.exception("The end of the timeline could not be written.")


def write(warehouse: Warehouse, line: Timeline, longest: float = SLICE) -> None:
    """Write the present slice; a long one is closed, and the next begins where it ends."""
    found = line.read()
    if found.wall >= longest:
        found = line.cut()
    warehouse.timelines.keep(found)
