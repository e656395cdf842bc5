"""A forecast of the learning curve: what more answers will bring, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nightschool.limits.curve import Point, curve

Reals = NDArray[np.float64]
Left = Callable[[Reals, Reals, Reals], Reals]

DRAWS = 4000
"""Curves drawn from the posterior."""

SCALES = 40
NOISES = np.array([0.1, 0.2, 0.3, 0.45, 0.65, 0.9, 1.3])
"""Noise of a night's score, in units of what independent items would have."""

FLOOR = 0.01
MOST = 200
"""The least noise of a night's score, and the items above which it falls no further.

However many items are marked, what a night learns depends on which answers came.
"""

BEGIN = (0.4, 0.4)
CEILING = (1.0, 0.25)
"""Prior mean and standard deviation of the score at no answers and at infinitely many.

A high ceiling is right more often than not: five nights look flatter than they prove to be.
"""

DRIFT = (0.03, 0.04)
"""Mean and standard deviation by which a real curve leaves its family, for each e-fold of answers.

Measured, as the priors are (docs/limits.md): without it, intervals of 90 % held 79 %. Upwards more
often than down, for a plateau of some nights ends when a skill is found.
"""

FARTHEST = 10.0
"""Times as many answers, beyond which nothing is forecast and a curve drifts no further."""


def _power(x: Reals, scale: Reals, shape: Reals) -> Reals:
    return (1.0 + x / scale) ** -shape


def _weibull(x: Reals, scale: Reals, shape: Reals) -> Reals:
    return np.exp(-((x / scale) ** shape))


FAMILIES: tuple[tuple[Left, tuple[float, ...]], ...] = (
    (_power, (0.15, 0.3, 0.5, 0.8)),
    (_weibull, (0.4, 0.6, 0.8, 1.0)),
)
"""How much is left to learn after x answers, 1 at none and 0 at infinitely many, and shapes.

A power law and a stretched exponential: the two tails that learning curves were found to have
(Viering and Loog 2023, "The shape of learning curves", table 1). Shapes that flatten sooner, and a
Hill curve, forecast worse.
"""


@dataclass(frozen=True)
class Interval:
    """A middle value (the median) between a low and a high one."""

    low: float
    middle: float
    high: float

    @property
    def width(self) -> float:
        """High less low."""
        return self.high - self.low


@dataclass(frozen=True, eq=False)
class Forecast:
    """Curves drawn from the posterior: score(x) = ceiling - (ceiling - begin) left(x).

    Beyond the newest point, `last`, each also drifts from its family, by `drift` for each e-fold
    of answers. All arrays are (draws,): `family` indexes FAMILIES, `noise` is in units of
    independent items; `nights` is how many points there were. Made by `forecast`.
    """

    family: NDArray[np.int64]
    scale: Reals
    shape: Reals
    begin: Reals
    top: Reals
    noise: Reals
    drift: Reals
    last: Point
    nights: int

    def curves(self, answers: ArrayLike) -> Reals:
        """The drawn curves at those numbers of answers, (draws, len(answers))."""
        x = np.atleast_1d(np.asarray(answers, dtype=np.float64))[None, :]
        left = np.empty((len(self.top), x.shape[1]))
        for number, (shrink, _) in enumerate(FAMILIES):
            own = self.family == number
            left[own] = shrink(x, self.scale[own, None], self.shape[own, None])
        mean = self.top[:, None] - (self.top - self.begin)[:, None] * left
        further = np.clip(x / max(self.last.answers, 1.0), 1.0, FARTHEST)
        return np.clip(mean + self.drift[:, None] * np.log(further), 0.0, 1.0)

    def score(self, answers: float, level: float = 0.9) -> Interval:
        """The curve itself after so many answers, without the noise of one exam."""
        return _interval(self.curves(answers)[:, 0], level)

    def exam(self, answers: float, items: int | None = None, level: float = 0.9) -> Interval:
        """The exam of a night after so many answers, noise included.

        `items` is how many it will have; as many as the newest one by default.
        """
        mean = self.curves(answers)[:, 0]
        spread = self.noise * _spread(mean, items or self.last.items)
        draws = np.random.default_rng(1).standard_normal(len(mean))
        return _interval(np.clip(mean + spread * draws, 0.0, 1.0), level)

    def ceiling(self, level: float = 0.9) -> Interval:
        """The score after FARTHEST times as many answers: what asking more could bring at all.

        Not the limit at infinity, of which a slow power law says nothing that data could deny.
        """
        return self.score(self.farthest, level)

    @property
    def farthest(self) -> float:
        """FARTHEST times as many answers as the newest point has."""
        return FARTHEST * max(self.last.answers, 1.0)

    def probability(self, target: float, answers: float) -> float:
        """How probably the curve is at the target or above it after so many answers, in [0, 1]."""
        return float((self.curves(answers)[:, 0] >= target).mean())

    def answers_to(self, target: float, level: float = 0.9, most: float = 1e6) -> Interval:
        """Answers after which the curve is at the target; inf where it is not by `most`."""
        grid = np.concatenate([[0.0], np.geomspace(1.0, most, 400)])
        there = self.curves(grid) >= target
        first = np.where(there.any(axis=1), grid[there.argmax(axis=1)], np.inf)
        return _interval(first, level)


def forecast(points: Sequence[Point], key: int = 0, draws: int = DRAWS) -> Forecast:
    """The posterior over learning curves, given the nights so far; at least one point.

    On a grid of family, shape, scale and noise the beginning and the ceiling are linear with a
    normal prior, so that the evidence of each node is exact; nodes are then drawn by evidence, and
    the two by their posterior, cut to [0, 1]. Raises ValueError without a point.
    """
    seen = curve(points)
    if not seen:
        raise ValueError("A forecast needs at least one night with an exam; run a night.")
    family, shape, scale, noise = _grid(seen)
    x = np.array([p.answers for p in seen])
    y = np.array([p.score for p in seen])
    left = np.empty((len(family), len(x)))
    for number, (shrink, _) in enumerate(FAMILIES):
        own = family == number
        left[own] = shrink(x[None, :], scale[own, None], shape[own, None])
    spread = noise[:, None] * _spread(y, np.array([p.items for p in seen]))[None, :]
    evidence, mean, factor = _linear(left, y, spread)
    weight = np.exp(evidence - evidence.max())
    rng = np.random.default_rng(key)
    node = rng.choice(len(weight), size=8 * draws, p=weight / weight.sum())
    ends = mean[node] + np.einsum("nij,nj->ni", factor[node], rng.standard_normal((len(node), 2)))
    fine = np.flatnonzero(((ends >= 0.0) & (ends <= 1.0)).all(axis=1))[:draws]
    if len(fine) < draws // 20:  # scores at the very edge: cut instead of drawing again
        fine, ends = np.arange(draws), np.clip(ends, 0.0, 1.0)
    at, (begin, top) = node[fine], ends[fine].T
    drift = DRIFT[0] + DRIFT[1] * rng.standard_normal(len(at))
    return Forecast(
        family[at], scale[at], shape[at], begin, top, noise[at], drift, seen[-1], len(seen)
    )


def _grid(seen: Sequence[Point]) -> tuple[NDArray[np.int64], Reals, Reals, Reals]:
    """Family, shape, scale and noise of each node; scales follow the answers seen so far."""
    steps = [p.answers for p in seen if p.answers > 0]
    first, most = (min(steps), max(steps)) if steps else (30.0, 30.0)
    scales = np.geomspace(first / 4.0, 30.0 * most, SCALES)
    kinds = [(n, shape) for n, (_, shapes) in enumerate(FAMILIES) for shape in shapes]
    nodes = [(n, shape, s, r) for n, shape in kinds for s in scales for r in NOISES]
    table = np.array(nodes)
    return table[:, 0].astype(np.int64), table[:, 1], table[:, 2], table[:, 3]


def _spread(score: Reals, items: int | NDArray[np.int64]) -> Reals:
    """Standard deviation of the mean of independent right-or-wrong items, never below FLOOR."""
    each = np.clip(score, 0.02, 0.98)
    return np.sqrt(each * (1.0 - each) / np.minimum(items, MOST) + FLOOR**2)


def _linear(left: Reals, y: Reals, spread: Reals) -> tuple[Reals, Reals, Reals]:
    """Log evidence, posterior mean and Cholesky factor of (begin, ceiling) at each node.

    Shapes: left and spread (g, n), y (n,) -> (g,), (g, 2), (g, 2, 2).
    """
    design = np.stack([left, 1.0 - left], axis=2) / spread[:, :, None]
    prior = np.diag([BEGIN[1] ** -2, CEILING[1] ** -2])
    centre = np.array([BEGIN[0], CEILING[0]])
    rest = y[None, :] / spread - design @ centre
    precision = np.einsum("gni,gnj->gij", design, design) + prior
    pull = np.einsum("gni,gn->gi", design, rest)
    covariance = np.linalg.inv(precision)
    shift = np.einsum("gij,gj->gi", covariance, pull)
    misfit = (rest**2).sum(axis=1) - (pull * shift).sum(axis=1)
    evidence = -0.5 * misfit - np.log(spread).sum(axis=1)
    evidence -= 0.5 * (np.linalg.slogdet(precision)[1] - np.linalg.slogdet(prior)[1])
    return evidence, centre + shift, np.linalg.cholesky(covariance)


def _interval(draws: Reals, level: float) -> Interval:
    ends = ((1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0)
    # Not interpolated: between a number and infinity there is nothing.
    low, middle, high = np.quantile(draws, ends, method="inverted_cdf")
    return Interval(float(low), float(middle), float(high))
