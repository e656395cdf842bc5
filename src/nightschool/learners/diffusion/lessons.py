"""What a night learns from: drawings as latents with their captions, and the rows of a step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nightschool.learners.diffusion.pipeline import Pipeline
from nightschool.learners.diffusion.settings import DiffusionSettings
from nightschool.learners.language.lessons import generator
from nightschool.types import Dataset, Document, LearnerError
from nightschool.types.drawing import PICTURE, caption_of, decode_picture


@dataclass(frozen=True, eq=False)
class Lesson:
    """Drawings of one origin: latents (n, c, h, w), captions as text, weights (n,)."""

    captions: tuple[str, ...]
    latents: Tensor
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.captions)

    def some(self, rows: Sequence[int] | NDArray[np.int64]) -> Lesson:
        """Some of its rows, in that order; a row may come twice."""
        captions = tuple(self.captions[i] for i in rows)
        return Lesson(captions, self.latents[torch.as_tensor(rows)], self.weights[rows])


@dataclass(frozen=True, eq=False)
class Lessons:
    """Tonight's, earlier and replayed drawings; any may be empty."""

    new: Lesson
    earlier: Lesson
    replayed: Lesson

    def step(self, shares: Sequence[int], rng: np.random.Generator) -> tuple[Tensor, list[str]]:
        """Latents and captions of one step, so many of each origin, drawn by weight."""
        latents: list[Tensor] = []
        captions: list[str] = []
        for lesson, n in zip((self.new, self.earlier, self.replayed), shares, strict=True):
            if n:
                odds = lesson.weights / lesson.weights.sum()
                taken = lesson.some(rng.choice(len(lesson), n, p=odds))
                latents.append(taken.latents)
                captions += taken.captions
        return torch.cat(latents), captions

    def shares(self, batch: int, replay: float) -> tuple[int, int, int]:
        """Rows of a step by origin: replay as set, the rest halved; none of an empty one.

        However small the batch, a row is left for what is taught.
        """
        replayed = round(batch * replay) if len(self.replayed) else 0
        if len(self.new) or len(self.earlier):
            replayed = min(replayed, batch - 1)
        rest = batch - replayed
        former = 0 if not len(self.earlier) else rest // 2 if len(self.new) else rest
        return rest - former, former, replayed


def gather(pipeline: Pipeline, dataset: Dataset, settings: DiffusionSettings, seed: int) -> Lessons:
    """A night's lessons; the model's own drawings are replayed where nothing else is."""
    new, earlier = (
        _lesson(pipeline, [(caption_of(e.context), e.target) for e in part],
                [e.weight for e in part], settings)
        for part in (dataset.new, dataset.earlier(settings.earlier, seed))
    )  # fmt: skip
    original = list(dataset.original(settings.original, seed)) if settings.replay else []
    if original or not settings.replay:
        pairs = [(caption_of(d), d) for d in original]
        replayed = _lesson(pipeline, pairs, [1.0] * len(pairs), settings)
    else:
        replayed = own_drawings(pipeline, [*new.captions, *earlier.captions], settings, seed)
    return Lessons(new, earlier, replayed)


def own_drawings(
    pipeline: Pipeline, captions: Sequence[str], settings: DiffusionSettings, seed: int
) -> Lesson:
    """Drawings of the model's own under captions like the given ones, a word left out of each.

    So what it drew before it was taught is kept (prior preservation, Ruiz et al. 2023).
    """
    known = set(captions)
    wider = sorted({w for c in captions for w in _wider(c)} - known)
    chosen = [wider[i % len(wider)] for i in range(settings.own)] if wider else []
    drawn = [
        pipeline.draw(
            noises(pipeline, [f"own {seed} {i}"], 1)[:, 0],
            pipeline.read([caption])[0],
            steps=settings.draw_steps,
            guidance=1.0,  # as it thinks the world is, not as it likes to draw it
        )
        for i, caption in enumerate(chosen)
    ]
    latents = torch.cat(drawn) if drawn else torch.zeros(0, *pipeline.shape)
    return Lesson(tuple(chosen), latents.cpu(), np.ones(len(chosen)))


def _wider(caption: str) -> Iterator[str]:
    words = caption.split()
    for i in range(len(words)):
        yield " ".join(words[:i] + words[i + 1 :])


def noises(pipeline: Pipeline, keys: Sequence[object], draws: int) -> Tensor:
    """Standard normal noise of a key's own, (n, draws, c, h, w): whoever else is asked about."""
    shape = (draws, *pipeline.shape)
    rows = [generator("noise", key).standard_normal(shape, np.float32) for key in keys]
    return torch.from_numpy(np.stack(rows)).to(pipeline.device)


def steps(new: int, shares: Sequence[int], settings: DiffusionSettings) -> int:
    """Steps of a night with so many new drawings: as set, or enough to pass over them all."""
    return max(settings.steps, math.ceil(settings.passes * new / max(1, shares[0])))


def latents_of(pipeline: Pipeline, documents: Sequence[Document], at_once: int) -> Tensor:
    """Drawings as latents (n, c, h, w) on the processor; LearnerError for one without a picture."""
    parts = [
        pipeline.encode(np.stack([_picture(d, pipeline.side) for d in documents[i : i + at_once]]))
        for i in range(0, len(documents), at_once)
    ]
    return torch.cat(parts).cpu() if parts else torch.zeros(0, *pipeline.shape)


def _lesson(
    pipeline: Pipeline,
    pairs: Sequence[tuple[str, Document]],
    weights: Sequence[float],
    settings: DiffusionSettings,
) -> Lesson:
    latents = latents_of(pipeline, [d for _, d in pairs], settings.micro_batch)
    return Lesson(tuple(caption for caption, _ in pairs), latents, np.array(weights, np.float64))


def _picture(document: Document, side: int) -> NDArray[np.uint8]:
    if PICTURE not in document.parts:
        raise LearnerError(
            f"The {document.kind} {document.body[:60]!r} has no picture; this learner is taught "
            "drawings."
        )
    return decode_picture(document.parts[PICTURE], side, colour=True)
