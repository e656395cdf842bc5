"""Newton: the most probable weights of a multinomial logistic regression, and solves with its
Hessian.

Every function takes a `Problem`, the examples in their own basis. Hessians are never built:
they are multiplied with, and the equations solved by conjugate gradients, preconditioned by
the Kronecker product of the two sides' averages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """n examples: coordinates `z` (n, r), targets `y` (n, k) one-hot, `weights` (n,).

    `squares` (r,) are the weighted sums of squares of z's orthogonal columns.
    """

    z: Array
    squares: Array
    y: Array
    weights: Array


@dataclass(frozen=True, eq=False)
class Curvature:
    """The Kronecker stand-in of a Hessian: squares (r,) x mean label covariance, plus the prior.

    `vectors` (k, k) and `values` (k,) are the eigenvectors and eigenvalues of the examples' mean
    of diag(p) - p p'; the eigenvalues of the whole are `spectrum` (r, k), without the prior.
    """

    vectors: Array
    values: Array
    spectrum: Array

    def centred(self) -> Array:
        """How much of each eigenvector's variance a class has, centred over classes, (k, k)."""
        k = len(self.vectors)
        return np.asarray(((np.eye(k) - 1.0 / k) @ self.vectors) ** 2)

    def solve(self, right: Array, precision: float) -> Array:
        """(Hessian stand-in + precision) applied inversely to (r, s, k)."""
        inner = (right @ self.vectors) / (self.spectrum + precision)[:, None, :]
        return inner @ self.vectors.T


def softmax(logits: Array) -> Array:
    """Probabilities over the last axis, (..., k)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probs: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return probs


def loss(problem: Problem, w: Array, precision: float) -> tuple[float, Array]:
    """Negative log posterior (without constants) of weights (r, k), and the probabilities."""
    logits = problem.z @ w
    top = logits.max(axis=1, keepdims=True)
    shifted = np.exp(logits - top)
    total = shifted.sum(axis=1, keepdims=True)
    said = (logits * problem.y).sum(axis=1) - top[:, 0] - np.log(total[:, 0])
    value = -float(problem.weights @ said) + 0.5 * precision * float((w * w).sum())
    return value, shifted / total


def curvature(squares: Array, probs: Array, weights: Array) -> Curvature:
    """The stand-in at probabilities (n, k): each side of the product averaged by itself."""
    share = weights / weights.sum()
    covariance = np.diag(share @ probs) - (probs * share[:, None]).T @ probs
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 0.0)
    return Curvature(vectors, values, squares[:, None] * values[None, :])


def product(problem: Problem, probs: Array, precision: float) -> Callable[[Array], Array]:
    """The exact Hessian plus prior, as a function on (r, s, k)."""
    z, weights = problem.z, problem.weights.astype(problem.z.dtype)

    def multiply(v: Array) -> Array:
        r, s, k = v.shape
        u = (z @ v.reshape(r, s * k)).reshape(-1, s, k)
        u *= probs[:, None, :]
        u -= probs[:, None, :] * u.sum(axis=2, keepdims=True)
        u *= weights[:, None, None]
        out: Array = (z.T @ u.reshape(-1, s * k)).reshape(r, s, k) + precision * v
        return out

    return multiply


def solve(
    multiply: Callable[[Array], Array],
    precondition: Callable[[Array], Array],
    right: Array,
    *,
    tolerance: float,
    most: int,
) -> Array:
    """Conjugate gradients for s systems at once, (r, s, k); ends when all residuals are small.

    A residual is small below `tolerance` times its right side, in the preconditioner's norm.
    """
    x = np.zeros_like(right)
    residual = right.copy()
    z = precondition(residual)
    p = z
    rho = np.einsum("rsk,rsk->s", residual, z)
    goal = tolerance**2 * rho
    for _ in range(most):
        if (rho <= goal).all():
            break
        q = multiply(p)
        bend = np.einsum("rsk,rsk->s", p, q)
        # A system that is solved stays as it is while the others go on.
        step = np.where((rho > goal) & (bend > 0), rho / np.maximum(bend, 1e-30), 0)
        x += step[None, :, None] * p
        residual -= step[None, :, None] * q
        z = precondition(residual)
        fresh = np.einsum("rsk,rsk->s", residual, z)
        p = z + (fresh / np.maximum(rho, 1e-30))[None, :, None] * p
        rho = fresh
    return x


def most_probable(
    problem: Problem, start: Array, precision: float, *, tolerance: float = 1e-4, most: int = 30
) -> tuple[Array, float, Array]:
    """Weights (r, k) of the highest posterior, their loss and probabilities (n, k).

    Newton's method with halved steps; ends when a step would win less than `tolerance` nats.
    """
    w = start
    value, probs = loss(problem, w, precision)
    for _ in range(most):
        gradient = problem.z.T @ (problem.weights[:, None] * (probs - problem.y)) + precision * w
        near = curvature(problem.squares, probs, problem.weights)
        step = solve(
            product(problem, probs, precision),
            lambda v, near=near: near.solve(v, precision),  # type: ignore[misc]
            gradient[:, None, :],
            tolerance=0.1,
            most=20,
        )[:, 0, :]
        slope = float((gradient * step).sum())
        if slope < 2 * tolerance:
            break
        size = 1.0
        while size > 1e-6:
            trial = w - size * step
            fresh, trial_probs = loss(problem, trial, precision)
            if fresh <= value - 0.1 * size * slope:
                break
            size *= 0.5
        else:
            break
        w, value, probs = trial, fresh, trial_probs
    return w, value, probs
