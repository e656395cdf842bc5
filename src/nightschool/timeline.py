"""Where a process' time goes: at each moment it is in exactly one state, so the parts add up.

Code says what it does with `during("training")`; states nest, and the innermost is charged.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psutil

LOADING = "loading"
"""Starting up: the interpreter, imports, models read from disk."""


@dataclass(frozen=True)
class Slice:
    """A stretch of one process' life: seconds by state, which add up to `wall`.

    `began` is in seconds since 1970 (UTC), `night` the night that the process runs (0: none).
    `open` says that the process was alive when this was written, and would write it again.
    """

    id: str
    process: str
    night: int
    began: float
    wall: float
    parts: Mapping[str, float] = field(default_factory=dict)
    open: bool = False

    @property
    def ended(self) -> float:
        """Seconds since 1970 at which it ended, as far as it was written."""
        return self.began + self.wall


def wall_clock() -> float:
    """Seconds that pass evenly, those in which the machine sleeps with them; from any beginning."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):  # Linux; elsewhere the second does as much
        if hasattr(time, name):
            return time.clock_gettime(getattr(time, name))
    return time.perf_counter()


class Timeline:
    """One exclusive timeline: entering a state pauses the one around it.

    Threads may enter states at the same time; the moment then belongs to the state that was
    entered last and not left yet. `born` is when the process began, seconds since 1970: what
    passed before this timeline was made counts as loading.
    """

    def __init__(
        self,
        process: str = "",
        *,
        state: str = "other",
        born: float | None = None,
        clock: Callable[[], float] = wall_clock,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.process = process
        self.night = 0
        self.run = uuid.uuid4().hex
        self._clock = clock
        self._lock = threading.Lock()
        self._state = state
        self._open: dict[object, str] = {}
        self._since = clock()
        present = now()
        early = max(present - born, 0.0) if born is not None else 0.0
        self._began = present - early
        self._parts: dict[str, float] = {LOADING: early} if early else {}
        self._number = 0

    def rename(self, process: str, state: str) -> None:
        """Say what this process is, and its state when nothing was entered."""
        with self._lock:
            self._charge()
            self.process, self._state = process, state

    @contextmanager
    def during(self, state: str) -> Iterator[None]:
        """Be in a state for the length of a with block."""
        token = object()
        with self._lock:
            self._charge()
            self._open[token] = state
        try:
            yield
        finally:
            with self._lock:
                self._charge()
                del self._open[token]

    def read(self) -> Slice:
        """The present slice, up to now."""
        with self._lock:
            return self._read(True)

    def cut(self) -> Slice:
        """The present slice, for the last time: the next begins where it ends."""
        with self._lock:
            found = self._read(False)
            self._began, self._parts = found.ended, {}
            self._number += 1
            return found

    def _read(self, still: bool) -> Slice:
        self._charge()
        parts = MappingProxyType(dict(self._parts))
        name = f"{self.run}-{self._number}"
        wall = sum(parts.values())
        return Slice(name, self.process, self.night, self._began, wall, parts, still)

    def _charge(self) -> None:
        now = self._clock()
        state = next(reversed(self._open.values()), self._state)
        if now > self._since:
            self._parts[state] = self._parts.get(state, 0.0) + now - self._since
        self._since = now


def born() -> float:
    """When this process began, in seconds since 1970, to a hundredth of a second."""
    try:
        # Linux: in ticks since the machine began. (psutil adds these to a time of the machine's
        # beginning that is kept in whole seconds.)
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        return time.time() - age
    except (OSError, AttributeError, ValueError, IndexError):
        return psutil.Process().create_time()


PROCESS = Timeline(state=LOADING, born=born())
"""This process' own timeline, from its first moment."""


during = PROCESS.during
"""Be in a state of this process' timeline: `with during("training"):`, or as a decorator."""
