"""Rectified flow: noise becomes a drawing along (nearly) straight lines (Liu et al. 2023).

A code at time t is (1 - t) noise + t drawing; the network learns the velocity drawing - noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nightschool.learners.drawing.network import Network
from nightschool.learners.drawing.words import WORDS

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""The times at which losses are measured: nearly noise first."""

DRAWS = 2
"""Noises a level and drawing."""

_AT_ONCE = 256


@dataclass(frozen=True)
class Dropout:
    """Which share of captions, of single words and of all pairs of words is left out."""

    captions: float
    words: float
    pairs: float

    def __call__(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Features (n, WIDTH) with some of them zero."""
        n = len(features)
        kept = torch.rand(features.shape, generator=generator) >= self.words
        kept &= (torch.rand(n, generator=generator) >= self.captions)[:, None]
        kept[:, WORDS:] &= (torch.rand(n, generator=generator) >= self.pairs)[:, None]
        return features * kept


def training_loss(
    network: Network, codes: Tensor, features: Tensor, dropout: Dropout, generator: torch.Generator
) -> Tensor:
    """Mean squared velocity error at times drawn from a logistic-normal (Esser et al. 2024)."""
    times = torch.sigmoid(torch.randn(len(codes), generator=generator))
    noise = torch.randn(codes.shape, generator=generator)
    at = noise + times[:, None] * (codes - noise)
    velocity = network(at, times, dropout(features, generator))
    loss: Tensor = (velocity - (codes - noise)).square().mean()
    return loss


def noises(keys: Sequence[int], draws: int, size: int) -> Tensor:
    """Standard normal noise of a key's own, (n, draws, size): whoever else is asked about."""
    rows = [
        np.random.default_rng([key & (2**64 - 1), 17]).standard_normal((draws, size), np.float32)
        for key in keys
    ]
    return torch.from_numpy(np.stack(rows))


@torch.no_grad()
def level_losses(
    network: Network, codes: Tensor, features: Tensor, keys: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Squared velocity errors (n, levels) at LEVELS, and those of no network at all.

    The second are for the constant 0 in place of the network's velocity, so that anyone can take
    a constant out: see `explained`. Noise is keyed by row.
    """
    errors, plain = torch.zeros(len(codes), len(LEVELS)), torch.zeros(len(codes), len(LEVELS))
    for start in range(0, len(codes), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        noise = noises(keys[rows], len(LEVELS) * DRAWS, codes.shape[1])
        for i in range(len(LEVELS) * DRAWS):
            level, target = i // DRAWS, codes[rows] - noise[:, i]
            at = noise[:, i] + LEVELS[level] * target
            times = torch.full((len(at),), LEVELS[level])
            velocity = network(at, times, features[rows])
            errors[rows, level] += (velocity - target).square().mean(dim=1) / DRAWS
            plain[rows, level] += target.square().mean(dim=1) / DRAWS
    return errors, plain


@torch.no_grad()
def draw(
    network: Network, features: Tensor, noise: Tensor, *, steps: int, guidance: float
) -> Tensor:
    """Codes (n, size) drawn from noise (n, size) in Euler steps.

    Guidance above 1 goes further from what would be drawn without a caption (Ho and Salimans
    2022).
    """
    drawn = [
        _draw(network, features[i : i + _AT_ONCE], noise[i : i + _AT_ONCE], steps, guidance)
        for i in range(0, len(noise), _AT_ONCE)
    ]
    return torch.cat(drawn) if drawn else noise


def _draw(network: Network, features: Tensor, codes: Tensor, steps: int, guidance: float) -> Tensor:
    nothing = torch.zeros_like(features)
    for step in range(steps):
        times = torch.full((len(codes),), step / steps)
        velocity = network(codes, times, features)
        if guidance != 1.0:
            free = network(codes, times, nothing)
            velocity = free + guidance * (velocity - free)
        codes = codes + velocity / steps
    return codes
