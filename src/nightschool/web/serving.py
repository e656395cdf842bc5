"""Serving: the champion in memory, followed as nights promote another one."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from nightschool.types import Generator, NightschoolError, Version
from nightschool.web.desk import Desk

log = logging.getLogger(__name__)

ALIAS = "nightschool"
"""The model name that always means the champion."""


class UnknownModel(NightschoolError):
    """A request names a model that does not serve."""


@dataclass(frozen=True)
class Served:
    """A version with its model, ready to complete texts."""

    version: Version
    generator: Generator


class Serving:
    """Holds the champion's model; loads it when first asked, then follows the log.

    A new champion is loaded in a background thread and swapped in as one reference, so requests
    under way keep the model that they began with. Its predecessor still answers to its own name
    for `grace` seconds, for clients that had just looked the name up.
    """

    def __init__(self, school: Desk, *, every: float = 1.0, grace: float = 60.0) -> None:
        self.school = school
        self.every, self.grace = every, grace
        self._now: Served | None = None
        self._before: Served | None = None
        self._swapped = 0.0
        self._loading = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def get(self, name: str = ALIAS) -> Served:
        """The model of that name: the champion, or the one it just replaced; may load it first."""
        now = self._now
        if now is None:
            now = self.follow()
        if name in (ALIAS, now.version.id):
            return now
        before = self._before
        if before is not None and name == before.version.id:
            return before
        if name == self.school.champion().id:  # promoted a moment ago; be the one who loads it
            return self.follow()
        raise UnknownModel(
            f"The model {name!r} does not serve; ask for {ALIAS!r}, which is always the champion "
            f"(now {now.version.id!r})."
        )

    def follow(self) -> Served:
        """Load the champion of this moment, unless it is loaded, and let it serve."""
        with self._loading:
            champion = self.school.champion()
            now = self._now
            if now is not None and now.version.id == champion.id:
                return now
            new = Served(champion, self.school.generator(champion))
            self._before, self._now, self._swapped = now, new, time.monotonic()
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._watch, name="serving", daemon=True)
                self._thread.start()
            return new

    def close(self) -> None:
        """Stop following."""
        self._closed.set()

    def _watch(self) -> None:
        wait = self.every
        while not self._closed.wait(wait):
            try:
                self.follow()
                wait = self.every
            except Exception:
                # The old champion serves on; a model that does not load is tried again, rarely.
                log.exception("The new champion could not be loaded; the former one serves on.")
                wait = min(60.0, 2 * wait)
            if self._before is not None and time.monotonic() - self._swapped > self.grace:
                self._before = None
