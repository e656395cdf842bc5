"""Days of a school whose oracle answers by itself: it takes what waits, while `serve` runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack

from nightschool.app.school import School
from nightschool.loop import teach
from nightschool.oracles.physical import watched
from nightschool.types import LockedError, NightschoolError, Oracle

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds between looks at an empty queue."""

LONGEST_PAUSE = 300.0

CLOSING = 5.0
"""Seconds that a trial has to end by itself, and as many again once its system is stopped."""


def begin_days(
    school: School, pause: float = PAUSE, closing: float = CLOSING
) -> Callable[[], None]:
    """Let the school's oracle answer the queue in a thread; returns what stops it.

    Only what a night has chosen is answered: an oracle that never tires would otherwise use up
    the pool at random. An error of the oracle is logged, and it is tried again ever more rarely.
    Where somebody else lets this oracle answer, that is logged, and nothing happens.

    What stops it halts an oracle that can be halted and waits for the end of its trial; a system
    on which a trial still goes on after `closing` seconds is stopped over its head.
    """
    if not school.config.oracle:
        return lambda: None
    held = ExitStack()
    try:
        held.enter_context(school.warehouse.oracle_lock())
    except LockedError as error:
        log.warning("%s Then begin `nightschool serve` anew, and it answers here.", error)
        return lambda: None
    return _Days(school, held, pause, closing).stop


class _Days:
    """A thread that answers; as long as it lives it keeps what is `held`, the oracle's lock."""

    def __init__(self, school: School, held: ExitStack, pause: float, closing: float) -> None:
        self._school = school
        self._held = held
        self._pause = pause
        self._closing = closing
        self._oracle: Oracle | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="oracle", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let no further trial begin, and leave no system in the middle of one."""
        self._closed.set()
        halt = getattr(self._oracle, "halt", None)
        if halt is not None:
            halt()
        self._thread.join(self._closing)
        if self._thread.is_alive() and self._oracle is not None:
            self._make_safe()
            self._thread.join(self._closing)

    def _work(self) -> None:
        wait = self._pause
        with self._held:
            while not self._closed.is_set():
                try:
                    done, wait = self._answered(), self._pause
                except NightschoolError as error:  # its message says all there is to know
                    log.error("%s (It is asked again later.)", error)
                    done, wait = 0, min(LONGEST_PAUSE, 2 * wait)
                except Exception:
                    log.exception("%s failed; it is asked again later.", self._school.config.oracle)
                    done, wait = 0, min(LONGEST_PAUSE, 2 * wait)
                if not done:
                    self._closed.wait(wait)

    def _answered(self) -> int:
        """How many questions were answered: one, or none."""
        if not self._school.warehouse.queue_left():
            return 0
        self._oracle = self._school.oracle
        if self._closed.is_set():  # whoever closed may have come before there was an oracle
            return 0
        return teach(self._school, self._oracle, 1)

    def _make_safe(self) -> None:
        """Stop the system whatever its trial is doing; that may fail, which is logged."""
        system = self._school.system
        if system is None:
            return
        try:
            watched("stop", system.stop, self._closing)
        except Exception:
            log.exception("The system could not be stopped: make sure that it is safe.")
