"""For how long a question is kept for a person: a few times what they take for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from nightschool.app.config import Config
from nightschool.loop import Overlap
from nightschool.warehouse import Warehouse

TIMES = 3.0
"""A lease lasts so many times the person's usual seconds."""

SHORTEST = 30.0
"""Seconds that a lease lasts at least: time to read, to be called away, to come back."""

HISTORY = 5
"""Timed answers from which a pace is told; with fewer it is everybody's."""

NEWEST = 50
"""Answers that a pace is told from, the newest."""

FRESH = 60.0
"""Seconds for which a pace is remembered: nobody's pace is looked up at every question."""


def lease_seconds(
    own: Sequence[float], everybody: Sequence[float], ahead: int, most: float
) -> float:
    """How long a lease lasts: `TIMES` the median of the person's seconds an answer.

    Whoever has too short a history is taken to be like everybody. `ahead` questions are before
    this one on the person's screen, and their time is added. Between `SHORTEST` and `most`
    seconds, and `most` while nobody has a history.
    """
    known = own if len(own) >= HISTORY else everybody
    if len(known) < HISTORY:
        return most
    return min(most, max(SHORTEST, TIMES * median(known) * (1 + ahead)))


def overlap_of(config: Config) -> Overlap:
    """Which share of a school's questions is asked of how many; none where an oracle answers."""
    return Overlap(0.0 if config.oracle else config.overlap, config.overlap_people)


@dataclass(frozen=True)
class _Pace:
    seconds: Sequence[float]
    until: float


class Leases:
    """Remembers each person's pace for a minute; safe for many threads."""

    def __init__(self, warehouse: Warehouse, most: float, clock: Callable[[], float]) -> None:
        self._warehouse = warehouse
        self._most = most
        self._now = clock
        self._paces: dict[str, _Pace] = {}

    def seconds(self, person: str, ahead: int = 0) -> float:
        """How long that person's next lease lasts, with so many questions before it."""
        own = self._pace(person)
        everybody = self._pace("") if len(own) < HISTORY else ()
        return lease_seconds(own, everybody, ahead, self._most)

    def _pace(self, person: str) -> Sequence[float]:
        now = self._now()
        known = self._paces.get(person)
        if known is None or not now < known.until <= now + FRESH:
            if len(self._paces) > 10_000:  # names that somebody made up
                self._paces.clear()
            known = _Pace(self._warehouse.seconds(person or None, NEWEST), now + FRESH)
            self._paces[person] = known
        return known.seconds
