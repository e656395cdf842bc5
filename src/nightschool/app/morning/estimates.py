"""Numbers with their intervals: a mean mark, the difference of two, the mean of a measurement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

Z = 1.959963984540054
"""The standard normal quantile of 95 % intervals."""


@dataclass(frozen=True)
class Estimate:
    """A value between a low and a high one that hold it 95 times in 100, from n items."""

    value: float
    low: float
    high: float
    n: int


def wilson(mean: float, n: int) -> Estimate | None:
    """A mean mark in [0, 1] of n items with its Wilson interval; None where there is none.

    Exact items are right or wrong; marks between are spread less, so that theirs is too wide
    rather than too narrow (Wilson 1927).
    """
    if n < 1 or not math.isfinite(mean):
        return None
    centre = (mean + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * math.sqrt(max(mean * (1 - mean), 0.0) / n + Z**2 / (4 * n**2))
    return Estimate(mean, max(centre - reach, 0.0), min(centre + reach, 1.0), n)


def difference(after: Estimate, before: Estimate) -> Estimate:
    """`after - before`, from the intervals of both (Newcombe 1998, method 10).

    As if they had sat different items: two on one bank are closer than this says.
    """
    gain = after.value - before.value
    down = math.hypot(after.value - after.low, before.high - before.value)
    up = math.hypot(after.high - after.value, before.value - before.low)
    return Estimate(gain, gain - down, gain + up, min(after.n, before.n))


def mean_of(values: Sequence[float]) -> Estimate | None:
    """The mean of a measurement with Student's interval; None for fewer than two."""
    n = len(values)
    if n < 2:
        return None
    measured = np.asarray(values, dtype=np.float64)
    mean = float(measured.mean())
    reach = float(stdtrit(n - 1, 0.975)) * float(measured.std(ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - reach, mean + reach, n)
