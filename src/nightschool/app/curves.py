"""Statistics of learning curves over seeds: intervals, bands, answers to a target, areas.

Rows are seeds (runs), columns are mornings. Two strategies are compared seed by seed: both had
the same pool, the same hidden exam and the same start, so most of the noise cancels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean and the bounds of its interval, each an array of the same shape (or a number).

    The bounds are infinite where one seed, or too few for a band, says nothing about the spread.
    """

    mean: Reals
    low: Reals
    high: Reals


@dataclass(frozen=True)
class Reached:
    """Answers that runs needed to a target; those that never came there count as the budget.

    `median` is of the censored counts: where `runs - reached` is half of them or more, it is
    only a lower bound (`censored`).
    """

    median: float
    reached: int
    runs: int
    censored: bool

    def __str__(self) -> str:
        more = "> " if self.censored else ""
        return f"{more}{self.median:.0f} ({self.reached} of {self.runs})"


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Student's t interval of the mean over the first axis, for each column by itself.

    `values` is (seeds, ...). Exact for normal values; for differences paired by seed it is the
    paired t interval (Student 1908).
    """
    x = np.asarray(values, dtype=np.float64)
    mean = x.mean(axis=0)
    half = np.full(mean.shape, np.inf)
    if len(x) > 1:
        quantile = float(stdtrit(len(x) - 1, 0.5 + level / 2))
        half = quantile * x.std(axis=0, ddof=1) / math.sqrt(len(x))
    return Interval(mean, mean - half, mean + half)


def simultaneous_band(
    values: ArrayLike, level: float = 0.95, *, draws: int = 4000, key: int = 0
) -> Interval:
    """A band that holds the whole mean curve at once, by the bootstrap of the largest |t|.

    `values` is (seeds, mornings): curves, or differences of curves paired by seed. Whole seeds
    are drawn again with replacement, each draw's deviation is divided by its own standard error,
    and the `level` quantile of its maximum over the mornings widens every bound alike (Efron and
    Tibshirani 1993, ch. 12; Montiel Olea and Plagborg-Moller 2019). It covers 94 to 98 % with 10
    seeds or more, also where values are skewed; with fewer it is too wide rather than too narrow,
    and infinite below 4. A column that is the same in every seed has no width; one in which so few
    seeds differ that too many draws miss them all is infinite, and widens no other.
    """
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    mean = x.mean(axis=0)
    if n < 4:
        moves = _moves(x) if n > 1 else np.ones(mean.shape, bool)
        half = np.where(moves, np.inf, 0.0)
        return Interval(mean, mean - half, mean + half)
    error = x.std(axis=0, ddof=1)
    moves = _moves(x)
    half = np.zeros(mean.shape)
    if moves.any():
        half[moves] = largest_t(x[:, moves], level, draws, key) * error[moves]
    return Interval(mean, mean - half, mean + half)


def _moves(x: Reals) -> NDArray[np.bool_]:
    """Which columns differ between the rows by more than rounding."""
    return np.asarray(np.ptp(x, axis=0) > 1e-12 * np.maximum(np.abs(x).max(axis=0), 1.0))


def largest_t(x: Reals, level: float, draws: int, key: int) -> Reals:
    """The quantile of max |mean* - mean| / deviation* over bootstrap draws of the rows.

    One number for all columns (m,), but infinite for those that are left out of the maximum: too
    many draws of them have no spread.
    """
    rng = np.random.default_rng(key)
    centred = x - x.mean(axis=0)
    none = 1e-9 * x.std(axis=0)  # less is rounding
    ratios = np.empty((draws, x.shape[1]))
    for start in range(0, draws, 200):  # in blocks: many seeds and mornings stay small
        stop = min(start + 200, draws)
        drawn = centred[rng.integers(len(x), size=(stop - start, len(x)))]
        # Of the scale that `error` has: both lack the root of n. A draw without spread is lost
        # for good, for it could have been anything: it counts as infinite.
        spread = drawn.std(axis=1, ddof=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(drawn.mean(axis=1)) / spread
        ratios[start:stop] = np.where(spread > none, ratio, np.inf)
    lost = np.isinf(ratios)
    order = np.argsort(lost.mean(axis=0), kind="stable")
    together = np.logical_or.accumulate(lost[:, order], axis=1).mean(axis=0)
    kept = order[together < 1.0 - level]
    found = np.full(x.shape[1], np.inf)
    if len(kept):
        found[kept] = np.quantile(ratios[:, kept].max(axis=1), level, method="higher")
    return found


def area(answers: ArrayLike, curve: ArrayLike) -> float:
    """The mean of a curve over its answers: the area under it, divided by its length.

    Both are (mornings,); the curve goes straight between mornings (trapezoid rule).
    """
    x, y = np.asarray(answers, dtype=np.float64), np.asarray(curve, dtype=np.float64)
    if len(x) < 2 or x[-1] <= x[0]:
        return float(y.mean())
    return float(np.sum((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2) / (x[-1] - x[0]))


def answers_to(
    answers: ArrayLike, curve: ArrayLike, target: float, *, lower: bool = False
) -> float:
    """Answers at the first morning that reaches the target; infinite where none does.

    `lower`: less is better, as of an error. Nothing is interpolated between mornings.
    """
    x, y = np.asarray(answers, dtype=np.float64), np.asarray(curve, dtype=np.float64)
    there = np.flatnonzero(y <= target if lower else y >= target)
    return float(x[there[0]]) if len(there) else math.inf


def reached(needed: Sequence[float], budget: float) -> Reached:
    """Answers to a target over the runs; those that needed more than the budget are censored."""
    counts = np.minimum(np.asarray(needed, dtype=np.float64), budget)
    there = int(np.isfinite(np.asarray(needed)).sum())
    middle = np.sort(np.asarray(needed, dtype=np.float64))[len(counts) // 2]
    return Reached(float(np.median(counts)), there, len(counts), not math.isfinite(middle))


def share(needed: Sequence[float], others: Sequence[float], budget: float) -> float:
    """The ratio of medians of answers to a target, unreached runs censored at the budget."""
    return reached(needed, budget).median / reached(others, budget).median
