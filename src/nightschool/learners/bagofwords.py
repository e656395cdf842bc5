"""A small NumPy learner: logistic regression on hashed words. For tests, and to read first."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save, save_file

from nightschool.faults import reach
from nightschool.types import (
    Blocks,
    Context,
    Dataset,
    Document,
    ExamItem,
    Example,
    Learner,
    LearnerError,
    Observation,
    Progress,
    Recipe,
    normalise,
)

WIDTH = 256
BLOCK = 512
CHECKPOINT_EVERY = 10


@dataclass(frozen=True)
class Settings:
    """Steps and step size of a night, and the number of posterior members."""

    steps: int = 60
    rate: float = 2.0
    members: int = 4
    earlier: int = 200


@dataclass(frozen=True, eq=False)
class BagOfWords:
    """A multinomial logistic regression over hashed words and pairs of words.

    `weights` is (members + 1, WIDTH, k) float32: row 0 is the model, the others are posterior
    members, each fitted on its own bootstrap. `answers` are the k answers it knows.
    """

    recipe: Recipe
    settings: Settings
    answers: tuple[str, ...]
    weights: NDArray[np.float32]

    def fit(
        self, dataset: Dataset, *, seed: int, workspace: Path, progress: Progress | None = None
    ) -> BagOfWords:
        """Gradient steps on tonight's and earlier examples; goes on from a checkpoint."""
        examples = [*dataset.new, *dataset.earlier(self.settings.earlier, seed)]
        start = self._with_answers(examples, seed)
        if not examples:
            return start
        x = features([e.context.body for e in examples])
        column = {answer: i for i, answer in enumerate(start.answers)}
        y = np.eye(len(column))[[column[normalise(e.target.body)] for e in examples]]
        # Bootstrap counts keyed by the seed; the model itself (row 0) sees each example once.
        rng = np.random.default_rng([seed, 1])
        counts = rng.poisson(1.0, (self.settings.members + 1, len(examples))).astype(np.float64)
        counts[0] = 1.0
        counts *= np.array([e.weight for e in examples])
        identity = start._identity(examples, seed)
        step, weights = load_checkpoint(workspace, start.weights, identity)
        while step < self.settings.steps:
            reach("fit.step")
            probs = softmax(np.einsum("nd,sdk->snk", x, weights))
            pull = counts[:, :, None] * (y - probs) / max(len(examples), 1)
            gradient = np.einsum("nd,snk->sdk", x, pull)
            weights = (weights + self.settings.rate * gradient).astype(np.float32)
            step += 1
            if step % CHECKPOINT_EVERY == 0:
                save_checkpoint(workspace, step, weights, identity)
            if progress is not None:
                progress(step, self.settings.steps)
        return replace(start, weights=weights)

    def _identity(self, examples: Sequence[Example], seed: int) -> str:
        """Names a fit: the weights it begins from, what it learns, with which settings and seed."""
        lesson = [(e.id, e.weight) for e in examples]
        facts = (seed, lesson, self.answers, sorted(self.settings.__dict__.items()))
        return hashlib.sha256(self.weights.tobytes() + repr(facts).encode()).hexdigest()

    def _with_answers(self, examples: Sequence[Example], seed: int) -> BagOfWords:
        new = sorted({normalise(e.target.body) for e in examples} - set(self.answers))
        members, width, _ = self.weights.shape
        rng = np.random.default_rng([seed, 2])
        fresh = (0.01 * rng.standard_normal((members, width, len(new)))).astype(np.float32)
        return replace(
            self,
            answers=(*self.answers, *new),
            weights=np.concatenate([self.weights, fresh], axis=2),
        )

    def observe(
        self, contexts: Sequence[Context], *, asked: Sequence[Context] = (), seed: int
    ) -> Blocks:
        """Hashed words as embeddings, the members' predictions as posterior samples."""
        before = features([c.text for c in asked])
        blocks = []
        for start in range(0, len(contexts), BLOCK):
            part = contexts[start : start + BLOCK]
            x = features([c.text for c in part])
            probs = softmax(np.einsum("nd,sdk->snk", x, self.weights[1:]))
            blocks.append(
                Observation(
                    np.array([c.id for c in part], dtype=np.uint64),
                    embeddings=x,
                    probs=probs.astype(np.float32),
                    asked=before,
                )
            )
        return blocks

    def predict(self, contexts: Sequence[Context]) -> Sequence[Document]:
        """The most probable answer that it knows."""
        logits = features([c.text for c in contexts]) @ self.weights[0]
        return [Document(self.answers[i]) for i in logits.argmax(axis=1)]

    def mark(self, items: Sequence[ExamItem]) -> Sequence[float]:
        """The probability of the accepted answers, in [0, 1]."""
        probs = softmax(features([i.context.body for i in items]) @ self.weights[0])
        column = {answer: i for i, answer in enumerate(self.answers)}
        accepted = [{normalise(a.body) for a in item.accepted} for item in items]
        return [
            float(sum(row[column[a]] for a in wanted if a in column))
            for row, wanted in zip(probs, accepted, strict=True)
        ]

    def save(self, folder: Path) -> None:
        """model.safetensors and settings.json."""
        save_file({"weights": self.weights}, folder / "model.safetensors")
        body = {"answers": self.answers, "settings": self.settings.__dict__}
        (folder / "settings.json").write_text(json.dumps(body, sort_keys=True))


class BagOfWordsKind:
    """The entry point: begins empty, comes back from a folder."""

    def check(self, settings: Mapping[str, object]) -> None:
        """Raises LearnerError for a setting that it does not know."""
        parse(settings)

    def begin(self, source: str, settings: Mapping[str, object]) -> Learner:
        """A learner that knows two answers and is right by chance; `source` is not used."""
        chosen = parse(settings)
        rng = np.random.default_rng(0)
        shape = (chosen.members + 1, WIDTH, 2)
        weights = (0.1 * rng.standard_normal(shape)).astype(np.float32)
        recipe = Recipe("bagofwords", dict(settings))
        return BagOfWords(recipe, chosen, ("no", "yes"), weights)

    def load(self, folder: Path, settings: Mapping[str, object]) -> Learner:
        """A learner from a folder that `save` wrote."""
        try:
            body = json.loads((folder / "settings.json").read_text())
            weights = load_file(folder / "model.safetensors")["weights"]
        except (OSError, ValueError, KeyError) as error:
            raise LearnerError(
                f"{folder} holds no bag-of-words learner ({error}); see `nightschool doctor`."
            ) from error
        stored = Settings(**body["settings"])
        chosen = parse(settings, stored)
        if chosen.members != stored.members:
            raise LearnerError(
                f"members is {chosen.members}, but the model in {folder} has {stored.members}; "
                f"set `members` back to {stored.members}, or begin a new school."
            )
        recipe = Recipe("bagofwords", dict(settings))
        return BagOfWords(recipe, chosen, tuple(body["answers"]), weights)


KIND = BagOfWordsKind()


def parse(settings: Mapping[str, object], base: Settings | None = None) -> Settings:
    """Settings from a table, over `base`; unknown keys are refused by name."""
    known = sorted(Settings.__dataclass_fields__)
    for key in settings:
        if key not in known:
            raise LearnerError(f"Unknown learner setting {key!r}; known: {', '.join(known)}.")
    return replace(base or Settings(), **settings)  # type: ignore[arg-type]


def features(texts: Sequence[str]) -> NDArray[np.float32]:
    """Hashed words and neighbouring pairs, (n, WIDTH) float32, rows of length 1."""
    x = np.zeros((len(texts), WIDTH), dtype=np.float32)
    for row, text in zip(x, texts, strict=True):
        words = ["", *normalise(text).split()]
        for a, b in itertools.pairwise(words):
            row[zlib.crc32(b.encode()) % WIDTH] += 1.0
            row[zlib.crc32(f"{a} {b}".encode()) % WIDTH] += 1.0
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = x / np.maximum(lengths, 1e-9)
    return scaled


def softmax(logits: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities over the last axis."""
    shifted = np.exp(np.asarray(logits, np.float64) - logits.max(axis=-1, keepdims=True))
    probs: NDArray[np.float64] = shifted / shifted.sum(axis=-1, keepdims=True)
    return probs


def save_checkpoint(
    workspace: Path, step: int, weights: NDArray[np.float32], identity: str
) -> None:
    """The state after a step of the fit of that identity; whole on the disk or not at all."""
    temporary = workspace / "checkpoint.tmp"
    with open(temporary, "wb") as file:
        file.write(save({"weights": weights, "step": np.array([step])}, {"identity": identity}))
        file.flush()
        os.fsync(file.fileno())
    reach("fit.checkpoint")
    os.replace(temporary, workspace / "checkpoint.safetensors")


def load_checkpoint(
    workspace: Path, start: NDArray[np.float32], identity: str
) -> tuple[int, NDArray[np.float32]]:
    """The last step that a fit of that identity reached here and its weights; else (0, start)."""
    path = workspace / "checkpoint.safetensors"
    if not path.exists():
        return 0, start
    try:
        with safe_open(path, framework="numpy") as file:
            if (file.metadata() or {}).get("identity") != identity:
                return 0, start
            return int(file.get_tensor("step")[0]), file.get_tensor("weights")
    except SafetensorError:  # no checkpoint of ours: the fit begins anew
        return 0, start
