"""What a night learns from: drawings with their captions, and the rows of every step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nightschool.learners.drawing.canvas import to_codes
from nightschool.learners.drawing.settings import DrawingSettings
from nightschool.learners.drawing.words import features
from nightschool.types import Dataset, Document, Example, LearnerError
from nightschool.types.drawing import PICTURE, caption_of, decode_picture

_SHIFT, _STRETCH, _TURN = 0.06, 0.05, 0.06
"""Standard deviations of the jitter: share of half a side, share of the size, radians."""


@dataclass(frozen=True)
class Lesson:
    """Drawings of one origin: features (n, w), pictures (n, side, side) uint8, weights (n,)."""

    captions: tuple[str, ...]
    features: Tensor
    pictures: NDArray[np.uint8]
    weights: Tensor

    def __len__(self) -> int:
        return len(self.captions)

    @classmethod
    def of(
        cls,
        captions: Sequence[str],
        pictures: NDArray[np.uint8],
        weights: Sequence[float] | None = None,
    ) -> Lesson:
        """A lesson from captions and pictures of one size."""
        heavy = torch.tensor(weights if weights is not None else [1.0] * len(captions))
        return cls(tuple(captions), torch.from_numpy(features(captions)), pictures, heavy)

    def rows(self, n: int, generator: torch.Generator) -> Tensor:
        """n positions drawn with replacement, by weight."""
        return torch.multinomial(self.weights, n, replacement=True, generator=generator)


@dataclass(frozen=True)
class Lessons:
    """Lessons, how many rows of each go into a step, and how far its drawings are jittered."""

    lessons: tuple[Lesson, ...]
    shares: tuple[int, ...]
    jitters: tuple[float, ...]
    kept: int

    def step(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Codes (batch, size) and features (batch, w) of one step."""
        codes, words = [], []
        for lesson, n, jitter in zip(self.lessons, self.shares, self.jitters, strict=True):
            rows = lesson.rows(n, generator)
            pictures = lesson.pictures[rows.numpy()]
            codes.append(to_codes(pictures, self.kept, shake(n, jitter, generator)))
            words.append(lesson.features[rows])
        return torch.cat(codes), torch.cat(words)


def shake(n: int, jitter: float, generator: torch.Generator) -> Tensor | None:
    """n small affine maps (n, 2, 3): moved, stretched, turned; None where jitter is 0.

    A drawing that is moved by a pixel is as good a drawing of its caption, so few drawings are
    not learned by heart.
    """
    if not jitter:
        return None
    x, y, size, angle = jitter * torch.randn(4, n, generator=generator).clamp(-2, 2)
    scale, turn = 1 + _STRETCH * size, _TURN * angle
    cos, sin = scale * turn.cos(), scale * turn.sin()
    rows = [torch.stack([cos, -sin, _SHIFT * x], 1), torch.stack([sin, cos, _SHIFT * y], 1)]
    return torch.stack(rows, 1)


def gather(dataset: Dataset, settings: DrawingSettings, seed: int) -> list[Lesson]:
    """Tonight's, earlier and original drawings, in this order; each may be empty."""
    new = list(dataset.new)
    earlier = list(dataset.earlier(settings.earlier, seed))
    original = list(dataset.original(settings.original, seed))
    return [
        _examples(new, settings.side),
        _examples(earlier, settings.side),
        _lesson([(caption_of(d), d) for d in original], [1.0] * len(original), settings.side),
    ]


def plan(lessons: Sequence[Lesson], settings: DrawingSettings) -> Lessons:
    """How many rows of each go into a step: replay as set, the rest halved; none of an empty one.

    `lessons` are tonight's, earlier and original drawings. However small the batch, a row is left
    for what is taught.
    """
    new, earlier, original = lessons
    replayed = round(settings.batch * settings.replay) if len(original) else 0
    if len(new) or len(earlier):
        replayed = min(replayed, settings.batch - 1)
    rest = settings.batch - replayed
    former = 0 if not len(earlier) else rest // 2 if len(new) else rest
    sizes = (rest - former, former, replayed)
    # Original drawings are many: they need no jitter, which the model would only learn to draw.
    jitters = (settings.jitter, settings.jitter, 0.0)
    some = [row for row in zip(lessons, sizes, jitters, strict=True) if row[1] and len(row[0])]
    given, shares, moved = zip(*some, strict=True)
    return Lessons(given, shares, moved, settings.kept)


def steps(new: int, settings: DrawingSettings) -> int:
    """Steps of a night with so many new drawings: as set, or enough to pass over them all."""
    a_step = settings.batch * (1 - settings.replay) / 2
    return max(settings.steps, math.ceil(settings.passes * new / max(a_step, 1.0)))


def picture_of(document: Document, side: int) -> NDArray[np.uint8]:
    """The picture of a drawing, (side, side) grey; LearnerError where it has none."""
    if PICTURE not in document.parts:
        raise LearnerError(
            f"The {document.kind} {document.body[:60]!r} has no picture; this learner is taught "
            "drawings."
        )
    return decode_picture(document.parts[PICTURE], side)


def _examples(examples: Sequence[Example], side: int) -> Lesson:
    pairs = [(caption_of(e.context), e.target) for e in examples]
    return _lesson(pairs, [e.weight for e in examples], side)


def _lesson(pairs: Sequence[tuple[str, Document]], weights: Sequence[float], side: int) -> Lesson:
    pictures = np.zeros((len(pairs), side, side), np.uint8)
    for row, (_, document) in zip(pictures, pairs, strict=True):
        row[:] = picture_of(document, side)
    return Lesson.of([caption for caption, _ in pairs], pictures, weights)
