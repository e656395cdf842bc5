"""A night: the adapter learns, then members go on from it, each on a bootstrap of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nightschool.learners.diffusion import adapter
from nightschool.learners.diffusion.lessons import Lesson, Lessons, gather, steps
from nightschool.learners.diffusion.looking import residual
from nightschool.learners.diffusion.pipeline import Pipeline
from nightschool.learners.diffusion.settings import DiffusionSettings
from nightschool.learners.language import checkpoint
from nightschool.learners.language.adapter import trained
from nightschool.learners.language.lessons import generator
from nightschool.learners.language.training import Course, clip_together, train
from nightschool.types import Dataset, Progress


@dataclass(frozen=True, eq=False)
class Taught:
    """What a night leaves: the unet, the members' adapters, the residual variance by level."""

    unet: Any
    members: tuple[Mapping[str, Tensor], ...]
    residual: tuple[float, ...]


@dataclass(frozen=True)
class Training:
    """One training of an adapter: its key, steps, rows a step, peak rate and file."""

    key: str
    steps: int
    batch: int
    rate: float
    file: Path


def teach(
    pipeline: Pipeline,
    settings: DiffusionSettings,
    dataset: Dataset,
    seed: int,
    workspace: Path,
    progress: Progress | None,
) -> Taught | None:
    """A night on tonight's, earlier and replayed drawings; None where there is nothing to learn.

    A pure function of its arguments on one machine; a killed night goes on from its workspace.
    """
    lessons = gather(pipeline, dataset, settings, seed)
    if not len(lessons.new) and not len(lessons.earlier):
        return None
    workspace.mkdir(parents=True, exist_ok=True)
    examples = [(e.id, e.weight) for e in dataset.new]
    facts = (seed, dataset.manifest.hash, examples, sorted(asdict(settings).items()))
    identity = checkpoint.digest(adapter.weights(pipeline.unet), *facts)
    teacher = _Teacher(pipeline, settings, seed, identity)
    shares = lessons.shares(settings.batch_size, settings.replay)
    n = steps(len(lessons.new), shares, settings)
    file = workspace / "diffusion.safetensors"
    main = Training("night", n, settings.batch_size, settings.learning_rate, file)
    whole = n + settings.members * settings.member_steps
    unet = teacher.train(pipeline.unet, lessons, main, _shifted(progress, 0, whole))
    members = []
    for i in range(settings.members):
        own = Training(
            f"member {i}", settings.member_steps, settings.member_batch,
            settings.member_learning_rate, workspace / f"member-{i}.safetensors",
        )  # fmt: skip
        done = n + i * settings.member_steps
        resampled = bootstrap(lessons, seed, i)
        made = teacher.train(unet, resampled, own, _shifted(progress, done, whole))
        members.append(adapter.weights(made))
    looked = lessons.new if len(lessons.new) else lessons.earlier
    found = residual(pipeline, unet, looked, settings)
    return Taught(unet, tuple(members), found)


def bootstrap(lessons: Lessons, seed: int, member: int) -> Lessons:
    """The lessons, tonight's and earlier drawings drawn anew with replacement (Efron 1979)."""
    rng = generator("bootstrap", seed, member)

    def again(lesson: Lesson) -> Lesson:
        n = len(lesson)
        return lesson.some(rng.integers(0, n, n)) if n else lesson

    return Lessons(again(lessons.new), again(lessons.earlier), lessons.replayed)


@dataclass(frozen=True, eq=False)
class _Teacher:
    pipeline: Pipeline
    settings: DiffusionSettings
    seed: int
    identity: str

    def train(
        self, unet: Any, lessons: Lessons, training: Training, progress: Progress | None
    ) -> Any:
        """A copy of the unet with its adapter trained."""
        made = adapter.with_weights(unet, adapter.weights(unet))
        parameters = trained(made)
        for parameter in parameters.values():
            parameter.requires_grad_(True)
        shares = lessons.shares(training.batch, self.settings.replay)

        def backward(step: int) -> float:
            rng = generator(training.key, self.seed, step)
            return self._backward(made, *lessons.step(shares, rng), rng)

        course = Course(
            training.steps,
            training.rate,
            training.file,
            f"{self.identity} {training.key}",
            self.settings.checkpoint_steps,
        )
        train(parameters, backward, course, clip_together(parameters), progress)
        return made.requires_grad_(False)

    def _backward(
        self, unet: Any, latents: Tensor, captions: list[str], rng: np.random.Generator
    ) -> float:
        """Gradients of the mean squared error of a step, a few rows at a time; the error."""
        n, device = len(latents), self.pipeline.device
        # Spread evenly over all times, so that batches differ less.
        spread = (rng.permutation(n) + rng.random(n)) / n
        times = torch.from_numpy((spread * len(self.pipeline.schedule)).astype(np.int64))
        noise = torch.from_numpy(rng.standard_normal(tuple(latents.shape), np.float32))
        shown = [
            "" if dropped < self.settings.no_caption else caption
            for caption, dropped in zip(captions, rng.random(n), strict=True)
        ]
        states = self.pipeline.read(shown)[0]
        total = 0.0
        for at in range(0, n, self.settings.micro_batch):
            rows = slice(at, at + self.settings.micro_batch)
            clean, dirt, when = (x[rows].to(device) for x in (latents, noise, times))
            noisy = self.pipeline.schedule.noisy(clean, dirt, when)
            with self._autocast(device):
                said = self.pipeline.say(unet, noisy, when, states[rows]).float()
            target = self.pipeline.schedule.target(clean, dirt, when)
            loss = nn.functional.mse_loss(said, target) * (len(clean) / n)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total

    def _autocast(self, device: torch.device) -> torch.autocast:
        wanted = self.settings.precision == "bf16"
        return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)


def _shifted(progress: Progress | None, before: int, whole: int) -> Progress | None:
    """Progress of one training as that of the whole night."""
    if progress is None:
        return None
    told = progress
    return lambda done, _: told(before + done, whole)
