"""Falcun: uncertain, and with predictions unlike those of the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.beliefs import believe
from nightschool.strategies.scores import top_two
from nightschool.strategies.seeding import key_of, race, topped_up
from nightschool.types import Blocks, Picks

_WIDE = 512
"""So many classes are kept in memory; more are read again for each pick."""


@dataclass(frozen=True)
class Falcun:
    """Each pick is drawn in proportion to (uncertainty + diversity) ** sharpness.

    Gilhuber et al. 2024, alg. 1: uncertainty is 1 less the margin; diversity starts as that and
    becomes the smallest L1 distance between predictions to any pick of this batch, scaled to
    [0, 1] before every draw. No embeddings are needed.
    """

    sharpness: float = 10.0

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts; scores are uncertainty + diversity when chosen, 0 to 2."""
        beliefs = believe(blocks, _WIDE)
        if n <= 0 or not len(beliefs):
            return Picks(np.empty(0, np.int64), np.empty(0))
        unsure = np.empty(len(beliefs), np.float32)
        for start, p in beliefs.chunks():
            first, second = top_two(p)
            unsure[start : start + len(p)] = 1 - (first - second)
        left, far = beliefs.sound.copy(), unsure.copy()
        chosen: list[int] = []
        scores: list[float] = []
        for turn in range(min(n, len(beliefs))):
            relevance = np.where(left, unsure + far, np.float32(0))
            top = relevance.max()
            weights = (relevance / top) ** np.float32(self.sharpness) if top > 0 else left * 1.0
            winner = race(beliefs.ids, np.asarray(weights, np.float32), key_of(key, turn))
            if winner < 0:
                break
            chosen.append(winner)
            scores.append(float(relevance[winner]))
            left &= beliefs.ids != beliefs.ids[winner]
            q = beliefs.rows(np.array([winner]))[0]
            for start, p in beliefs.chunks():
                part = far[start : start + len(p)]
                np.minimum(part, np.abs(p - q).sum(axis=1), out=part)
            far = _scaled(far, beliefs.sound)
        index = topped_up(np.array(chosen, np.int64), beliefs.ids, n, key)
        return Picks(index, np.pad(np.array(scores), (0, len(index) - len(scores))))


def _scaled(values: NDArray[np.float32], sound: NDArray[np.bool_]) -> NDArray[np.float32]:
    """From 0 to 1 over the sound ones; only shifted where all of them are equal."""
    if not sound.any():
        return values
    low, high = values[sound].min(), values[sound].max()
    scaled: NDArray[np.float32] = (values - low) / (high - low if high > low else np.float32(1))
    return np.clip(scaled, 0, 1, out=scaled)
