"""A night, and the pretraining of a base: both train a network and look at what it learned."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nightschool.learners.drawing import posterior
from nightschool.learners.drawing.canvas import to_codes
from nightschool.learners.drawing.flow import LEVELS, Dropout, level_losses, training_loss
from nightschool.learners.drawing.lessons import Lesson, Lessons, gather, plan, steps
from nightschool.learners.drawing.network import Network
from nightschool.learners.drawing.settings import DrawingSettings
from nightschool.learners.drawing.storing import Brain, blank
from nightschool.learners.drawing.training import Course, digest, generator, train
from nightschool.types import Dataset, LearnerError, Progress, normalise

PRETRAINING_STEPS = 4000
PRETRAINING_RATE = 2e-3
_LOOKED_AT = 512
"""Drawings by which residuals are measured."""


def night(
    brain: Brain,
    settings: DrawingSettings,
    dataset: Dataset,
    seed: int,
    workspace: Path,
    progress: Progress | None,
) -> Brain:
    """A brain taught on tonight's, earlier and original drawings; the same one without any new."""
    lessons = gather(dataset, settings, seed)
    new, earlier, _ = lessons
    if not len(new) and not len(earlier):
        return brain
    workspace.mkdir(parents=True, exist_ok=True)
    lesson_ids = [(e.id, e.weight) for e in dataset.new]
    facts = (seed, dataset.manifest.hash, lesson_ids, sorted(asdict(settings).items()))
    course = Course(
        steps(len(new), settings),
        settings.learning_rate,
        seed,
        workspace / "drawing.safetensors",
        digest(brain.network.state_dict(), *facts),
        settings.checkpoint_steps,
    )
    network = _taught(copy.deepcopy(brain.network), plan(lessons, settings), settings, course,
                      progress)  # fmt: skip
    taught = Counter(brain.taught) + Counter(map(normalise, new.captions))
    return remember(network, lessons, brain.mean, taught, settings, seed)


def pretrain(
    captions: Sequence[str],
    pictures: NDArray[np.uint8],
    settings: DrawingSettings,
    seed: int,
    *,
    steps: int = PRETRAINING_STEPS,
    progress: Progress | None = None,
) -> Brain:
    """A base from nothing: captions (n) and their pictures (n, side, side) uint8.

    A pure function of its arguments on one machine. Raises LearnerError where there are none.
    """
    if not captions or len(captions) != len(pictures):
        raise LearnerError(
            f"{len(captions)} captions and {len(pictures)} pictures were given; pretraining needs "
            "one picture for each caption."
        )
    lesson = Lesson.of(captions, pictures)
    lessons = Lessons((lesson,), (settings.batch,), (0.0,), settings.kept)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = blank(settings)
    course = Course(steps, PRETRAINING_RATE, seed)
    network = _taught(network, lessons, settings, course, progress)
    mean = to_codes(pictures, settings.kept).mean(dim=0)
    taught = Counter(map(normalise, captions))
    return remember(network, [lesson], mean, taught, settings, seed)


def remember(
    network: Network,
    lessons: Iterable[Lesson],
    mean: Tensor,
    taught: Mapping[str, int],
    settings: DrawingSettings,
    seed: int,
) -> Brain:
    """A brain with the posterior that its lessons leave: see `posterior`."""
    given = [lesson for lesson in lessons if len(lesson)]
    codes = torch.cat([to_codes(lesson.pictures, settings.kept) for lesson in given])
    words = torch.cat([lesson.features for lesson in given])
    some = torch.randperm(len(codes), generator=generator(seed, 7))
    looked = some[:_LOOKED_AT]
    errors, _ = level_losses(network, codes[looked], words[looked], looked.tolist())
    seen = some[: 4 * _LOOKED_AT]
    matrix = posterior.gram(network, codes[seen], words[seen], seed) * (len(some) / len(seen))
    return Brain(network, mean, matrix, errors.mean(dim=0), dict(taught))


def untaught(settings: DrawingSettings, seed: int) -> Brain:
    """A brain that has learned nothing (for tests, and for a school from nothing)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = blank(settings).requires_grad_(False)
    size = settings.kept * settings.kept
    gram = torch.zeros(settings.hidden, settings.hidden)
    return Brain(network, torch.zeros(size), gram, torch.ones(len(LEVELS)), {})


def _taught(
    network: Network,
    lessons: Lessons,
    settings: DrawingSettings,
    course: Course,
    progress: Progress | None,
) -> Network:
    dropout = Dropout(settings.no_caption, settings.word_dropout, settings.pair_dropout)

    def loss(step: int, draws: torch.Generator) -> Tensor:
        codes, words = lessons.step(draws)
        return training_loss(network, codes, words, dropout, draws)

    network.requires_grad_(True)
    train(network, loss, course, progress)
    return network.requires_grad_(False)
