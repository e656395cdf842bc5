"""Our own default: coverage of what the model is not sure about."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.batch import Pool, Score, gather
from nightschool.strategies.herding import herd, likeness, unit
from nightschool.strategies.kmeans import sampled
from nightschool.strategies.places import Places, survey
from nightschool.strategies.scores import bald, entropy, margin
from nightschool.strategies.seeding import topped_up
from nightschool.strategies.value import answered_gain, per_second, told
from nightschool.types import Blocks, Floats, Observation, Picks, uniform

FLOOR = 0.03
"""Nothing is worth less than this share of the mean: no corner of the pool goes out of view."""

HIGH, PART = 0.9, 0.25
"""From this part of the pool's high reducible share (a quantile) on, a context counts in full."""

TINY = 1e-9

NARROWEST = 0.2
"""A narrower kernel would see no neighbours: two texts at this distance mean the same."""


def worth(observation: Observation) -> NDArray[np.float64]:
    """How unsure the model is of each context, (n,), a second: the margin of the mean prediction.

    While nothing was asked it is the variance of "the present answer is right", p (1 - p) for
    the most probable answer: a context for which a model that was never taught has no guess at
    all is rather one that has no right answer. Times `answerable`, where that is known. Numbers
    instead of words: `value.told`.
    """
    if observation.has("probs"):
        begun = observation.has("asked") and len(observation.asked) > 0
        value = margin(observation) if begun else guessed(observation)
        if observation.has("answerable"):
            value = answered_gain(value, observation.answerable)
    else:
        value = told(observation)
    if observation.has("seconds"):
        value = per_second(value, observation.seconds)
    return value


def guessed(observation: Observation) -> NDArray[np.float64]:
    """Variance of "the most probable answer is right", (n,): .25 at even odds, 0 when sure."""
    best = np.asarray(observation.probs, np.float64).mean(axis=0).max(axis=-1, initial=0.0)
    return np.asarray(best * (1.0 - best))


def reducible(observation: Observation) -> NDArray[np.float64]:
    """The share of the entropy that answers can remove, (n,) in [0, 1]: BALD over entropy.

    1 everywhere for a learner with one posterior sample, which cannot tell, or of numbers; 0
    where there is no entropy at all.
    """
    if not observation.has("probs") or len(observation.probs) < 2:
        return np.ones(len(observation))
    whole = entropy(observation)
    share = bald(observation) / np.maximum(whole, TINY)
    return np.asarray(np.minimum(share, 1.0))


def answerable(observation: Observation) -> NDArray[np.float64]:
    """How probably a person can answer each context, (n,); 1 where the learner does not say."""
    if not observation.has("answerable"):
        return np.ones(len(observation))
    likely = np.nan_to_num(np.asarray(observation.answerable, np.float64), nan=1.0)
    return np.clip(likely, 0.0, 1.0)


def gate(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of its doubt a context keeps, (n,) in [0, 1], by its `reducible` share.

    A context that has no right answer looks as uncertain as one that was never taught, but all
    posterior samples (nearly) agree about it. What is far below the highest shares of this pool
    falls with the square; the rest keeps all, so that where everything has a right answer
    nothing is changed. The highest ones are the measure, for much of a pool may be known by heart.
    """
    shares = np.where(np.isfinite(shares), shares, 0.0)
    enough = PART * float(np.quantile(shares, HIGH))
    return np.minimum(shares / enough, 1.0) ** 2 if enough > 0 else np.ones(len(shares))


def in_view(scores: NDArray[np.float64], likely: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores (n,) as worths: none below FLOOR of their mean, times how `likely` an answer is.

    In units of a power of two, so that the largest one lies between a half and 1: picks are the
    same to the last bit on any such scale, and float32 holds them.
    """
    finite = np.maximum(real(scores), 0.0)
    finite = np.ldexp(finite, -int(np.frexp(finite.max())[1]))
    mean = math.fsum(finite) / len(finite)  # exact, so that the pool's order is moot
    return np.maximum(finite, (FLOOR * mean if mean > 0 else 1.0) * likely)


def real(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores (n,) with +inf as the largest finite one (or 1), what else is no number as 0."""
    good = np.isfinite(scores)
    if good.all():
        return scores
    top = max(float(scores[good].max(initial=0.0)), 0.0) or 1.0
    return np.where(good, scores, np.where(scores == np.inf, top, 0.0))


def kernel_width(asked: Floats) -> float:
    """How far apart neighbours among what was asked lie: the median; 1 below two of them.

    What is known should not cover what it was told apart from, so the kernel narrows as answers
    come. `asked` (a, d) are unit rows; of more than 512 every so many are measured. Uncertainty
    herding takes the smallest distance instead, which one near copy among a thousand settles.
    """
    if len(asked) < 2:
        return 1.0
    some = np.unique(np.linspace(0, len(asked) - 1, min(len(asked), 512)).astype(np.int64))
    products = asked[some] @ asked.T
    products[np.arange(len(some)), some] = -1.0
    nearest = np.sqrt(np.maximum(2.0 - 2.0 * products.max(axis=1), 0.0))
    return max(float(np.median(nearest)), NARROWEST)


@dataclass(frozen=True)
class Hybrid:
    """Asks what most contexts that the model is unsure about resemble, and that it doubts itself.

    A greedy choice: each pick wins the most of the uncertainty in the pool that lies near it and
    that nothing asked or picked covers yet, times its own uncertainty. While there are few
    answers everything is uncertain and the kernel wide, so this is coverage; with more of them
    the kernel narrows to the distances among what was asked and uncertainty decides. Near
    copies of what was asked or picked win nothing. After uncertainty herding (Bae, Oliveira
    and Sutherland 2024); the pick's own uncertainty, posterior samples, answerability and
    seconds are ours (docs/lab/questions.md).

    The sum runs over `landmarks` contexts of the pool drawn by key; the pick is made among
    `candidates`, half of them the most uncertain ones and half drawn by key.
    """

    worth: Score = worth
    landmarks: int = 1_024
    candidates: int = 4_096

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts, best first.

        A score is the share of the pool's doubt that the pick covers and nothing before it did,
        times the pick's own worth, the largest of which counts as between a half and 1.
        """
        places = survey(blocks)
        if n <= 0 or not len(places):
            return Picks(np.empty(0, np.int64), np.empty(0))
        pool, likely = self._doubt(blocks, key)
        value = in_view(pool.scores, likely)
        at = self._candidates(places, pool.best(self.candidates // 2), n, key)
        marked = sampled(places.ids, self.landmarks, key + 1, places.sound)
        asked, marks = unit(places.asked), unit(places.rows(marked))
        width = kernel_width(asked)
        chosen, gains = herd(
            unit(places.rows(at)),
            marks,
            likeness(marks, asked, width),
            n,
            uniform(places.ids[at], key),
            width=width,
            weights=value[marked].astype(np.float32),
            worth=value[at].astype(np.float32),
        )
        index = topped_up(at[chosen], places.ids, n, key)
        return Picks(index, np.pad(gains, (0, len(index) - len(gains))))

    def _doubt(self, blocks: Blocks, key: int) -> tuple[Pool, NDArray[np.float64]]:
        """The pool with what is worth asking in it, and how probably it is answered; one pass."""
        shares: list[NDArray[np.float64]] = []
        likely: list[NDArray[np.float64]] = []

        def score(observation: Observation) -> NDArray[np.float64]:
            shares.append(reducible(observation))
            likely.append(answerable(observation))
            return self.worth(observation)

        pool = gather(score, blocks, key)
        kept = gate(np.concatenate(shares))
        return replace(pool, scores=real(pool.scores) * kept), np.concatenate(likely)

    def _candidates(
        self, places: Places, best: NDArray[np.int64], n: int, key: int
    ) -> NDArray[np.int64]:
        """Positions of different ids, sorted by id: the most uncertain and some drawn by key."""
        drawn = sampled(places.ids, max(self.candidates // 2, n), key, places.sound)
        both = np.concatenate([best[places.sound[best]], drawn])
        _, first = np.unique(places.ids[both], return_index=True)
        return both[first]


__all__ = ["Hybrid", "answerable", "gate", "guessed", "kernel_width", "reducible", "worth"]
