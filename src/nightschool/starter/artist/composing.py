"""Drawings made of real digits: enlarged, placed and turned, a little different each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.starter.artist.digits import Digit, Split, digits
from nightschool.starter.artist.grammar import Scene, parse
from nightschool.types.drawing import Picture

SIDE = 28
"""Pixels of a drawing's side."""

_HEIGHTS = {"": 18.0, "big": 26.0, "small": 11.0}
_CORNER, _PAIR, _TRIPLE = 15.0, 15.0, 11.0
_MIDDLE = (SIDE - 1) / 2
_HARDNESS = 1.4
_JITTER_SIZE, _JITTER_PLACE, _JITTER_ANGLE = 0.05, 0.4, 0.06


@dataclass(frozen=True)
class Spot:
    """Where a digit goes: its centre and height in pixels, its angle in radians, clockwise."""

    x: float
    y: float
    height: float
    angle: float = 0.0


def compose(caption: str, rng: np.random.Generator, split: Split | str) -> Picture:
    """A drawing of a caption from the digits of a split: (28, 28) uint8, dark ink on white.

    Which digits, and how they are jittered in size, place and angle, is drawn from `rng`. Raises
    PoolError for a caption outside the grammar.
    """
    scene = parse(caption)
    ink = np.zeros((SIDE, SIDE))
    for value, spot in zip(scene.digits, spots(scene), strict=True):
        hands = digits(Split(split), value)
        digit = hands[int(rng.integers(len(hands)))]
        ink = np.maximum(ink, _stamp(digit, _jittered(spot, rng)))
    return np.round(255.0 * (1.0 - ink)).astype(np.uint8)


def drawings(
    names: Sequence[str], rng: np.random.Generator, split: Split | str
) -> NDArray[np.uint8]:
    """One drawing for each caption, (n, 28, 28) uint8."""
    return np.stack([compose(name, rng, split) for name in names])


def spots(scene: Scene) -> list[Spot]:
    """Where the digits of a scene go, before jitter."""
    n = len(scene.digits)
    if n > 1:
        height = _PAIR if n == 2 else _TRIPLE
        return [Spot(SIDE * (2 * i + 1) / (2 * n) - 0.5, _MIDDLE, height) for i in range(n)]
    height = _HEIGHTS[scene.size]
    if not scene.place:
        return [Spot(_MIDDLE, _MIDDLE, height, np.pi / 2 if scene.turned else 0.0)]
    height = min(height, _CORNER)
    near, far = SIDE * 0.25, SIDE * 0.75 - 1
    vertical, horizontal = scene.place.split()
    x, y = (near if horizontal == "left" else far), (near if vertical == "top" else far)
    return [Spot(x, y, height, np.pi / 2 if scene.turned else 0.0)]


def _jittered(spot: Spot, rng: np.random.Generator) -> Spot:
    size, x, y, angle = rng.standard_normal(4).clip(-2, 2)
    return Spot(
        spot.x + _JITTER_PLACE * x,
        spot.y + _JITTER_PLACE * y,
        spot.height * (1 + _JITTER_SIZE * size),
        spot.angle + _JITTER_ANGLE * angle,
    )


def _stamp(digit: Digit, spot: Spot) -> NDArray[np.float64]:
    """The digit's ink on a whole sheet, (28, 28) in [0, 1]: cubic splines, then hard edges."""
    from scipy.ndimage import affine_transform

    scale = max(digit.shape) / spot.height
    cos, sin = np.cos(spot.angle), np.sin(spot.angle)
    # From a pixel of the sheet (y, x) back to one of the digit: turn by -angle, then shrink.
    back = scale * np.array([[cos, -sin], [sin, cos]])
    middle = (np.array(digit.shape) - 1) / 2
    offset = middle - back @ np.array([spot.y, spot.x])
    padded = np.pad(digit, 2)
    smooth = affine_transform(
        padded, back, offset + 2, output_shape=(SIDE, SIDE), order=3, mode="constant"
    )
    ink: NDArray[np.float64] = np.clip((smooth - 0.5) * _HARDNESS + 0.5, 0.0, 1.0)
    return ink
