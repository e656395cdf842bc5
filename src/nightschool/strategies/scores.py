"""Scores: one number a context, from an Observation alone. Larger is asked sooner."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightschool.types import Floats, Observation, uniform


def plogp(p: Floats) -> NDArray[np.float64]:
    """Sum of p log p over the last axis in nats, with 0 log 0 = 0."""
    p64 = np.asarray(p, dtype=np.float64)
    total: NDArray[np.float64] = (p64 * np.log(np.where(p64 > 0, p64, 1.0))).sum(axis=-1)
    return total


def entropy(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """Shannon entropy of the mean prediction in nats: 0 when sure, log(k) when lost.

    Settles 2009, sec. 3.1.
    """
    return -plogp(observation.probs.mean(axis=0))


def bald(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """What the answer would tell about the model: entropy of the mean less the mean entropy.

    In nats, 0 when all posterior samples say the same, however unsure they are (Houlsby et al.
    2011, eq. 1; Gal et al. 2017). It does not chase contexts that have no right answer.
    """
    spread: NDArray[np.float64] = plogp(observation.probs).mean(axis=0)
    information: NDArray[np.float64] = np.clip(entropy(observation) + spread, 0.0, None)
    return information


def random_scores(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """A uniform draw in [0, 1) keyed by id: the baseline that every claim is held against."""
    return uniform(observation.ids, key)
