"""Choosing a batch from scores: the other half of a strategy."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightschool.types import Blocks, Floats, Observation, Picks, uniform

Score = Callable[..., NDArray[Any]]
"""score(observation) or score(observation, key) -> (n,) float; larger is asked sooner."""


@dataclass(frozen=True)
class Pool:
    """A whole pool's ids and scores, gathered block by block."""

    ids: NDArray[np.uint64]
    scores: NDArray[np.float64]
    key: int

    def ranked(self) -> NDArray[np.int64]:
        """Positions by falling score; ties in a keyed random order; equal ids only once."""
        return self._in_order(np.arange(len(self.ids)))

    def best(self, n: int) -> NDArray[np.int64]:
        """The first n of `ranked`, without sorting the rest."""
        if n <= 0:
            return np.empty(0, np.int64)
        many = n
        while many < len(self.ids):
            least = np.partition(self.scores, len(self.ids) - many)[len(self.ids) - many]
            first = self._in_order(np.flatnonzero(self.scores >= least))
            if len(first) >= n:
                return first[:n]
            many *= 4  # the same ids more than once
        return self.ranked()[:n]

    def _in_order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        order = rows[np.lexsort((uniform(self.ids[rows], self.key), -self.scores[rows]))]
        _, first = np.unique(self.ids[order], return_index=True)
        ranked: NDArray[np.int64] = order[np.sort(first)].astype(np.int64)
        return ranked


def gather(score: Score, blocks: Blocks, key: int) -> Pool:
    """Scores of the whole pool; a score that is not a number ranks last, never first."""
    keyed = len(inspect.signature(score).parameters) > 1
    ids: list[NDArray[np.uint64]] = []
    scores: list[NDArray[np.float64]] = []
    for block in blocks:
        with np.errstate(invalid="ignore"):  # what is no number ranks last, below
            values = np.asarray(score(block, key) if keyed else score(block), dtype=np.float64)
        if values.shape != (len(block),):
            raise ValueError(
                f"Score {getattr(score, '__name__', score)!r} gave shape {values.shape} for "
                f"{len(block)} contexts; it must give one number each, shape ({len(block)},)."
            )
        ids.append(block.ids)
        scores.append(np.where(np.isnan(values), -np.inf, values))
    if not ids:
        return Pool(np.empty(0, np.uint64), np.empty(0, np.float64), key)
    return Pool(np.concatenate(ids), np.concatenate(scores), key)


def places(blocks: Blocks) -> tuple[Floats, Floats]:
    """Embeddings of a pool (n, d) and of what was asked (a, d); what is no number counts as 0."""
    pool = np.concatenate([block.embeddings for block in blocks])
    asked = next((block.asked for block in blocks if block.has("asked")), pool[:0])
    return finite(pool), finite(asked)


def finite(embeddings: Floats) -> Floats:
    """Embeddings in which what is no number counts as 0."""
    return np.where(np.isfinite(embeddings), embeddings, np.float32(0))


@dataclass(frozen=True)
class ByScore:
    """The strategy that asks the contexts with the largest scores."""

    score: Score

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """The n best-scored different contexts, ties broken by keyed draws."""
        pool = gather(self.score, blocks, key)
        index = pool.best(n)
        return Picks(index, pool.scores[index])


def by_score(score: Score) -> ByScore:
    """A strategy from one function of an Observation."""
    return ByScore(score)


__all__ = ["ByScore", "Observation", "Pool", "Score", "by_score", "gather", "places"]
