"""A posterior over the last layer: which captions the members would draw differently.

Two Gaussian posteriors of linear models are added up (Laplace approximation of the last layer:
Daxberger et al. 2021): one over the network's last hidden layer, whose features are what the
network sees of a code, and one over the caption's own words and pairs of words, which knows a
combination that was never taught even where the network takes it for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from nightschool.learners.drawing.flow import LEVELS, draw, noises
from nightschool.learners.drawing.network import Network
from nightschool.learners.drawing.training import generator
from nightschool.learners.drawing.words import WIDTH, features
from nightschool.types import Floats

PRIOR = 1.0
"""Prior variance of either part's effect on one direction of the velocity, for a row of length
1 (words), or of as many numbers of size 1 as there are (hidden features)."""

_RIDGE = 1e-3
_STEPS = 8


@torch.no_grad()
def gram(network: Network, codes: Tensor, words: Tensor, seed: int) -> Tensor:
    """Sum of the outer products of hidden features over rows and levels, (hidden, hidden)."""
    noise = torch.randn(codes.shape, generator=generator(seed, 5))
    total = torch.zeros(network.leave.in_features, network.leave.in_features)
    for level in LEVELS:
        hidden = network.trunk(
            noise + level * (codes - noise), torch.full((len(codes),), level), words
        )
        total += hidden.T @ hidden / len(LEVELS)
    return total


@torch.no_grad()
def values(
    network: Network,
    captions: Sequence[str],
    ids: Sequence[int],
    facts: tuple[Tensor, Tensor, Mapping[str, int]],
    *,
    members: int,
    directions: int,
    seed: int,
) -> Floats:
    """The members' velocities in random directions at LEVELS, (members, n, levels * directions).

    They are of a drawing of the model's own under each caption, with noise keyed by id. `facts`
    are the gram matrix, the residual variance at each level and how often each caption was taught.
    """
    matrix, residual, taught = facts
    words = torch.from_numpy(features(captions))
    size = network.leave.out_features
    noise = noises(ids, 2, size)
    codes = draw(network, words, noise[:, 0], steps=_STEPS, guidance=1.0)
    hidden = [
        network.trunk(
            noise[:, 1] + level * (codes - noise[:, 1]), torch.full((len(codes),), level), words
        )
        for level in LEVELS
    ]
    variance = float(residual.mean())
    look = generator(seed, 6)
    aim = torch.randn(size, directions, generator=look)
    aim /= aim.norm(dim=0)
    of_hidden = _scatter(matrix, variance, len(matrix) / PRIOR, members * directions, look)
    of_words = _scatter(_counted(taught), variance, 1.0 / PRIOR, members * directions, look)
    by_caption = (words @ of_words).view(-1, members, directions)
    spread = torch.stack([(h @ of_hidden).view(-1, members, directions) for h in hidden])
    mean = torch.stack([network.leave(h) @ aim for h in hidden])
    found = mean[:, :, None] + spread + by_caption
    return found.permute(2, 1, 0, 3).flatten(2).numpy()


def _counted(taught: Mapping[str, int]) -> Tensor:
    """Sum of the outer products of the taught captions' features, (WIDTH, WIDTH)."""
    if not taught:
        return torch.zeros(WIDTH, WIDTH)
    rows = torch.from_numpy(features(list(taught)))
    counts = torch.tensor([float(n) for n in taught.values()])
    return rows.T @ (counts[:, None] * rows)


def _scatter(
    matrix: Tensor, variance: float, prior: float, n: int, look: torch.Generator
) -> Tensor:
    """n draws of weights from the posterior with that gram matrix, residual variance and prior.

    `prior` is a precision. (size, n).
    """
    size = len(matrix)
    precision = matrix.double() / max(variance, _RIDGE) + prior * torch.eye(size).double()
    draws = torch.randn(size, n, generator=look, dtype=torch.float64)
    factor = torch.linalg.cholesky(precision)
    weights: Tensor = torch.linalg.solve_triangular(factor.T, draws, upper=True).float()
    return weights
