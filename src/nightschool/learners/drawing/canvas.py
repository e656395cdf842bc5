"""Pictures as the network sees them: the low frequencies of their ink."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nightschool.types import LearnerError


@lru_cache(maxsize=8)
def basis(side: int, kept: int) -> Tensor:
    """The first `kept` rows of the orthonormal discrete cosine transform, (kept, side)."""
    row, column = np.arange(kept)[:, None], np.arange(side)[None]
    waves = np.sqrt(2.0 / side) * np.cos(np.pi * (column + 0.5) * row / side)
    waves[0] /= np.sqrt(2.0)
    return torch.from_numpy(waves.astype(np.float32))


def to_codes(pictures: NDArray[np.uint8], kept: int, maps: Tensor | None = None) -> Tensor:
    """Pictures (n, side, side) uint8 as (n, kept * kept) float32; paper is -1, ink is 1.

    The transform is orthonormal, so squared distances are those of the smoothed pictures. `maps`
    (n, 2, 3) move each picture first, in units of half a side (what comes in is paper).
    """
    if pictures.ndim != 3 or pictures.shape[1] != pictures.shape[2]:
        raise LearnerError(f"Pictures have shape {pictures.shape}; (n, side, side) is needed.")
    ink = 1.0 - torch.from_numpy(pictures.astype(np.float32)) / 255.0
    if maps is not None:
        ink = _moved(ink, maps)
    waves = basis(pictures.shape[1], kept)
    return (waves @ (2.0 * ink - 1.0) @ waves.T).flatten(1)


def _moved(ink: Tensor, maps: Tensor) -> Tensor:
    size = [len(ink), 1, *ink.shape[1:]]
    grid = nn.functional.affine_grid(maps, size, align_corners=False)
    return nn.functional.grid_sample(ink[:, None], grid, align_corners=False)[:, 0]


def to_pictures(codes: Tensor, side: int) -> NDArray[np.uint8]:
    """Codes (n, kept * kept) as pictures (n, side, side) uint8, dark ink on white paper."""
    kept = round(codes.shape[1] ** 0.5)
    waves = basis(side, kept)
    ink = waves.T @ codes.view(-1, kept, kept) @ waves
    pictures: NDArray[np.uint8] = (127.5 * (1.0 - ink.clamp(-1, 1))).round().byte().numpy()
    return pictures
