"""MaxHerding: contexts whose neighbourhoods cover the pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.kmeans import sampled
from nightschool.strategies.places import survey
from nightschool.strategies.seeding import topped_up
from nightschool.types import Blocks, Floats, Picks, uniform

_AT_ONCE = 128
"""Candidates whose gain is brought up to date together."""


@dataclass(frozen=True)
class MaxHerding:
    """Greedy coverage: the pick that adds most to the mean likeness of the pool to what is known.

    Bae, Noh and Sutherland 2024, alg. 1: the likeness to the nearest known or chosen context by a
    Gaussian kernel exp(-|x - y|^2 / width^2) on embeddings of length 1. The mean is taken over
    `landmarks` contexts and the maximum over `candidates`, both drawn by key: exact where the
    pool holds no more (agreement: docs/lab/acquisition.md).
    """

    width: float = 1.0
    landmarks: int = 2_048
    candidates: int = 16_384

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts; scores are the gains in mean likeness, in [0, 1]."""
        places = survey(blocks)
        if n <= 0 or not len(places):
            return Picks(np.empty(0, np.int64), np.empty(0))
        at = sampled(places.ids, self.candidates, key, places.sound)
        marks = unit(places.rows(sampled(places.ids, self.landmarks, key + 1, places.sound)))
        covered = likeness(marks, unit(places.asked), self.width)
        draws = uniform(places.ids[at], key)
        chosen, gains = herd(unit(places.rows(at)), marks, covered, n, draws, width=self.width)
        index = topped_up(at[chosen], places.ids, n, key)
        return Picks(index, np.pad(gains, (0, len(index) - len(gains))))


def herd(
    x: Floats,
    marks: Floats,
    covered: NDArray[np.float32],
    n: int,
    draws: NDArray[np.float64],
    *,
    width: float,
    weights: NDArray[np.float32] | None = None,
    worth: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """n rows of x (c, d) that add most to the weighted mean cover of the marks (l, d).

    `covered` (l,) is the likeness to what is known already, `weights` (l,) count the marks (1
    each), `worth` (c,) multiplies each row's own gain, `draws` (c,) break ties. Gains only fall
    as more is chosen, so a candidate is looked at again only while its last known gain could
    still win (Minoux 1978).
    """
    share = np.full(len(marks), 1.0, np.float32) if weights is None else weights
    share = share / np.float32(max(float(share.sum()), 1e-12))
    field = _Field(x, marks, share, np.ones(len(x), np.float32) if worth is None else worth, width)
    covered = covered.copy()
    gains = field.gains(np.arange(len(x)), covered)
    fresh = np.zeros(len(x), np.int64)  # the turn for which each gain is right
    chosen: list[int] = []
    won: list[float] = []
    for turn in range(min(n, len(x))):
        while True:
            ties = np.flatnonzero(gains >= gains.max())
            if (fresh[ties] == turn).all():
                break
            rows = _could_win(gains, fresh < turn)
            gains[rows], fresh[rows] = field.gains(rows, covered), turn
        best = int(ties[np.argmin(draws[ties])])
        chosen.append(best)
        won.append(float(gains[best]))
        gains[best], fresh[best] = -1, n  # never again
        np.maximum(covered, _kernel(x[[best]], marks, width)[0], out=covered)
    return np.array(chosen, np.int64), np.array(won)


@dataclass(frozen=True, eq=False)
class _Field:
    """Candidates (c, d), marks (l, d), each mark's share of the mean, each candidate's worth."""

    x: Floats
    marks: Floats
    share: NDArray[np.float32]
    worth: NDArray[np.float32]
    width: float

    def gains(self, rows: NDArray[np.int64], covered: NDArray[np.float32]) -> NDArray[np.float32]:
        """What each of those candidates would add to the mean cover, times its worth."""
        gains = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            more = _kernel(self.x[part], self.marks, self.width)
            more -= covered
            np.maximum(more, 0, out=more)
            gains[start : start + _AT_ONCE] = (more @ self.share) * self.worth[part]
        return gains


def _could_win(gains: NDArray[np.float32], stale: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The stale ones among the largest gains, _AT_ONCE at most; all the largest where none is."""
    many = min(_AT_ONCE, len(gains))
    top = np.argpartition(-gains, many - 1)[:many]
    rows: NDArray[np.int64] = top[stale[top]]
    return rows if len(rows) else np.flatnonzero(stale & (gains >= gains.max()))[:_AT_ONCE]


def _kernel(x: Floats, y: Floats, width: float) -> Floats:
    """exp(-|x - y|^2 / width^2) of rows of length 1, (m, l)."""
    products: Floats = x @ y.T
    products *= np.float32(2 / width**2)
    products -= np.float32(2 / width**2)
    np.minimum(products, 0, out=products)
    np.exp(products, out=products)
    return products


def likeness(marks: Floats, known: Floats, width: float) -> NDArray[np.float32]:
    """Each mark's largest kernel to what is known (a, d), (l,); 0 where nothing is."""
    covered = np.zeros(len(marks), np.float32)
    for start in range(0, len(known), _AT_ONCE):
        part = _kernel(known[start : start + _AT_ONCE], marks, width)
        np.maximum(covered, part.max(axis=0), out=covered)
    return covered


def unit(x: Floats) -> Floats:
    """The rows (m, d) at length 1; an origin stays where it is."""
    lengths = np.sqrt(np.einsum("ij,ij->i", x, x))[:, None]
    ones = np.zeros_like(x)
    np.divide(x, lengths, out=ones, where=lengths > 0)
    return ones
