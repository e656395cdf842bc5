"""Seeding: points far from each other, one by one, by a draw or by the farthest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.types import Floats, Ids, uniform

Away = Callable[[int], NDArray[np.float32]]
"""Squared distance of every context (n,) to the one at that position: one pass over the pool."""

Turn = Callable[[NDArray[np.float32], NDArray[np.bool_], int], int]
"""(nearest (n,), allowed (n,), turn) -> the winner's position, or -1 where nothing can win."""

_TIE = np.float32(1 - 1e-5)
"""Distances this near are a tie: a product's last bits depend on the row's place in its block."""


def seeds(
    ids: Ids, nearest: NDArray[np.float32], away: Away, n: int, turn: Turn
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """At most n positions of different ids, and each one's squared distance when it was chosen.

    `nearest` (n,) is each context's squared distance to what is taken already, infinite where
    there is nothing. Each winner is taken in turn, so the next one keeps away from it too.
    """
    nearest = nearest.copy()
    allowed = np.ones(len(ids), np.bool_)
    chosen: list[int] = []
    far: list[float] = []
    for number in range(min(n, len(ids))):
        winner = turn(nearest, allowed, number)
        if winner < 0:
            break
        chosen.append(winner)
        far.append(float(nearest[winner]))
        allowed &= ids != ids[winner]
        if number < n - 1:
            np.minimum(nearest, away(winner), out=nearest)
    scores = np.nan_to_num(np.array(far, np.float64), posinf=0.0)
    return np.array(chosen, dtype=np.int64), scores


@dataclass(frozen=True, eq=False)
class Draw:
    """k-means++: a draw proportional to weight times squared distance.

    Arthur and Vassilvitskii 2007; made by the exponential race -log(u) / weight with draws keyed
    by id, so that the pool's order is moot. Where every distance is 0 or infinite, the weights
    alone decide; a weight that is 0 or no number never wins.
    """

    ids: Ids
    weights: NDArray[np.float32] | None
    key: int

    def __call__(self, nearest: NDArray[np.float32], allowed: NDArray[np.bool_], turn: int) -> int:
        """The winner of one race."""
        weights = np.ones(len(self.ids), np.float32) if self.weights is None else self.weights
        weights = np.where(allowed & (weights > 0) & (weights < np.inf), weights, np.float32(0))
        finite = nearest < np.inf
        pull = weights * (nearest if finite.all() else np.where(finite, nearest, np.float32(1)))
        return race(self.ids, pull if pull.any() else weights, key_of(self.key, turn))


def key_of(key: int, turn: int) -> int:
    """A key for one turn, far from those of other turns and of neighbouring keys."""
    return key + turn * 0xD1B54A32D192ED03


def race(ids: Ids, weights: NDArray[np.float32], key: int) -> int:
    """One draw proportional to the weights (n,), keyed by id; -1 where all of them are 0."""
    runners = np.flatnonzero(weights > 0)
    if not len(runners):
        return -1
    times = -np.log1p(-uniform(ids[runners], key)) / weights[runners]
    return int(runners[np.argmin(times)])


@dataclass(frozen=True, eq=False)
class Farthest:
    """Farthest first: the `sound` context with the largest distance; a tie is a keyed draw (n,)."""

    draws: NDArray[np.float64]
    sound: NDArray[np.bool_]

    def __call__(self, nearest: NDArray[np.float32], allowed: NDArray[np.bool_], turn: int) -> int:
        """The winner's position."""
        return largest(nearest, allowed & self.sound, self.draws)


def largest(
    values: NDArray[np.float32], allowed: NDArray[np.bool_], draws: NDArray[np.float64]
) -> int:
    """Position of the largest allowed value >= 0; a tie goes to the smallest draw; -1 for none."""
    left = np.where(allowed, values, np.float32(-1))
    best = left.max(initial=np.float32(-1))
    if best < 0:
        return -1
    ties = np.flatnonzero(left >= best * _TIE)
    return int(ties[np.argmin(draws[ties])])


def within(x: Floats) -> Away:
    """Squared distances among rows (n, d) that are in memory."""
    squares = np.einsum("ij,ij->i", x, x)

    def away(at: int) -> NDArray[np.float32]:
        scale = squares + squares[at]
        squared = scale - 2 * (x @ x[at])
        close = np.flatnonzero(squared < np.float32(1e-3) * scale)
        squared[close] = ((x[close] - x[at]) ** 2).sum(axis=1)
        return np.asarray(squared, np.float32)

    return away


def topped_up(index: NDArray[np.int64], ids: Ids, n: int, key: int) -> NDArray[np.int64]:
    """The positions, followed by keyed random ones up to n different ids."""
    missing = min(n, len(ids)) - len(index)
    if missing <= 0:
        return index
    left = np.flatnonzero(~np.isin(ids, ids[index]))
    order = left[np.lexsort((ids[left], uniform(ids[left], key)))]
    _, first = np.unique(ids[order], return_index=True)
    return np.concatenate([index, order[np.sort(first)][:missing]]).astype(np.int64)


__all__ = [
    "Away",
    "Draw",
    "Farthest",
    "Turn",
    "key_of",
    "largest",
    "race",
    "seeds",
    "topped_up",
    "within",
]
