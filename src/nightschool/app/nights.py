"""Nights on schedule: a process of its own, with lower priority and bounded threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from nightschool.app.config import Config
from nightschool.warehouse import Warehouse
from nightschool.warehouse.night import STATES, night_lock


def night_threads(config: Config) -> int:
    """CPU threads of a night: as set, else all but one, so that the page stays fast."""
    return config.night_threads or max(1, (os.cpu_count() or 2) - 1)


def night_environment(config: Config) -> dict[str, str]:
    """The environment that bounds a night's threads; must be set before torch is imported."""
    threads = str(night_threads(config))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**dict.fromkeys(names, threads), "TOKENIZERS_PARALLELISM": "false"}


def night_command(folder: Path, *extra: str) -> list[str]:
    """The command line of one night."""
    return [sys.executable, "-m", "nightschool", "--school", str(folder), "night", *extra]


def step_of(warehouse: Warehouse) -> str:
    """The step of the night that is under way: the one after the last that ended, "" before any."""
    nights = warehouse.nights()
    if not nights or nights[-1].finished is not None:
        return ""
    begun = nights[-1]
    steps = list(STATES)
    done = [span.name for span in warehouse.spans(begun.number) if span.name in STATES]
    following = steps.index(done[-1]) + 1 if done else 0
    return steps[min(following, len(steps) - 1)]


class NightProcess:
    """At most one night of this school at a time, as a subprocess that yields to the page."""

    def __init__(
        self,
        folder: Path,
        config: Config,
        *extra: str,
        note: Callable[[str], object] = lambda by: None,
    ) -> None:
        """`extra` goes to each night's command; `note` is told who asked for one."""
        self.folder = folder
        self.config = config
        self._extra = extra
        self._note = note
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether a night that this process started is under way."""
        return self._process is not None and self._process.poll() is None

    def start(self, by: str = "", environment: Mapping[str, str] | None = None) -> bool:
        """Start a night, which `by` asked for (empty: the schedule); False when one is running."""
        with self._lock:
            if self.running or night_lock(self.folder).held():
                return False
            log = open(self.folder / "night.log", "ab")  # noqa: SIM115 (the child keeps it)
            try:
                self._process = subprocess.Popen(
                    [*nice_prefix(), *night_command(self.folder, *self._extra)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **night_environment(self.config), **(environment or {})},
                )
            finally:
                log.close()
        if by:
            self._note(by)
        return True

    def stop(self, seconds: float = 5.0) -> None:
        """End a running night; the next one resumes it."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def nice_prefix() -> list[str]:
    """A prefix that lowers the priority of a command, where the system has one."""
    return ["nice", "-n", "15"] if os.name == "posix" else []


def schedule(config: Config, start: Callable[[], object]) -> Callable[[], None]:
    """Call `start` every day at `night_at`; returns what stops the schedule."""
    if not config.night_at:
        return lambda: None
    from apscheduler.schedulers.background import BackgroundScheduler

    hour, minute = config.night_at.split(":")
    scheduler = BackgroundScheduler(daemon=True)  # in the local zone, summer time and all
    # A machine that slept through the hour still gets its night; two missed ones become one.
    scheduler.add_job(
        start, "cron", hour=hour, minute=minute, misfire_grace_time=6 * 3600, coalesce=True
    )
    scheduler.start()
    return lambda: scheduler.shutdown(wait=False)
