"""The parts of a text-to-image pipeline: captions and pictures in, pictures out."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nightschool.learners.diffusion.schedule import Schedule, step_down

_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A latent diffusion model (Rombach et al. 2022); nothing in it is changed by any call.

    `unet` predicts, `vae` turns pictures into latents and back, `text_encoder` and `tokenizer`
    read captions. `index` and `scheduler` are the pipeline's own JSON, kept to be saved again.
    """

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    schedule: Schedule
    index: Mapping[str, Any]
    scheduler: Mapping[str, Any]

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return next(self.unet.parameters()).device  # type: ignore[no-any-return]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one latent: channels, height, width."""
        size = int(self.unet.config.sample_size)
        return int(self.unet.config.in_channels), size, size

    @property
    def side(self) -> int:
        """Of a picture, in pixels."""
        return self.shape[1] * int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @torch.no_grad()
    def read(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """What the network sees of captions (n, tokens, d), and one vector for each (n, d).

        A caption that is longer than the text encoder's window (77 tokens) is cut.
        """
        window = min(
            int(self.tokenizer.model_max_length),
            int(self.text_encoder.config.max_position_embeddings),
        )
        with _ONE_AT_A_TIME:  # a tokenizer that pads changes its own settings
            ids = self.tokenizer(
                list(captions), padding="max_length", max_length=window, truncation=True,
                return_tensors="pt",
            ).input_ids  # fmt: skip
        out = self.text_encoder(ids.to(self.device))
        return out.last_hidden_state, out.pooler_output

    @torch.no_grad()
    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Pictures (n, side, side, 3) uint8 as latents (n, c, h, w), each the most probable."""
        pixels = torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2) / 127.5 - 1.0
        found = self.vae.encode(pixels.to(self.device)).latent_dist.mode()
        shift = self.vae.config.get("shift_factor") or 0.0
        return (found - shift) * self.vae.config.scaling_factor  # type: ignore[no-any-return]

    @torch.no_grad()
    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        """Latents as pictures (n, side, side, 3) uint8."""
        shift = self.vae.config.get("shift_factor") or 0.0
        pixels = self.vae.decode(latents / self.vae.config.scaling_factor + shift).sample
        pixels = (127.5 * (pixels.clamp(-1, 1) + 1.0)).round().byte()
        return pixels.permute(0, 2, 3, 1).cpu().numpy()  # type: ignore[no-any-return]

    def say(self, unet: Any, noisy: Tensor, times: Tensor, states: Tensor) -> Tensor:
        """What a unet predicts (in its own terms) of latents at times (n,) under captions."""
        return unet(noisy, times, encoder_hidden_states=states).sample  # type: ignore[no-any-return]

    def velocity(self, unet: Any, noisy: Tensor, time: int, states: Tensor) -> Tensor:
        """The velocity that a unet predicts, all latents at one time."""
        times = torch.full((len(noisy),), time, device=noisy.device)
        return self.schedule.velocity(self.say(unet, noisy, times, states), noisy, times)

    @torch.no_grad()
    def draw(self, noise: Tensor, states: Tensor, *, steps: int, guidance: float) -> Tensor:
        """Latents drawn from noise (n, c, h, w) under captions as read (n, tokens, d).

        Guidance above 1 goes further from what would be drawn without a caption (Ho and Salimans
        2022).
        """
        free = self.read([""])[0].expand_as(states) if guidance != 1.0 else states
        latents, times = noise, self.schedule.steps(steps)
        for at, to in zip(times, [*times[1:], -1], strict=True):
            velocity = self.velocity(self.unet, latents, at, states)
            if guidance != 1.0:
                plain = self.velocity(self.unet, latents, at, free)
                velocity = plain + guidance * (velocity - plain)
            latents = step_down(self.schedule, latents, velocity, at, to)
        return latents
