"""Days of a school whose oracle answers by itself: it takes what waits, while `serve` runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from nightschool.app.school import School
from nightschool.loop import teach

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds between looks at an empty queue."""

LONGEST_PAUSE = 300.0


def begin_days(school: School, pause: float = PAUSE) -> Callable[[], None]:
    """Let the school's oracle answer the queue in a thread; returns what stops it.

    Only what a night has chosen is answered: an oracle that never tires would otherwise use up
    the pool at random. An error of the oracle is logged, and it is tried again ever more rarely.
    """
    if not school.config.oracle:
        return lambda: None
    closed = threading.Event()

    def work() -> None:
        wait = pause
        while not closed.is_set():
            try:
                done = teach(school, school.oracle, 1) if school.warehouse.queue_left() else 0
                wait = pause
            except Exception:
                log.exception("%s failed; it is asked again later.", school.config.oracle)
                done, wait = 0, min(LONGEST_PAUSE, 2 * wait)
            if not done:
                closed.wait(wait)

    thread = threading.Thread(target=work, name="oracle", daemon=True)
    thread.start()

    def stop() -> None:
        closed.set()
        thread.join(5.0)

    return stop
