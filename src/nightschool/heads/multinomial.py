"""A Bayesian multinomial logistic regression on frozen embeddings: fitted in milliseconds.

Prior: every weight (and intercept) is Gaussian with mean 0 and one precision. Posterior: Gaussian
around the most probable weights with the exact Hessian (Laplace), sampled without ever building
it, its standard deviations multiplied by a spread. Precision and spread are chosen by what
held-out examples say (`choosing`), not by hand.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nightschool.heads.basis import Basis, basis
from nightschool.heads.choosing import PRECISION, SPREAD, choose, scale, settled
from nightschool.heads.head import Head, extended
from nightschool.heads.newton import Array, softmax
from nightschool.types import LearnerError

GROWN = 1.1
"""Precision and spread are chosen again once there are this many times more examples."""


def fit(
    x: NDArray[np.floating],
    y: NDArray[np.integer],
    k: int,
    *,
    weights: NDArray[np.floating] | None = None,
    precision: float | None = None,
    spread: float | None = None,
    start: Head | None = None,
) -> Head:
    """The posterior after examples x (n, d) of classes y (n,) in 0..k-1; n may be 0.

    `weights` (n,) count examples (zero leaves one out). `precision` fixes the prior's (and the
    spread, if it is not given too, at its default). `start` is a former fit to go on from
    (classes may have been added at the end): what it chose stands until the examples have grown
    by a tenth. A class without examples is only pushed away from the others' examples; elsewhere
    it keeps its prior. Raises LearnerError for shapes that do not match.
    """
    x, y, counts = checked(x, y, k, weights)
    wide, n = extended(x), len(y)
    own = basis(wide, counts)
    w = begin(own, k, start)
    if precision is not None or n == 0:
        return settled(own, y, k, counts, precision or PRECISION, spread or SPREAD, w)
    chosen = start.chosen_at if start is not None and start.classes == k else 0
    if start is not None and chosen and chosen <= n <= GROWN * chosen:
        found = start.precision, start.spread
    else:
        first = start.precision if start is not None and start.chosen_at else None
        found = choose(own, scale(wide), y, k, counts, first)
        chosen = n
    head = settled(own, y, k, counts, found[0], spread or found[1], w)
    return replace(head, chosen_at=chosen)


def begin(own: Basis, k: int, start: Head | None) -> Array:
    """Weights (r, k) to begin from: a former fit's mean in the new basis, or zeros."""
    w = np.zeros((len(own.squares), k))
    if start is not None and start.mean.shape[0] == own.axes.shape[0]:
        shared = min(k, start.classes)
        w[:, :shared] = own.axes.T @ start.mean[:, :shared]
    return w


def rebuild(
    mean: Array,
    precision: float,
    spread: float,
    x: NDArray[np.floating],
    weights: NDArray[np.floating],
    *,
    chosen_at: int = 0,
) -> Head:
    """A head from its numbers as they were kept, and the examples of its fit (n, d)."""
    kept = np.asarray(weights) > 0
    counts = np.asarray(weights, np.float64)[kept]
    own = basis(extended(x[kept]), counts)
    probs = softmax(own.z @ (own.axes.T @ mean))
    return Head(mean, precision, spread, own.axes, own.z, own.squares, probs, counts, chosen_at)


def checked(
    x: NDArray[np.floating],
    y: NDArray[np.integer],
    k: int,
    weights: NDArray[np.floating] | None,
) -> tuple[NDArray[np.floating], NDArray[np.integer], Array]:
    """Examples that count, with their weights; raises LearnerError where shapes do not match."""
    x, y = np.asarray(x), np.asarray(y, dtype=np.int64)
    counts = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    if x.ndim != 2 or len(x) != len(y) or len(counts) != len(y):
        raise LearnerError(
            f"{len(y)} labels and {len(counts)} weights for embeddings of shape {x.shape}; "
            "give one label and one weight for each row."
        )
    if len(y) and (int(y.min()) < 0 or int(y.max()) >= k):
        raise LearnerError(
            f"Labels reach from {y.min()} to {y.max()}, but there are {k} classes, 0 to {k - 1}."
        )
    if (counts < 0).any() or not np.isfinite(counts).all():
        raise LearnerError(f"The smallest weight is {counts.min()}; give weights of 0 or more.")
    kept = counts > 0
    return x[kept], y[kept], counts[kept]
