"""Scores: one number a context, from an Observation alone. Larger is asked sooner."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightschool.types import Floats, Observation, uniform


def plogp(p: Floats) -> NDArray[np.float64]:
    """Sum of p log p over the last axis in nats, with 0 log 0 = 0."""
    total = np.empty(p.shape[:-1])
    for at in np.ndindex(p.shape[:-2]):
        rows = p[at]
        for start in range(0, len(rows), 4096):  # float64 for a few rows at a time
            part = rows[start : start + 4096].astype(np.float64)
            part *= np.log(np.where(part > 0, part, 1.0))
            total[at][start : start + 4096] = part.sum(axis=-1)
    return total


def mean_probs(observation: Observation) -> Floats:
    """The posterior samples' mean prediction (n, k): the model's answer, its doubt included."""
    probs = np.asarray(observation.probs, np.float32)
    mean: Floats = probs[0].copy()
    for sample in probs[1:]:
        mean += sample
    mean /= np.float32(len(probs))
    return mean


def top_two(probs: Floats) -> tuple[Floats, Floats]:
    """The largest and second largest of each row (n, k), (n,) each; the second is 0 for k = 1."""
    first = np.zeros(len(probs), np.float32)
    second = np.zeros(len(probs), np.float32)
    for start in range(0, len(probs), 4096):  # the columns of a few rows stay in the cache
        one, two = first[start : start + 4096], second[start : start + 4096]
        for column in np.ascontiguousarray(probs[start : start + 4096].T):
            np.maximum(two, np.minimum(one, column), out=two)
            np.maximum(one, column, out=one)
    return first, second


def least_confidence(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """1 less the probability of the likeliest answer: 0 when sure, 1 - 1/k when lost.

    Lewis and Gale 1994; Settles 2009, sec. 3.1.
    """
    return 1.0 - top_two(mean_probs(observation))[0].astype(np.float64)


def margin(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """1 less the lead of the likeliest answer over the next: 1 when two answers are level.

    Scheffer, Decomain and Wrobel 2001; Settles 2009, sec. 3.1.
    """
    first, second = top_two(mean_probs(observation))
    return 1.0 - (first - second).astype(np.float64)


def entropy(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """Shannon entropy of the mean prediction in nats: 0 when sure, log(k) when lost.

    Settles 2009, sec. 3.1.
    """
    return -plogp(mean_probs(observation))


def bald(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """What the answer would tell about the model: entropy of the mean less the mean entropy.

    In nats, 0 when all posterior samples say the same, however unsure they are (Houlsby et al.
    2011, eq. 1; Gal et al. 2017). It does not chase contexts that have no right answer.
    """
    each = sum(plogp(sample) for sample in observation.probs) / len(observation.probs)
    information: NDArray[np.float64] = np.clip(entropy(observation) + each, 0.0, None)
    return information


def random_scores(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """A uniform draw in [0, 1) keyed by id: the baseline that every claim is held against."""
    return uniform(observation.ids, key)
