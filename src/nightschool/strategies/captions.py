"""Which captions to have drawn: those drawn least often, and of those the least sure ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.batch import places
from nightschool.strategies.information import information
from nightschool.types import Blocks, Floats, Observation, Picks, uniform

_SAME = 1e-4
"""Squared distance below which two captions are the same."""


def gain(observation: Observation) -> NDArray[np.float64]:
    """What a drawing would tell, in nats a direction; 0 where the values are no numbers."""
    told: NDArray[np.float64] = np.nan_to_num(
        information(observation), nan=0.0, posinf=0.0, neginf=0.0
    )
    return told


@dataclass(frozen=True)
class Captions:
    """Even coverage first: no caption a second time before every other was drawn once.

    Among captions drawn equally often, the members' disagreement decides, weighed with how far
    (in words) a caption is from those chosen in the same batch, so that a batch spreads over
    sizes, places and counts. Plain bookkeeping is hard to beat here (disagreement alone asks for
    the same hard captions again), and so it comes first. Not `weighed`, it is that bookkeeping
    alone: a keyed draw among the captions drawn least often.
    """

    weighed: bool = True

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts; a score is disagreement in [0, 1) less drawings so far."""
        if n <= 0 or not any(len(b) for b in blocks):
            return Picks(np.empty(0, np.int64), np.empty(0, np.float64))
        ids = np.concatenate([b.ids for b in blocks])
        embeddings, asked = places(blocks)
        captions, which = _captions(embeddings)
        counts = _counts(captions, asked)
        told = np.concatenate([gain(b) for b in blocks])
        share = np.zeros(len(captions))
        if self.weighed:
            np.add.at(share, which, told / (1.0 + told))
            share /= np.bincount(which, minlength=len(captions))
        sheets = _sheets(ids, which, key)
        return _greedy(captions, counts, share, sheets, uniform(_names(ids, which), key), n)


def _captions(embeddings: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The different embeddings (c, d), and which of them each row is, (n,).

    Rows that are the same but for the noise of arithmetic are one caption: the smallest of them.
    """
    rows, which = np.unique(embeddings, axis=0, return_inverse=True)
    first = np.arange(len(rows))
    for start in range(0, len(rows), 256):
        own = first[start : start + 256]
        same = _squared(rows[own], rows[: start + len(own)]) < _SAME
        same[np.arange(len(own)), own] = True
        first[start : start + 256] = same.argmax(axis=1)
    while (first != first[first]).any():  # a row is what its like is
        first = first[first]
    kept, place = np.unique(first, return_inverse=True)
    return rows[kept], place[which.reshape(-1)].astype(np.int64)


def _counts(captions: Floats, asked: Floats) -> NDArray[np.float64]:
    """How many rows of `asked` (a, d) are the same as each caption (c, d)."""
    counts = np.zeros(len(captions))
    if not len(asked):
        return counts
    rows, repeats = np.unique(asked, axis=0, return_counts=True)
    for start in range(0, len(rows), 1024):
        part = rows[start : start + 1024]
        counts += (_squared(captions, part) < _SAME) @ repeats[start : start + 1024]
    return counts


def _squared(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Squared distances (n, m) between rows."""
    a, b = x.astype(np.float64), y.astype(np.float64)
    squared: NDArray[np.float64] = (a**2).sum(axis=1)[:, None] - 2.0 * a @ b.T + (b**2).sum(axis=1)
    return squared


def _sheets(ids: NDArray[np.uint64], which: NDArray[np.int64], key: int) -> list[list[int]]:
    """The positions of each caption, to be taken from the end; each id only once."""
    sheets: list[list[int]] = [[] for _ in range(int(which.max()) + 1)]
    _, first = np.unique(ids, return_index=True)
    draws = uniform(ids, key + 1)
    for at in first[np.lexsort((ids[first], draws[first]))]:
        sheets[which[at]].append(int(at))
    return sheets


def _names(ids: NDArray[np.uint64], which: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A name for each caption that does not depend on the pool's order: its smallest id."""
    names = np.full(int(which.max()) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(names, which, ids)
    return names


def _greedy(
    captions: Floats,
    counts: NDArray[np.float64],
    share: NDArray[np.float64],
    sheets: list[list[int]],
    draws: NDArray[np.float64],
    n: int,
) -> Picks:
    """Fewest drawings first; then disagreement times distance to this batch; then a keyed draw."""
    counts = counts.copy()
    far = np.ones(len(captions))
    index: list[int] = []
    scores: list[float] = []
    for _ in range(min(n, sum(map(len, sheets)))):
        left = np.array([bool(s) for s in sheets])
        fewest = left & (counts == counts[left].min())
        worth = np.where(fewest, share * far, -1.0)
        best = np.flatnonzero(worth == worth.max())
        winner = int(best[np.argmin(draws[best])])
        index.append(sheets[winner].pop())
        scores.append(float(share[winner] - counts[winner]))
        counts[winner] += 1
        away = _squared(captions, captions[winner : winner + 1])[:, 0]
        far = np.minimum(far, np.clip(away, 0.0, None) / max(float(away.max()), 1e-12))
    return Picks(np.array(index, np.int64), np.array(scores))
