"""What a question is worth for a second of a person's time, in nats: pure functions on arrays."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nightschool.strategies.batch import ByScore, Score
from nightschool.strategies.information import information
from nightschool.strategies.scores import bald, random_scores
from nightschool.types import Observation, Strategy

Reals = NDArray[np.float64]


USUAL = 6.0
"""Seconds that a question counts as where none are known: what a pace begins with."""

QUICKEST = 1e-3
"""Seconds below which nothing is any quicker."""


def per_second(gain: ArrayLike, seconds: ArrayLike) -> Reals:
    """Gains divided by the seconds that they cost; what gains nothing (0 or less) stays as it is.

    Both (n,). Dividing a loss by its seconds would make the longest loss the best one. Seconds
    that are no positive numbers count as `USUAL`, whatever the others are: a pool comes in blocks.
    """
    gains, cost = np.asarray(gain, np.float64), np.asarray(seconds, np.float64)
    good = np.isfinite(cost) & (cost > 0)
    return np.where(gains > 0, gains / np.where(good, np.maximum(cost, QUICKEST), USUAL), gains)


def answered_gain(gain: ArrayLike, answerable: ArrayLike) -> Reals:
    """The gain times the probability that it comes: "can't tell" teaches nothing. Both (n,)."""
    gains, likely = np.asarray(gain, np.float64), np.asarray(answerable, np.float64)
    likely = np.clip(np.nan_to_num(likely, nan=1.0), 0.0, 1.0)
    return np.where(gains > 0, gains * likely, gains)


def told(observation: Observation) -> Reals:
    """Nats that an answer to each context tells about the model, (n,); 0 where none can be told.

    For words or labels `bald`, for numbers `information`; counted only as far as a person can
    answer at all, where `answerable` is given.
    """
    if observation.has("probs"):
        gain = bald(observation)
    elif observation.has("values"):
        gain = information(observation)
    else:
        return np.zeros(len(observation))
    gain = np.nan_to_num(gain, nan=0.0, posinf=0.0, neginf=0.0)
    if observation.has("answerable"):
        gain = answered_gain(gain, observation.answerable)
    return gain


def timed(strategy: Strategy) -> Strategy:
    """The same strategy with its score counted for a second, where it has a score that can be.

    Random stays random, or it would be no baseline. A strategy that chooses by more than a score
    is left to read `seconds` and `answerable` itself.
    """
    if not isinstance(strategy, ByScore) or strategy.score is random_scores:
        return strategy
    return replace(strategy, score=_timed(strategy.score))


def _timed(score: Score) -> Score:
    keyed = len(inspect.signature(score).parameters) > 1

    def timed_score(observation: Observation, key: int) -> NDArray[Any]:
        values: NDArray[Any] = score(observation, key) if keyed else score(observation)
        if observation.has("answerable"):
            values = answered_gain(values, observation.answerable)
        if observation.has("seconds"):
            values = per_second(values, observation.seconds)
        return values

    return timed_score


# Asking again ----------------------------------------------------------------------------------


TRUST = 0.9
"""How far a model's probabilities are believed; the rest is spread evenly over the answers."""


def error_rate(agreed: ArrayLike, p: ArrayLike, same: float = 0.5) -> float:
    """How often one answer is wrong, in (0, 0.5), from second answers to the same context.

    `agreed` (n,) says whether the second answer was the first one, `p` (n,) what the model gave
    the first one when it was asked for; nan where it was not asked for because of that. The mean
    of the posterior of e under a Beta(1, 39) prior, with P(agreed) = (1 - d)(1 - e) + d e same
    where d is how probably the first answer was wrong, given p and e. What is asked again was
    doubted, so plain counting would say too much.
    """
    yes, own = np.asarray(agreed, bool), np.asarray(p, np.float64)
    e = np.linspace(0.002, 0.498, 249)
    odds = np.clip(own, 1e-3, 1.0 - 1e-3) / (1.0 - np.clip(own, 1e-3, 1.0 - 1e-3))
    wrong = 1.0 / (1.0 + odds[:, None] * (1.0 - e) / (e * same))
    agrees = np.where(
        np.isfinite(wrong),
        (1.0 - wrong) * (1.0 - e) + wrong * e * same,
        (1.0 - e) ** 2 + same * e**2,
    )
    logs = np.log(np.where(yes[:, None], agrees, 1.0 - agrees)).sum(axis=0) + 38.0 * np.log1p(-e)
    weights = np.exp(logs - logs.max())
    return float((weights * e).sum() / weights.sum())


def truth(
    p: ArrayLike, votes: ArrayLike, declined: ArrayLike, error: float, same: float = 0.5
) -> Reals:
    """How probable each answer that was given is to be the true one, and that none is: (n, m + 1).

    `p` (n, m) is what the model gives each of m different answers, `votes` (n, m) how many people
    gave it, `declined` (n,) how many said that there is none. By Bayes with the model as the
    prior, as far as its `TRUST` goes: who answers says the truth with probability 1 - `error`,
    and any one wrong thing with error * same. After Dawid and Skene 1979, with one error rate for
    everybody.
    """
    given = np.asarray(p, np.float64)
    even = 1.0 / (given.shape[1] + 1)
    prior = np.clip(np.nan_to_num(given, nan=even), 0.0, 1.0)
    prior = prior / np.maximum(prior.sum(axis=1, keepdims=True), 1.0)
    prior = TRUST * prior + (1.0 - TRUST) * even
    rest = 1.0 - prior.sum(axis=1, keepdims=True)
    counts = np.asarray(votes, np.float64)
    counts = np.concatenate([counts, np.asarray(declined, np.float64)[:, None]], axis=1)
    hit = np.log(1.0 - error) - np.log(error * same)
    logs = np.log(np.concatenate([prior, rest], axis=1)) + counts * hit
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    posterior: Reals = odds / odds.sum(axis=1, keepdims=True)
    return posterior


def asking_again(truth: ArrayLike, error: float, same: float = 0.5) -> Reals:
    """Nats (n,) that one more answer tells about which answer is true; `truth` is (n, m + 1).

    The mutual information of the truth T and the next answer A, H(A) - H(A | T): A is T with
    probability 1 - e, any one wrong answer of the m with e * same, and something else otherwise.
    With one answer given this is what A tells about "the present answer is right":
    H(q) - (1 - d) H(e) - d H(e same), d = P(wrong), q = (1 - d)(1 - e) + d e same.
    """
    p = np.asarray(truth, np.float64)
    m = p.shape[1] - 1
    wrong = error * min(same, 1.0 / m)
    channel = np.full((m + 1, m + 1), wrong)
    np.fill_diagonal(channel, 1.0 - error)
    channel[:, m] = 0.0
    channel[:, m] = 1.0 - channel.sum(axis=1)
    noise = p @ _entropy(channel)
    return np.clip(_entropy(p @ channel) - noise, 0.0, None)


def _entropy(p: Reals) -> Reals:
    x = np.clip(p, 1e-15, 1.0)
    total: Reals = -(x * np.log(x)).sum(axis=-1)
    return total


__all__ = [
    "answered_gain", "asking_again", "error_rate", "per_second", "timed", "told", "truth",
]  # fmt: skip
