"""How noise comes in, and what a network says about it, whichever way it was trained to.

A noisy latent is signal * clean + sigma * noise. Networks predict the noise ("epsilon", Ho et
al. 2020), the clean latent ("sample") or the velocity signal * noise - sigma * clean
("v_prediction", Salimans and Ho 2022); here all are compared as velocities, whose errors have
one scale at every time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PREDICTIONS = ("epsilon", "v_prediction", "sample")

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the way to pure noise at which networks are measured: nearly clean first."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """`alphas` (T,) is the squared share of the signal at each time; `predicts` one of above."""

    alphas: Tensor
    predicts: str

    def __len__(self) -> int:
        return len(self.alphas)

    def time(self, level: float) -> int:
        """The time at a share of the way to pure noise."""
        return round(level * (len(self) - 1))

    def parts(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Factors of signal and noise at some times, each (n, 1, 1, 1)."""
        alphas = self.alphas.to(times.device)[times].view(-1, 1, 1, 1)
        return alphas.sqrt(), (1.0 - alphas).sqrt()

    def noisy(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Clean latents (n, c, h, w) with noise of their times (n,)."""
        signal, sigma = self.parts(times)
        return signal * clean + sigma * noise

    def target(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """What the network should say."""
        if self.predicts == "epsilon":
            return noise
        if self.predicts == "sample":
            return clean
        signal, sigma = self.parts(times)
        return signal * noise - sigma * clean

    def velocity(self, said: Tensor, noisy: Tensor, times: Tensor) -> Tensor:
        """What the network said, as a velocity."""
        signal, sigma = self.parts(times)
        if self.predicts == "epsilon":
            return (said - sigma * noisy) / signal
        if self.predicts == "sample":
            return (signal * noisy - said) / sigma.clamp_min(1e-6)
        return said

    def steps(self, n: int) -> list[int]:
        """n times from pure noise downwards, evenly spaced (trailing, Lin et al. 2024)."""
        total = len(self)
        return [max(0, round(total * (n - i) / n) - 1) for i in range(min(n, total))]


def step_down(schedule: Schedule, noisy: Tensor, velocity: Tensor, at: int, to: int) -> Tensor:
    """Latents at time `at` one step nearer to clean (DDIM, Song et al. 2021); -1 is clean."""
    signal, sigma = schedule.parts(torch.tensor([at], device=noisy.device))
    clean = signal * noisy - sigma * velocity
    if to < 0:
        return clean
    noise = sigma * noisy + signal * velocity
    return schedule.noisy(clean, noise, torch.tensor([to], device=noisy.device))
