"""Where the last 24 hours of the loop went, from the timelines of all its processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nightschool.timeline import Slice

HOURS = 24
IDLE, WAITING, ANSWERING = "idle", "waiting", "answering"

FIRST = ("night", "teach", "ask", "serve")
"""Where processes run side by side, the loop is where the first of them is: a night that trains
while people answer is what tomorrow's questions wait for."""


@dataclass(frozen=True)
class Day:
    """Seconds of each state between two moments (since 1970), which add up to their distance.

    `runs` is how many slices of timelines were read; without any, all of it is idle.
    """

    since: float
    until: float
    parts: Mapping[str, float]
    runs: int


def day(
    slices: Sequence[Slice],
    spells: Iterable[tuple[float, float]],
    until: float,
    hours: float = HOURS,
) -> Day:
    """The loop's time by state, exclusive.

    No process: idle. While a server waits it is "answering" where somebody had a question before
    them (`spells`, from shown to sent), else "waiting" for people. The time within one slice is
    taken to be spread evenly over it.
    """
    since = until - hours * 3600
    parts: dict[str, float] = {}
    thinking = merged((max(a, since), min(b, until)) for a, b in spells)
    edges = {since, until}
    for cut in slices:
        edges |= {t for t in (cut.began, cut.ended) if since < t < until}
    ordered = sorted(edges)
    for begin, end in pairwise(ordered):
        for state, seconds in _stretch(slices, thinking, begin, end):
            parts[state] = parts.get(state, 0.0) + seconds
    return Day(since, until, parts, len(slices))


def merged(spells: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same stretches without overlaps: what several do at once takes the time once."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(s for s in spells if s[1] > s[0]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _stretch(
    slices: Sequence[Slice], thinking: Sequence[tuple[float, float]], begin: float, end: float
) -> Iterable[tuple[str, float]]:
    length = end - begin
    here = [c for c in slices if c.began <= begin and c.ended >= end and c.wall > 0]
    if not here:
        return [(IDLE, length)]
    top = min(here, key=_rank)
    shares = {state: length * seconds / top.wall for state, seconds in top.parts.items()}
    busy = sum(max(min(b, end) - max(a, begin), 0.0) for a, b in thinking)
    people = min(busy, shares.get(WAITING, 0.0))
    if people > 0:
        shares[WAITING] -= people
        shares[ANSWERING] = shares.get(ANSWERING, 0.0) + people
    return shares.items()


def _rank(cut: Slice) -> tuple[int, float]:
    place = FIRST.index(cut.process) if cut.process in FIRST else len(FIRST)
    return place, -cut.began
