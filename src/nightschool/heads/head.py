"""Head: the posterior of a multinomial logistic regression, and what it predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.heads.newton import Array, Curvature, Problem, curvature, product, softmax, solve

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Head:
    """The posterior of k classes over embeddings (n, d): a mean and what is needed to sample.

    `mean` (d + 1, k), the last row the intercepts; `precision` of the prior; `spread`, by which
    the posterior's standard deviations are multiplied; `axes` (d + 1, r) and `z` (n, r), the
    examples' own basis; `squares` (r,); `trained` (n, k), the probabilities at the examples;
    `weights` (n,); `chosen_at`, how many examples there were when precision and spread were
    chosen (0: they are the defaults).
    """

    mean: Array
    precision: float
    spread: float
    axes: Array
    z: Array
    squares: Array
    trained: Array
    weights: Array
    chosen_at: int = 0

    @property
    def classes(self) -> int:
        """k, the number of classes."""
        return int(self.mean.shape[1])

    def logits(self, x: NDArray[np.floating]) -> Array:
        """The most probable weights' logits, (n, k)."""
        return np.asarray(extended(x) @ self.mean)

    def probs(self, x: NDArray[np.floating]) -> Floats:
        """The mean predictive, (n, k): logits shrunk by their variance (MacKay 1992, eq. 8)."""
        wide = extended(x)
        said = shrunk(wide @ self.mean, self.variance(wide), [self.spread])
        return said[0].astype(np.float32)

    def variance(self, wide: Array) -> Array:
        """Variances (n, k) of the logits, centred over the classes, before the spread."""
        near, k = self.curvature(), self.classes
        inside = (wide @ self.axes) ** 2
        outside = np.maximum((wide * wide).sum(axis=1) - inside.sum(axis=1), 0.0)
        known = inside @ (1.0 / (near.spectrum + self.precision)) @ near.centred().T
        return np.asarray(known + (outside / self.precision * (1 - 1 / k))[:, None])

    def curvature(self) -> Curvature:
        """The Kronecker stand-in of the Hessian at the most probable weights."""
        if not len(self.weights):
            return Curvature(
                np.eye(self.classes), np.zeros(self.classes), np.zeros((0, self.classes))
            )
        return curvature(self.squares, self.trained, self.weights)

    def draw(self, s: int, key: int) -> Floats:
        """s posterior weights (s, d + 1, k), the last row the intercepts; same key, same draws.

        A right side with the Hessian's own covariance is drawn and the Hessian solved for it
        (perturb and solve: Papandreou and Yuille 2010), so with a spread of 1 the draws are the
        exact Laplace posterior's up to the solver's tolerance; outside of the axes the prior's.
        """
        rng = np.random.default_rng([key & 0xFFFFFFFFFFFFFFFF, s])
        k, (d, r), n = self.classes, self.axes.shape, len(self.weights)
        free = rng.standard_normal((s, d, k), dtype=np.float32)
        free /= np.float32(np.sqrt(self.precision))
        if r:
            axes = self.axes.astype(np.float32)
            within = np.einsum("dr,sdk->rsk", axes, free)
            moved = self._perturbed(rng.standard_normal((n, s, k), dtype=np.float32), within)
            free += np.einsum("dr,rsk->sdk", axes, moved - within)
        return np.asarray(self.mean.astype(np.float32) + np.float32(self.spread) * free)

    def _perturbed(self, noise: Floats, within: Floats) -> Floats:
        """The Hessian solved for noise of its own covariance, (r, s, k).

        `noise` (n, s, k) is standard normal; `within` (r, s, k) are draws from the prior.
        """
        n, s, k = noise.shape
        z, p = self.z.astype(np.float32), self.trained.astype(np.float32)
        noise = noise * np.sqrt(p)[:, None, :]
        noise -= p[:, None, :] * noise.sum(axis=2, keepdims=True)
        noise *= np.sqrt(self.weights).astype(np.float32)[:, None, None]
        right = (z.T @ noise.reshape(n, s * k)).reshape(-1, s, k)
        near = self.curvature()
        small = [a.astype(np.float32) for a in (near.vectors, near.values, near.spectrum)]
        light = Curvature(*small)  # type: ignore[arg-type]
        problem = Problem(z, self.squares, p, self.weights)  # type: ignore[arg-type]
        return solve(
            product(problem, p, self.precision),  # type: ignore[arg-type]
            lambda v: light.solve(v, self.precision),
            right + np.float32(self.precision) * within,
            tolerance=1e-2,
            most=50,
        ).astype(np.float32)

    def samples(self, x: NDArray[np.floating], s: int, key: int) -> Floats:
        """Posterior samples of the predictive, (s, n, k) float32; each row sums to 1."""
        return predictive(x, self.draw(s, key))


def shrunk(logits: Array, variance: Array, spreads: Sequence[float]) -> list[Array]:
    """The mean predictive (n, k) under each of some spreads, from logits and their variances.

    The variances are of logits centred over the classes; that of a difference of two counts.
    """
    k = logits.shape[1]
    if k == 1:
        return [softmax(logits)] * len(spreads)
    centred = logits - logits.mean(axis=1, keepdims=True)
    wide = np.pi / 8 * (2 * k / (k - 1)) * variance
    return [softmax(centred / np.sqrt(1 + t * t * wide)) for t in spreads]


def predictive(x: NDArray[np.floating], drawn: Floats) -> Floats:
    """Probabilities (s, n, k) of embeddings (n, d) under drawn weights (s, d + 1, k)."""
    small = np.asarray(x, np.float32)
    logits = small @ drawn[:, :-1, :] + drawn[:, -1:, :]
    logits -= logits.max(axis=2, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=2, keepdims=True)
    return logits


def extended(x: NDArray[np.floating]) -> Array:
    """Embeddings with a column of ones, (n, d + 1) float64."""
    return np.concatenate([x, np.ones((len(x), 1))], axis=1, dtype=np.float64)
