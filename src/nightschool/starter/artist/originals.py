"""What the base was made from: drawings of the captions that it knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightschool.starter.artist.composing import drawings
from nightschool.starter.artist.digits import Split
from nightschool.starter.artist.grammar import known
from nightschool.types import Document
from nightschool.types.drawing import drawing_document, encode_picture

PRETRAINED_EACH = 300
"""Drawings of each known caption that the base in the package was pretrained on."""


def pretraining_set(each: int, seed: int) -> tuple[list[str], NDArray[np.uint8]]:
    """`each` drawings of every known caption: captions (n) and pictures (n, 28, 28) uint8."""
    names = [name for name in known() for _ in range(each)]
    rng = np.random.default_rng([seed, 0])
    return names, drawings(names, rng, Split.PRETRAINING)


def original_documents(each: int, seed: int) -> list[Document]:
    """The same as documents, for a school's original dataset (replayed at night)."""
    names, pictures = pretraining_set(each, seed)
    return [
        drawing_document(name, encode_picture(picture))
        for name, picture in zip(names, pictures, strict=True)
    ]
