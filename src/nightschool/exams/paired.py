"""Is the mean of paired differences above a bound? One test, exact for right-or-wrong marks.

The p-value is Gaffke's (2005, "Three test statistics for a nonparametric one-sided hypothesis on
the mean of a nonnegative variable"; see also Learned-Miller & Thomas 2020, arXiv:1905.06208): give
each difference an independent exponential weight, add one imagined item that was wholly lost, and
ask how often the weighted sum is not above the bound. For marks that are 0 or 1 and a bound of 0
that is the exact one-sided sign test on the items where the two models differ; for probabilities
it also uses how much each item was won or lost by.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

_STEP = 0.1
_BLOCK = 16
_FARTHEST = 40 * _BLOCK


def p_at_most(differences: Floats, bound: float = 0.0) -> float:
    """p-value of "the mean difference is at most `bound`": small when it is larger.

    `differences` is (n,) in [-1, 1], in any order; 1.0 when there are none. Computed by
    integrating the weighted sum's characteristic function along the line through its saddle
    point, where the integrand does not oscillate: about eight digits, with no random draw.
    """
    gains = np.asarray(differences, dtype=np.float64) - bound
    gains = np.append(gains[gains != 0.0], -1.0 - bound)
    if gains.max() <= 0.0:
        return 1.0
    if gains.min() >= 0.0:
        return 0.0
    line = _saddle(gains)
    spread = math.sqrt(float(np.sum((gains / (1.0 - line * gains)) ** 2)))
    if abs(line) * spread < 0.5:  # too near the pole at 0: step aside, still inside the strip
        line = max(-0.5 / math.sqrt(float(np.sum(gains**2))), 0.5 / gains.min())
    tail = _integral(gains, line, spread)
    return min(max(tail if line < 0 else 1.0 - tail, 0.0), 1.0)


def p_at_least(differences: Floats, bound: float = 0.0) -> float:
    """p-value of "the mean difference is at least `bound`": small when it is smaller."""
    return p_at_most(-np.asarray(differences, dtype=np.float64), -bound)


def _saddle(gains: Floats) -> float:
    """Where the cumulant function of the weighted sum is flat: between the poles either side."""
    low, high = 1.0 / gains.min(), 1.0 / gains.max()
    s = 0.0
    for _ in range(60):
        ratio = gains / (1.0 - s * gains)
        slope = float(ratio.sum())
        low, high = (s, high) if slope < 0 else (low, s)
        curve = float(ratio @ ratio)
        if abs(slope) <= 1e-6 * math.sqrt(curve):
            break
        step = s - slope / curve
        s = step if low < step < high else 0.5 * (low + high)
    return s


def _integral(gains: Floats, line: float, spread: float) -> float:
    """P(weighted sum <= 0) for a line left of 0, P(> 0) for one right of it."""
    total, largest = 0.0, 0.0
    base = 1.0 - line * gains
    for start in range(0, _FARTHEST, _BLOCK):
        x = _STEP * np.arange(start, start + _BLOCK)
        t = np.sinh(x) / spread
        real = -0.5 * np.log(base * base + (t * t)[:, None] * (gains * gains)).sum(axis=1)
        turn = np.arctan(t[:, None] * (gains / base)).sum(axis=1)
        value = np.exp(real + 1j * turn) / (line + 1j * t) * (np.cosh(x) / spread)
        if start == 0:
            value[0] *= 0.5
        total += float(value.real.sum())
        largest = max(largest, float(np.abs(value).max()))
        if abs(value[-1]) < 1e-12 * largest:
            break
    return math.copysign(1.0, line) * total * _STEP / math.pi


def interval(differences: Floats, level: float = 0.9) -> tuple[float, float]:
    """The bounds that neither one-sided test rejects, in [-1, 1]; all of it when there are none."""
    values = np.asarray(differences, dtype=np.float64)
    alpha = 0.5 * (1.0 - level)
    centre = float(values.mean()) if len(values) else 0.0

    def edge(inside: float, outside: float, low: bool) -> float:
        for _ in range(24):
            middle = 0.5 * (inside + outside)
            p = p_at_most(values, middle) if low else p_at_least(values, middle)
            inside, outside = (middle, outside) if p > alpha else (inside, middle)
        return inside

    return edge(centre, -1.0, True), edge(centre, 1.0, False)


def items_needed(
    effect: float, deviation: float, bound: float, level: float, power: float = 0.8
) -> int:
    """How many items in all would show, with that power, an effect as large as the one seen.

    `deviation` is the standard deviation of the differences. The imagined lost item costs one
    item's worth of mean. -1 when the effect is not above the bound.
    """
    gap = effect - bound
    if gap <= 0.0:
        return -1
    z = float(ndtri(1.0 - level) + ndtri(power)) * max(deviation, 1e-3)
    root = (z + math.sqrt(z * z + 4.0 * gap * (1.0 + bound))) / (2.0 * gap)
    return math.ceil(root * root)
