"""A text-to-image model that can be taught by drawings, caption by caption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from nightschool.learners.diffusion import adapter, looking, storing, teaching
from nightschool.learners.diffusion.lessons import latents_of, noises
from nightschool.learners.diffusion.opening import open_pipeline
from nightschool.learners.diffusion.pipeline import Pipeline
from nightschool.learners.diffusion.schedule import LEVELS
from nightschool.learners.diffusion.settings import DiffusionSettings
from nightschool.learners.diffusion.storing import Members, Stored
from nightschool.learners.language.adapter import trained
from nightschool.learners.language.opening import choose_device
from nightschool.types import (
    Blocks,
    Context,
    Dataset,
    Document,
    ExamItem,
    Floats,
    LearnerError,
    Observation,
    Progress,
    Recipe,
)
from nightschool.types.drawing import caption_of, drawing_document, encode_picture

BLOCK = 64


@dataclass(frozen=True, eq=False)
class DiffusionLearner:
    """One version of a latent diffusion model; every call leaves it as it was, in any thread."""

    recipe: Recipe
    settings: DiffusionSettings
    pipeline: Pipeline
    stored: Stored
    members: Members = ()

    @property
    def night_bytes(self) -> int:
        """About how many bytes a night writes: checkpoints with their moments, then the version."""
        learned = sum(p.numel() for p in trained(self.pipeline.unet).values())
        return 4 * 5 * learned * (1 + self.settings.members)

    def fit(
        self, dataset: Dataset, *, seed: int, workspace: Path, progress: Progress | None = None
    ) -> DiffusionLearner:
        """A new learner, its adapter taught tonight's drawings; a killed fit goes on.

        A part of every step is replayed from the original drawings (without any, from drawings
        of the model's own), so that what it knew stays. Raises LearnerError where a drawing has
        no picture or the loss is not a number.
        """
        with self._threads():
            taught = teaching.teach(
                self.pipeline, self.settings, dataset, seed, workspace, progress
            )
        if taught is None:
            return self
        return replace(
            self,
            pipeline=replace(self.pipeline, unet=taught.unet),
            stored=replace(self.stored, residual=taught.residual),
            members=taught.members,
        )

    def observe(
        self, contexts: Sequence[Context], *, asked: Sequence[Context] = (), seed: int
    ) -> Blocks:
        """Captions as the text encoder's vectors, the members' velocities as samples."""
        noise = np.repeat(np.array(self.stored.residual, np.float32), self.settings.directions)
        blocks = []
        with self._threads():
            before = self._embeddings(asked)
            for start in range(0, len(contexts), BLOCK):
                part = contexts[start : start + BLOCK]
                ids = [c.id for c in part]
                blocks.append(
                    Observation(
                        np.array(ids, dtype=np.uint64),
                        embeddings=self._embeddings(part),
                        values=looking.values(
                            self.pipeline, self.members, _captions(part), ids, self.settings, seed
                        ),
                        noise=np.maximum(noise, 1e-6),
                        asked=before,
                    )
                )
        return blocks

    def predict(self, contexts: Sequence[Context]) -> Sequence[Document]:
        """One drawing for each context, in colour, from noise that is the context's own.

        They are drawn one by one, so that a drawing never depends on who else is drawn.
        """
        with self._threads():
            return [self._draw(context) for context in contexts]

    def mark(self, items: Sequence[ExamItem]) -> Sequence[float]:
        """How much of each held-out drawing the model explains, in [0, 1].

        One less the ratio of its squared velocity errors to those of a blank sheet of the
        drawing's mean colour (never below 0), the mean over LEVELS, with noise keyed by the
        item's context; the mean over the item's accepted drawings.
        """
        rows = [(i, d) for i, item in enumerate(items) for d in item.accepted]
        at_once = self.settings.micro_batch
        with self._threads():
            errors = looking.level_errors(
                self.pipeline,
                self.pipeline.unet,
                latents_of(self.pipeline, [d for _, d in rows], at_once),
                [caption_of(items[i].context) for i, _ in rows],
                [Context(items[i].context).id for i, _ in rows],
                at_once,
            )
        marks = np.zeros(len(items))
        for (i, _), share in zip(rows, looking.explained(*errors), strict=True):
            marks[i] += share / len(items[i].accepted)
        return [float(mark) for mark in marks]

    def save(self, folder: Path) -> None:
        """The adapter and its posterior; the pipeline too, where no folder beside has it."""
        storing.save(folder, self.stored, self.pipeline, self.members)

    def _draw(self, context: Context) -> Document:
        caption = caption_of(context.document)
        latents = self.pipeline.draw(
            noises(self.pipeline, [context.id], 1)[:, 0],
            self.pipeline.read([caption])[0],
            steps=self.settings.draw_steps,
            guidance=self.settings.guidance,
        )
        return drawing_document(caption, encode_picture(self.pipeline.decode(latents)[0]))

    def _embeddings(self, contexts: Sequence[Context]) -> Floats:
        captions = _captions(contexts)
        parts = [
            self.pipeline.read(captions[i : i + BLOCK])[1].float().cpu().numpy()
            for i in range(0, len(captions), BLOCK)
        ]
        width = int(self.pipeline.text_encoder.config.hidden_size)
        return np.concatenate([np.zeros((0, width), np.float32), *parts])

    @contextmanager
    def _threads(self) -> Iterator[None]:
        """As many threads as are set for a while: sums depend on their number."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.settings.threads or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)


class DiffusionKind:
    """How a diffusion learner begins and comes back."""

    def check(self, settings: Mapping[str, object]) -> None:
        """Raises LearnerError for a setting that it does not know; loads no model."""
        DiffusionSettings.of(settings)

    def begin(self, source: str, settings: Mapping[str, object]) -> DiffusionLearner:
        """A learner from the folder of a Stable Diffusion pipeline, as it was brought."""
        chosen = DiffusionSettings.of(settings)
        folder = Path(source)
        pipeline = open_pipeline(folder, choose_device(chosen.device))
        pipeline = replace(pipeline, unet=adapter.attach(pipeline.unet, chosen.rank))
        stored = Stored(folder.name, chosen.rank, (1.0,) * len(LEVELS))
        return DiffusionLearner(Recipe("diffusion", dict(settings)), chosen, pipeline, stored)

    def load(self, folder: Path, settings: Mapping[str, object]) -> DiffusionLearner:
        """A learner from a folder that `save` wrote; its adapter keeps the rank it was made with.

        Raises LearnerError where the settings want another rank, or the folder, or the base that
        it stands on, is not whole.
        """
        chosen = DiffusionSettings.of(settings)
        stored, pipeline, members = storing.load(folder, choose_device(chosen.device))
        if settings.get("rank", stored.rank) != stored.rank:
            raise LearnerError(
                f"rank is {chosen.rank}, but the adapter in {folder} has {stored.rank}; set `rank` "
                "back, or begin a new school."
            )
        chosen = replace(chosen, rank=stored.rank)
        recipe = Recipe("diffusion", dict(settings))
        return DiffusionLearner(recipe, chosen, pipeline, stored, members)


def _captions(contexts: Sequence[Context]) -> list[str]:
    return [caption_of(c.document) for c in contexts]


KIND = DiffusionKind()
"""The entry point `nightschool.learners.diffusion:KIND`."""
