"""A night that is over, told to each tracker that the settings name."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from nightschool.app import parts
from nightschool.app.pace import LONGEST
from nightschool.types import ConfigError, NightReport, Tracker, Verdict
from nightschool.warehouse import Warehouse

log = logging.getLogger(__name__)

FAILED = "trackers_failed"
"""The key under which the log keeps what the last reports ran into; empty when all went well."""

REPORTED = "trackers_reported"
"""The key under which the log keeps the number of the newest night that was reported."""

WAITING = "trackers_waiting"
"""The key under which the log keeps, by tracker, the nights that it could not be told of (JSON)."""

MOST_WAITING = 30
"""A tracker is told at most of so many nights again, the newest."""

MakeTracker = Callable[[Path], Tracker]
"""What an entry point of the group `nightschool.trackers` names; gets a folder of its own."""


class Settings(Protocol):
    """The settings that are read here."""

    @property
    def trackers(self) -> str:
        """Names with commas."""


class Trackers:
    """Reports nights; a tracker that fails is noted and never breaks a night."""

    def __init__(self, folder: Path, name: str, warehouse: Warehouse, config: Settings) -> None:
        self._folder = folder
        self._name = name
        self._warehouse = warehouse
        self._names = [n.strip() for n in config.trackers.split(",") if n.strip()]

    def report(self, verdict: Verdict) -> Mapping[str, str]:
        """Tell every tracker of a night, first of those before that were killed unreported.

        Then, those that answer, of nights that they could not be told of. Returns what went wrong
        with this one, by tracker.
        """
        if not self._names:
            self._warehouse.set_meta(REPORTED, str(verdict.night))
            return {}
        found: dict[str, str] = {}
        told = []
        kept = json.loads(self._warehouse.meta(WAITING) or "{}")
        waiting = {name: set(kept.get(name, ())) - {verdict.night} for name in self._names}
        for each, mark in self._due(verdict):
            found = self._tell(each, mark, self._names)
            for name, what in found.items():
                waiting[name].add(each.night)
                told.append(f"Night {each.night} was not reported to {name}: {what}")
            self._keep(waiting)
            self._warehouse.set_meta(REPORTED, str(max(each.night, self._reported())))
        for name in self._names:
            if name not in found:
                self._tell_again(name, waiting)
        told += [
            f"{name} has still to be told of {len(nights)} nights; the next night tries again"
            for name, nights in waiting.items()
            if nights
        ]
        self._warehouse.set_meta(FAILED, ". ".join(told))
        return found

    def _tell_again(self, name: str, waiting: dict[str, set[int]]) -> None:
        """Tell a tracker of the nights that wait for it, newest first, until it fails."""
        verdicts = {v.night: v for v in self._warehouse.verdicts()}
        marks = self._marks()
        for night in sorted(waiting[name] & verdicts.keys(), reverse=True):
            if self._tell(verdicts[night], marks.get(night), [name]):
                return
            waiting[name].remove(night)
            self._keep(waiting)

    def _keep(self, waiting: Mapping[str, set[int]]) -> None:
        newest = {name: sorted(nights)[-MOST_WAITING:] for name, nights in waiting.items()}
        self._warehouse.set_meta(WAITING, json.dumps(newest))

    def _marks(self) -> dict[int, int]:
        return {n.number: n.answer_mark for n in self._warehouse.nights() if n.finished}

    def _due(self, verdict: Verdict) -> list[tuple[Verdict, int | None]]:
        """The nights that were killed before they were reported, then this one.

        Each with the last answer that it counts, None for all.
        """
        since = self._reported()
        marks = self._marks()
        missed = (v for v in self._warehouse.verdicts() if since < v.night < verdict.night)
        return [*((v, marks[v.night]) for v in missed if v.night in marks), (verdict, None)]

    def _reported(self) -> int:
        return int(self._warehouse.meta(REPORTED) or 0)

    def _tell(self, verdict: Verdict, mark: int | None, names: Sequence[str]) -> dict[str, str]:
        report = night_report(self._name, self._warehouse, verdict, mark)
        failed: dict[str, str] = {}
        for name in names:
            try:
                make: MakeTracker = parts.find("trackers", name)
                make(self._folder / "trackers" / name).report(report)
            except Exception as error:  # a stranger's code, a full disk, a server that is away
                log.warning("Night %s was not reported to %s: %s", verdict.night, name, error)
                failed[name] = str(error) if isinstance(error, ConfigError) else repr(error)
        return failed


def night_report(
    name: str, warehouse: Warehouse, verdict: Verdict, mark: int | None = None
) -> NightReport:
    """What a tracker is told of a night, from the log alone; `mark` is the last answer counted."""
    return NightReport(
        school=name,
        id=school_id(warehouse),
        verdict=verdict,
        version=warehouse.version(verdict.challenger),
        answers=warehouse.digest.effort(LONGEST, mark)[0],
        seconds={span.name: span.seconds for span in warehouse.spans(verdict.night)},
    )


def school_id(warehouse: Warehouse) -> str:
    """What tells a school from all others, whatever its folder is called; 12 characters."""
    born = f"{warehouse.meta('created')} {warehouse.meta('seed')}"
    return hashlib.sha256(born.encode()).hexdigest()[:12]
