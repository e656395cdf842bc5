"""Real people's hand-written digits, dealt once to those who may see them.

The 1,797 digits are those that scikit-learn carries (Alpaydin and Kaynak 1998, "Optical
Recognition of Handwritten Digits": 43 writers, 8 x 8 pixels of 16 greys).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nightschool.types import ConfigError

_KEY = b"nightschool: who may see which digit"

Digit = NDArray[np.float32]
"""A hand-written digit cut to its ink, (h, w) in [0, 1], 1 is ink; h and w are at most 8."""


class Split(StrEnum):
    """Who may see a digit. Nobody sees another's."""

    PRETRAINING = "pretraining"
    ARTIST = "artist"
    JUDGES = "judges"
    HELD_OUT = "held-out"


# The upper end of each one's share of the hash's range.
_SHARES = (
    (0.25, Split.PRETRAINING),
    (0.50, Split.ARTIST),
    (0.85, Split.JUDGES),
    (1.00, Split.HELD_OUT),
)


def digits(split: Split, value: int) -> tuple[Digit, ...]:
    """Every digit of that value (0 to 9) that the split may see: about 45 for the artist.

    Raises ConfigError where scikit-learn is missing.
    """
    return _dealt()[Split(split), value]


def split_of(image: NDArray[np.uint8]) -> Split:
    """Who may see an 8 x 8 image: a keyed hash of its pixels, so equal images stay together."""
    hashed = hashlib.blake2b(image.tobytes(), digest_size=8, key=_KEY).digest()
    share = int.from_bytes(hashed, "big") / 2**64
    return next(split for end, split in _SHARES if share < end)


@lru_cache(maxsize=1)
def _dealt() -> dict[tuple[Split, int], tuple[Digit, ...]]:
    images, values = _load()
    hands: dict[tuple[Split, int], list[Digit]] = {}
    for image, value in zip(images, values, strict=True):
        hands.setdefault((split_of(image), int(value)), []).append(_cut(image))
    return {hand: tuple(found) for hand, found in hands.items()}


def _load() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ConfigError(
            "The artist draws from scikit-learn's hand-written digits, and scikit-learn is not "
            'installed: pip install "nightschool[drawing]".'
        ) from error
    images, values = load_digits(return_X_y=True)
    return images.reshape(-1, 8, 8).astype(np.uint8), values


def _cut(image: NDArray[np.uint8]) -> Digit:
    """The rows and columns that have ink."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    digit: Digit = (ink / 16.0).astype(np.float32)
    digit.setflags(write=False)
    return digit
