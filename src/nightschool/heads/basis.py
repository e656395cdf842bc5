"""Basis: the few directions in which the examples lie, so that d never enters a fit again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMALLEST = 1e-7
"""Directions with less than this share of the largest squared length are rounding errors."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Examples in their own coordinates: `z` (n, r) = examples @ `axes` (d, r), r <= min(n, d).

    `squares` (r,) are the sums of squares of the columns of z, largest first; the columns of
    z are orthogonal. With a prior that is the same in every direction, a fit on z equals a fit
    on the examples, and outside of the axes the posterior is the prior.
    """

    axes: Array
    z: Array
    squares: Array


def basis(x: Array, weights: Array) -> Basis:
    """The basis of weighted examples (n, d): eigenvectors of the smaller Gram matrix."""
    n, d = x.shape
    scaled = x * np.sqrt(weights)[:, None]
    if n == 0:
        return Basis(np.zeros((d, 0)), np.zeros((0, 0)), np.zeros(0))
    gram = scaled @ scaled.T if n < d else scaled.T @ scaled
    squares, vectors = np.linalg.eigh(gram)
    kept = squares > SMALLEST * squares[-1]
    squares, vectors = squares[kept][::-1], vectors[:, kept][:, ::-1]
    axes = scaled.T @ (vectors / np.sqrt(squares)) if n < d else vectors
    return Basis(np.ascontiguousarray(axes), x @ axes, np.ascontiguousarray(squares))
