"""BADGE: uncertain and different, without ever building a gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.beliefs import Beliefs, believe
from nightschool.strategies.places import Places, survey
from nightschool.strategies.seeding import Draw, largest, seeds, topped_up
from nightschool.types import Blocks, Picks, uniform


@dataclass(frozen=True)
class Badge:
    """k-means++ over the gradients that the likeliest answers would give the last layer.

    Ash et al. 2020, alg. 1. The gradient of context i is the outer product of a_i = p_i less
    the one-hot likeliest class with its embedding x_i, k times d numbers; but the product of two
    gradients is (a_i . a_j)(x_i . x_j), so every distance is exact from n numbers a pass.
    The first pick is the longest gradient, as in the authors' code.
    """

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts; scores are squared distances to what was chosen before."""
        places = survey(blocks)
        if n <= 0 or not len(places):
            return Picks(np.empty(0, np.int64), np.empty(0))
        beliefs = believe(blocks, places.asked.shape[1])
        gradients = gradients_of(places, beliefs)
        draw = Draw(places.ids, None, key)
        draws = uniform(places.ids, key)

        def turn(nearest: NDArray[np.float32], allowed: NDArray[np.bool_], number: int) -> int:
            allowed = allowed & beliefs.sound
            if number == 0:
                return largest(gradients.squares, allowed, draws)
            return draw(nearest, allowed, number)

        start = np.full(len(places), np.inf, np.float32)
        index, far = seeds(places.ids, start, gradients.squared_to, n, turn)
        far[:1] = gradients.squares[index[:1]]
        index = topped_up(index, places.ids, n, key)
        return Picks(index, np.pad(far, (0, len(index) - len(far))))


@dataclass(frozen=True, eq=False)
class Gradients:
    """Distances among gradients from their factors; `squares` (n,) are their squared lengths."""

    places: Places
    beliefs: Beliefs
    squares: NDArray[np.float32]

    def squared_to(self, at: int) -> NDArray[np.float32]:
        """Squared distance of each gradient to the one at that position (n,): one pass."""
        products = self.places.products(self.places.row(at))
        factor = self.beliefs.rows(np.array([at]))[0].copy()
        factor[self.beliefs.likeliest[at]] -= 1
        out = np.empty(len(products), np.float32)
        for start, p in self.beliefs.chunks():
            part = out[start : start + len(p)]
            np.dot(p, factor, out=part)
            part -= factor[self.beliefs.likeliest[start : start + len(p)]]
        out *= products
        out *= -2
        scale = self.squares + self.squares[at]
        out += scale
        out[out < np.float32(1e-6) * scale] = 0  # nothing but rounding is left of it
        return out


def gradients_of(places: Places, beliefs: Beliefs) -> Gradients:
    """The squared lengths |a|^2 |x|^2, in one pass."""
    squares = np.empty(len(places), np.float32)
    for start, p in beliefs.chunks():
        top = p.max(axis=1)
        squares[start : start + len(p)] = np.einsum("ij,ij->i", p, p) - 2 * top + 1
    return Gradients(places, beliefs, squares * places.squares)


__all__ = ["Badge", "Gradients", "gradients_of"]
