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
        draws = uniform(self.ids, self.key)
        order = np.lexsort((draws, -self.scores))
        _, first = np.unique(self.ids[order], return_index=True)
        ranked: NDArray[np.int64] = order[np.sort(first)].astype(np.int64)
        return ranked


def gather(score: Score, blocks: Blocks, key: int) -> Pool:
    """Scores of the whole pool; a score that is not a number ranks last, never first."""
    keyed = len(inspect.signature(score).parameters) > 1
    ids: list[NDArray[np.uint64]] = []
    scores: list[NDArray[np.float64]] = []
    for block in blocks:
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
    return _numbers(pool), _numbers(asked)


def _numbers(embeddings: Floats) -> Floats:
    return np.where(np.isfinite(embeddings), embeddings, np.float32(0))


@dataclass(frozen=True)
class ByScore:
    """The strategy that asks the contexts with the largest scores."""

    score: Score

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """The n best-scored different contexts, ties broken by keyed draws."""
        pool = gather(self.score, blocks, key)
        index = pool.ranked()[: max(n, 0)]
        return Picks(index, pool.scores[index])


def by_score(score: Score) -> ByScore:
    """A strategy from one function of an Observation."""
    return ByScore(score)


def spread(
    embeddings: NDArray[np.float32],
    weights: NDArray[np.float64],
    ids: NDArray[np.uint64],
    taken: NDArray[np.float32],
    n: int,
    key: int,
) -> NDArray[np.int64]:
    """n positions drawn by weighted k-means++: far from `taken` and from each other.

    Each draw is proportional to weight times squared distance to the nearest taken embedding
    (Arthur and Vassilvitskii 2007), made by the exponential race -log(u) / weight with draws
    keyed by id, so the pool's order is moot. `embeddings` (m, d), `taken` (t, d).
    """
    squared = _squared_to(embeddings, taken)
    allowed = np.isfinite(weights) & (weights > 0)
    chosen: list[int] = []
    for turn in range(min(n, len(ids))):
        far = np.where(np.isfinite(squared), np.maximum(squared, 0.0), 1.0)
        pull = np.where(allowed, weights * far, 0.0)
        if not pull.any():
            pull = np.where(allowed, weights, 0.0)
        if not pull.any():
            break
        race = -np.log(1.0 - uniform(ids, key + turn))
        with np.errstate(divide="ignore"):
            winner = int(np.argmin(np.where(pull > 0, race / np.where(pull > 0, pull, 1), np.inf)))
        chosen.append(winner)
        allowed &= ids != ids[winner]
        squared = np.minimum(squared, _squared_to(embeddings, embeddings[winner : winner + 1]))
    return np.array(chosen, dtype=np.int64)


def _squared_to(x: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float64]:
    """Squared distance of each row to the nearest centre; infinite where there is no centre."""
    nearest = np.full(len(x), np.inf)
    norms = (x.astype(np.float64) ** 2).sum(axis=1)
    for start in range(0, len(centres), 1024):
        part = centres[start : start + 1024].astype(np.float64)
        cross = norms[:, None] - 2.0 * (x @ part.T) + (part**2).sum(axis=1)
        nearest = np.minimum(nearest, cross.min(axis=1))
    return nearest


__all__ = ["ByScore", "Observation", "Pool", "Score", "by_score", "gather", "places", "spread"]
