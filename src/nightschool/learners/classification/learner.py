"""A text classifier that can be taught: a frozen encoder and a Bayesian head over its vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightschool import heads
from nightschool.learners.classification import storing
from nightschool.learners.classification.encoder import Encoder, Floats, digest
from nightschool.learners.classification.lessons import grown, lessons_of
from nightschool.learners.classification.opening import open_encoder, open_folder
from nightschool.learners.classification.settings import ClassificationSettings
from nightschool.types import (
    Blocks,
    Context,
    Dataset,
    Document,
    ExamItem,
    LearnerError,
    Observation,
    Progress,
    Recipe,
    normalise,
)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A head with what it was fitted on: digests (n, 16) uint8, vectors (n, d), classes (n,)."""

    head: heads.Head
    names: NDArray[np.uint8]
    x: Floats
    y: NDArray[np.int64]
    weights: NDArray[np.float64]

    @cached_property
    def known(self) -> Mapping[bytes, Floats]:
        """Vectors by the digest of their text."""
        return {bytes(name): row for name, row in zip(self.names, self.x, strict=True)}


@dataclass(frozen=True, eq=False)
class ClassificationLearner:
    """One version of a text classifier; no call changes it.

    `labels` are its k classes; a night may add some, never takes one away. `base` is where the
    encoder lies, as seen from the folder of a sister version.
    """

    recipe: Recipe
    settings: ClassificationSettings
    encoder: Encoder
    labels: tuple[str, ...]
    fitted: Fitted
    base: str | None = None

    @property
    def head(self) -> heads.Head:
        """The posterior over the labels."""
        return self.fitted.head

    @property
    def night_bytes(self) -> int:
        """About how many bytes a night writes: the vectors it read, and the head's mean."""
        rows = len(self.fitted.x) + 2000
        return 4 * self.encoder.width * rows + 8 * self.encoder.width * (len(self.labels) + 8)

    def fit(
        self, dataset: Dataset, *, seed: int, workspace: Path, progress: Progress | None = None
    ) -> ClassificationLearner:
        """A new learner: the head fitted anew on tonight's, former and original examples.

        A pure function of learner, dataset and seed, up to rounding (a vector may have been made
        in another batch). Only texts that no former night has read
        are encoded. Nothing is kept in the workspace: a killed fit begins anew, which takes the
        time of encoding tonight's texts and seconds for the head.
        """
        lessons = lessons_of(dataset, self.settings, seed)
        labels = grown(self.labels, sorted(set(lessons.answers)))
        column = {normalise(label): i for i, label in enumerate(labels)}
        x = self._encode(lessons.texts, progress)
        y = np.array([column[normalise(a)] for a in lessons.answers], dtype=np.int64)
        names = np.array([list(digest(t)) for t in lessons.texts], np.uint8).reshape(-1, 16)
        weights = np.array(lessons.weights, dtype=np.float64)
        head = heads.fit(
            x, y, len(labels), weights=weights, precision=self.settings.precision, start=self.head
        )
        fitted = Fitted(head, names, x, y, weights)
        return ClassificationLearner(
            self.recipe, self.settings, self.encoder, labels, fitted, self.base
        )

    def _encode(self, texts: Sequence[str], progress: Progress | None) -> Floats:
        parts = []
        for start in range(0, len(texts), self.settings.block):
            part = texts[start : start + self.settings.block]
            parts.append(self.encoder.embed(part, self.fitted.known))
            if progress is not None:
                progress(start + len(part), len(texts))
        return np.concatenate(parts) if parts else self.encoder.embed(())

    def observe(
        self, contexts: Sequence[Context], *, asked: Sequence[Context] = (), seed: int
    ) -> Blocks:
        """Blocks of vectors and posterior samples, computed while somebody goes through them."""
        return View(self, contexts, asked, seed)

    def predict(self, contexts: Sequence[Context]) -> Sequence[Document]:
        """The most probable label of each context."""
        probs = self.probs([c.text for c in contexts])
        return [Document(self.labels[i]) for i in probs.argmax(axis=1)]

    def mark(self, items: Sequence[ExamItem]) -> Sequence[float]:
        """The probability of the accepted labels; a label that it does not know has none."""
        probs = self.probs([item.context.body for item in items])
        column = {normalise(label): i for i, label in enumerate(self.labels)}
        accepted = [{normalise(a.body) for a in item.accepted} for item in items]
        return [
            float(sum(row[column[a]] for a in wanted if a in column))
            for row, wanted in zip(probs, accepted, strict=True)
        ]

    def probs(self, texts: Sequence[str]) -> Floats:
        """The mean predictive (n, k) of texts."""
        return self.head.probs(self.encoder.embed(texts, self.fitted.known))

    def save(self, folder: Path) -> None:
        """Head, labels and vectors; the encoder too, where no sister version has it."""
        facts = {
            "labels": list(self.labels),
            "precision": self.head.precision,
            "spread": self.head.spread,
            "chosen_at": self.head.chosen_at,
        }
        arrays: dict[str, NDArray[Any]] = {
            "mean": self.head.mean,
            "names": self.fitted.names,
            "x": self.fitted.x,
            "y": self.fitted.y,
            "weights": self.fitted.weights,
        }
        storing.save(folder, facts, arrays, self.encoder, self.base)


@dataclass(frozen=True)
class View:
    """A pool as a classifier sees it, block by block; the same values whenever it is iterated.

    The vectors are kept from the first pass on, 4 d bytes a context, by where their block starts.
    """

    learner: ClassificationLearner
    contexts: Sequence[Context]
    asked: Sequence[Context]
    seed: int
    kept: dict[int, Floats] = field(default_factory=dict, repr=False, compare=False)

    def __iter__(self) -> Iterator[Observation]:
        learner = self.learner
        encoder, known = learner.encoder, learner.fitted.known
        drawn = learner.head.draw(learner.settings.samples, self.seed)
        before = encoder.embed([c.text for c in self.asked], known)
        for start in range(0, len(self.contexts), learner.settings.block):
            part = self.contexts[start : start + learner.settings.block]
            if start not in self.kept:
                self.kept[start] = encoder.embed([c.text for c in part], known)
            x = self.kept[start]
            yield Observation(
                np.array([c.id for c in part], dtype=np.uint64),
                embeddings=x,
                probs=heads.predictive(x, drawn),
                asked=before,
            )


class ClassificationKind:
    """How a classifier begins and comes back."""

    def check(self, settings: Mapping[str, object]) -> None:
        """Raises LearnerError for a setting that it does not know; opens no model."""
        ClassificationSettings.of(settings)

    def begin(self, source: str, settings: Mapping[str, object]) -> ClassificationLearner:
        """A classifier that knows its labels and nothing else, on the encoder at `source`."""
        chosen = ClassificationSettings.of(settings)
        if len(chosen.labels) < 2:
            raise LearnerError(
                f"A classifier needs at least two labels, not {len(chosen.labels)}; name them in a "
                "file, one a line, with `nightschool init FOLDER --task classification --labels "
                "FILE`."
            )
        encoder = open_encoder(source, chosen)
        none, classes = np.zeros(0, np.int64), len(chosen.labels)
        head = heads.fit(empty(encoder.width), none, classes, precision=chosen.precision)
        fitted = Fitted(
            head, np.zeros((0, 16), np.uint8), empty(encoder.width), np.zeros(0, np.int64),
            np.zeros(0),
        )  # fmt: skip
        return ClassificationLearner(
            Recipe("classification", dict(settings)), chosen, encoder, chosen.labels, fitted
        )

    def load(self, folder: Path, settings: Mapping[str, object]) -> ClassificationLearner:
        """A classifier from a folder that `save` wrote; labels new in the settings are added."""
        chosen = ClassificationSettings.of(settings)
        facts, arrays = storing.read(folder)
        encoder = open_folder(storing.encoder_folder(folder, facts), chosen)
        x, y, weights = arrays["x"], arrays["y"], arrays["weights"]
        head = heads.rebuild(
            arrays["mean"],
            facts["precision"],
            facts["spread"],
            x,
            weights,
            chosen_at=facts["chosen_at"],
        )
        labels = grown(facts["labels"], chosen.labels)
        if len(labels) > head.classes:
            head = heads.fit(
                x, y, len(labels), weights=weights, precision=chosen.precision, start=head
            )
        recipe = Recipe("classification", dict(settings))
        fitted = Fitted(head, arrays["names"], x, y, weights)
        base = storing.as_base(folder, facts)
        return ClassificationLearner(recipe, chosen, encoder, labels, fitted, base)


def empty(width: int) -> Floats:
    """No vectors, (0, d)."""
    return np.zeros((0, width), dtype=np.float32)
