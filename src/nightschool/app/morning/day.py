"""Where the last 24 hours of the loop went, from the timelines of all its processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nightschool.timeline import Slice

Floats = NDArray[np.float64]

HOURS = 24
SILENT = 60.0
"""Seconds without a word after which a process, which writes every 10, was killed."""

IDLE, WAITING, ANSWERING = "idle", "waiting", "answering"

FIRST = ("night", "teach", "ask", "serve")
"""Where processes run side by side, the loop is where the first of them is: a night that trains
while people answer is what tomorrow's questions wait for."""


@dataclass(frozen=True)
class Day:
    """Seconds of each state between two moments (since 1970), which add up to their distance.

    `runs` is how many slices of timelines were read; without any, all of it is idle. `cut` is how
    many of them are cut off: their process was killed, and what it did afterwards is not known.
    """

    since: float
    until: float
    parts: Mapping[str, float]
    runs: int
    cut: int = 0


def day(
    slices: Sequence[Slice],
    spells: Sequence[Sequence[float]],
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
    thinking = np.clip(merged(spells), since, until)
    edges = {since, until}
    for cut in slices:
        edges |= {t for t in (cut.began, cut.ended) if since < t < until}
    ordered = sorted(edges)
    for begin, end in pairwise(ordered):
        for state, seconds in _stretch(slices, thinking, begin, end):
            parts[state] = parts.get(state, 0.0) + seconds
    return Day(since, until, parts, len(slices), sum(cut_off(s, until) for s in slices))


def cut_off(found: Slice, now: float) -> bool:
    """Whether a process that did not end by itself stopped writing its timeline."""
    return found.open and now - found.ended > SILENT


def merged(spells: Sequence[Sequence[float]]) -> Floats:
    """The same stretches (n, 2) without overlaps: what several do at once takes the time once."""
    made = np.array(spells, dtype=np.float64).reshape(-1, 2)
    made = made[made[:, 1] > made[:, 0]]
    begins, ends = made[np.argsort(made[:, 0])].T
    reach = np.maximum.accumulate(ends)
    apart = begins[1:] > reach[:-1]
    first = np.concatenate([np.ones(min(len(made), 1), bool), apart])
    last = np.concatenate([apart, np.ones(min(len(made), 1), bool)])
    return np.stack([begins[first], reach[last]], axis=1)


def _stretch(
    slices: Sequence[Slice], thinking: Floats, begin: float, end: float
) -> Iterable[tuple[str, float]]:
    length = end - begin
    here = [c for c in slices if c.began <= begin and c.ended >= end and c.wall > 0]
    if not here:
        return [(IDLE, length)]
    top = min(here, key=_rank)
    shares = {state: length * seconds / top.wall for state, seconds in top.parts.items()}
    busy = float(np.diff(np.clip(thinking, begin, end)).sum())
    people = min(busy, shares.get(WAITING, 0.0))
    if people > 0:
        shares[WAITING] -= people
        shares[ANSWERING] = shares.get(ANSWERING, 0.0) + people
    return shares.items()


def _rank(cut: Slice) -> tuple[int, float]:
    place = FIRST.index(cut.process) if cut.process in FIRST else len(FIRST)
    return place, -cut.began
