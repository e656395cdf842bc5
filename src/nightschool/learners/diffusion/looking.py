"""How a model sees drawings and captions: shares explained, and where its members disagree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nightschool.learners.diffusion import adapter
from nightschool.learners.diffusion.lessons import Lesson, noises
from nightschool.learners.diffusion.pipeline import Pipeline
from nightschool.learners.diffusion.schedule import LEVELS
from nightschool.learners.diffusion.settings import DiffusionSettings
from nightschool.learners.language.lessons import generator
from nightschool.types import Floats

_SKETCH = 4
_LOOKED_AT = 32
"""Drawings by which residuals are measured."""


@torch.no_grad()
def level_errors(
    pipeline: Pipeline,
    unet: Any,
    latents: Tensor,
    captions: Sequence[str],
    keys: Sequence[object],
    at_once: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squared velocity errors (n, levels) at LEVELS, and those of a blank sheet.

    The second are for a network that knows the drawing's mean colour and nothing else. Noise is
    keyed by row.
    """
    found, blank = np.zeros((2, len(latents), len(LEVELS)))
    for start in range(0, len(latents), at_once):
        rows = slice(start, start + at_once)
        states = pipeline.read(captions[rows])[0]
        clean = latents[rows].to(pipeline.device)
        inked = clean - clean.mean(dim=(2, 3), keepdim=True)
        noise = noises(pipeline, keys[rows], len(LEVELS))
        for i, level in enumerate(LEVELS):
            time = pipeline.schedule.time(level)
            times = torch.full((len(clean),), time, device=clean.device)
            signal, sigma = pipeline.schedule.parts(times)
            noisy = signal * clean + sigma * noise[:, i]
            velocity = pipeline.velocity(unet, noisy, time, states)
            error = velocity - (signal * noise[:, i] - sigma * clean)
            found[rows, i] = error.square().mean(dim=(1, 2, 3)).cpu()
            plain = signal * noise[:, i] - sigma * inked
            blank[rows, i] = plain.square().mean(dim=(1, 2, 3)).cpu()
    return found, blank


def explained(found: NDArray[np.float64], blank: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of each drawing that is explained, (n,) in [0, 1]: the mean over the levels."""
    shares: NDArray[np.float64] = (1.0 - found / np.maximum(blank, 1e-9)).clip(0, 1).mean(axis=1)
    return shares


def residual(
    pipeline: Pipeline, unet: Any, lesson: Lesson, settings: DiffusionSettings
) -> tuple[float, ...]:
    """Mean squared velocity error at each level over a lesson's first drawings."""
    n = min(len(lesson), _LOOKED_AT)
    found, _ = level_errors(
        pipeline, unet, lesson.latents[:n], lesson.captions[:n],
        [f"residual {i}" for i in range(n)], settings.micro_batch,
    )  # fmt: skip
    return tuple(float(error) for error in found.mean(axis=0))


@dataclass(frozen=True, eq=False)
class Voice:
    """One of several slightly different models: its unet, and factors of caption features."""

    unet: Any
    mask: Tensor | None = None

    def hear(self, states: Tensor) -> Tensor:
        """Captions as this one sees them."""
        return states if self.mask is None else states * self.mask


def voices(
    pipeline: Pipeline,
    members: Sequence[Mapping[str, Tensor]],
    settings: DiffusionSettings,
    seed: int,
) -> Iterator[Voice]:
    """The members, one at a time; before there are any, dropout takes their place.

    A dropout pass keeps or drops each feature of every caption, the same ones for the whole pool
    (Gal and Ghahramani 2016), so that it is a function of its own.
    """
    for weights in members:
        yield Voice(adapter.with_weights(pipeline.unet, weights))
    if not members:
        keep, width = 1.0 - settings.dropout, int(pipeline.text_encoder.config.hidden_size)
        for i in range(settings.dropout_passes):
            kept = generator("dropout", seed, i).random(width) < keep
            mask = torch.from_numpy(kept.astype(np.float32)) / keep
            yield Voice(pipeline.unet, mask.to(pipeline.device))


@torch.no_grad()
def values(
    pipeline: Pipeline,
    members: Sequence[Mapping[str, Tensor]],
    captions: Sequence[str],
    ids: Sequence[int],
    settings: DiffusionSettings,
    seed: int,
) -> Floats:
    """The members' velocities in random directions at LEVELS, (s, n, levels * directions).

    They are of a sketch of the model's own under each caption (few steps), with noise keyed by
    the context's id.
    """
    size = int(np.prod(pipeline.shape))
    aim = torch.from_numpy(generator("aim", seed).standard_normal((size, settings.directions)))
    aim = (aim / aim.norm(dim=0)).float().to(pipeline.device)
    batches = []
    for start in range(0, len(ids), settings.micro_batch):
        rows = slice(start, start + settings.micro_batch)
        states = pipeline.read(captions[rows])[0]
        noise = noises(pipeline, ids[rows], 1 + len(LEVELS))
        batches.append(
            (states, noise, pipeline.draw(noise[:, 0], states, steps=_SKETCH, guidance=1.0))
        )
    said = []
    for voice in voices(pipeline, members, settings, seed):
        parts = [_aimed(pipeline, voice, batch, aim) for batch in batches]
        said.append(torch.cat(parts))
    found: Floats = torch.stack(said).cpu().numpy()
    return found


def _aimed(
    pipeline: Pipeline, voice: Voice, batch: tuple[Tensor, Tensor, Tensor], aim: Tensor
) -> Tensor:
    """A voice's velocities of a batch of sketches, projected, (n, levels * directions)."""
    states, noise, sketch = batch
    found = []
    for i, level in enumerate(LEVELS):
        time = pipeline.schedule.time(level)
        times = torch.full((len(sketch),), time, device=sketch.device)
        noisy = pipeline.schedule.noisy(sketch, noise[:, 1 + i], times)
        velocity = pipeline.velocity(voice.unet, noisy, time, voice.hear(states))
        found.append(velocity.flatten(1) @ aim)
    return torch.cat(found, dim=1)
