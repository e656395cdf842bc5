"""The network: a residual multilayer perceptron that caption and noise level modulate (FiLM)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nightschool.learners.drawing.words import PAIRS, WIDTH, WORDS

_TIMES = 32


class Block(nn.Module):
    """h + B gelu(scale * A norm(h) + shift), scale and shift from the condition.

    FiLM: Perez et al. 2018; zero at the start, so that a block begins as the identity.
    """

    def __init__(self, hidden: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.inner = nn.Linear(hidden, hidden)
        self.film = nn.Linear(condition, 2 * hidden)
        self.outer = nn.Linear(hidden, hidden)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)
        nn.init.normal_(self.film.weight, std=0.02)

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        """(n, hidden) and (n, condition) to (n, hidden)."""
        scale, shift = self.film(condition).chunk(2, dim=-1)
        inner = self.inner(self.norm(h)) * (1 + scale) + shift
        out: Tensor = h + self.outer(nn.functional.gelu(inner))
        return out


class Network(nn.Module):
    """The velocity of a code at a noise level under a caption (Liu et al. 2023, sec. 2).

    `size` is the code's length. A caption of zeros is no caption (for guidance).
    """

    def __init__(self, size: int, hidden: int, blocks: int, condition: int) -> None:
        super().__init__()
        self.time = nn.Linear(_TIMES, condition)
        self.caption = nn.Linear(WIDTH, condition, bias=False)
        self.mix = nn.Linear(condition, condition)
        self.enter = nn.Linear(size, hidden)
        self.blocks = nn.ModuleList(Block(hidden, condition) for _ in range(blocks))
        self.norm = nn.LayerNorm(hidden)
        self.leave = nn.Linear(hidden, size)
        # A word that was never learned says nothing.
        nn.init.zeros_(self.caption.weight)
        nn.init.zeros_(self.leave.weight)

    def trunk(self, codes: Tensor, times: Tensor, captions: Tensor) -> Tensor:
        """The last hidden layer, (n, hidden), for codes (n, size), times (n,) in [0, 1]."""
        condition = self.time(_waves(times)) + self.caption(captions)
        condition = nn.functional.silu(self.mix(nn.functional.silu(condition)))
        h = self.enter(codes)
        for block in self.blocks:
            h = block(h, condition)
        hidden: Tensor = self.norm(h)
        return hidden

    def forward(self, codes: Tensor, times: Tensor, captions: Tensor) -> Tensor:
        """The velocity, (n, size): towards the drawing, away from the noise."""
        velocity: Tensor = self.leave(self.trunk(codes, times, captions))
        return velocity


def _waves(times: Tensor) -> Tensor:
    """Sines and cosines of a noise level, (n, _TIMES)."""
    rates = torch.exp(torch.linspace(0.0, math.log(64.0), _TIMES // 2))
    angles = math.pi * times[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


__all__ = ["PAIRS", "WIDTH", "WORDS", "Block", "Network"]
