"""The conformance suite of a learner that answers texts."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nightschool.types import (
    Context,
    Document,
    ExamItem,
    Example,
    Learner,
    LearnerError,
    LearnerKind,
    Manifest,
    uniform,
)


@dataclass(frozen=True)
class MemoryDataset:
    """A dataset held in memory, for tests of learners."""

    new: Sequence[Example]
    old: Sequence[Example] = ()
    texts: Sequence[Document] = ()
    manifest: Manifest = field(default_factory=lambda: Manifest("0" * 64, 1, (), ()))

    def earlier(self, n: int, seed: int) -> Sequence[Example]:
        """At most n of the older examples."""
        draws = uniform(range(len(self.old)), seed)
        return [self.old[i] for i in np.argsort(draws)[:n]]

    def original(self, n: int, seed: int) -> Sequence[Document]:
        """At most n of the original texts."""
        draws = uniform(range(len(self.texts)), seed)
        return [self.texts[i] for i in np.argsort(draws)[:n]]


def example(context: str, target: str, weight: float = 1.0) -> Example:
    """An example from two texts."""
    name = hashlib.sha256(f"{context}\0{target}".encode()).hexdigest()[:32]
    return Example(name, Document(context), Document(target), weight, (name,), 1)


def item(context: str, *accepted: str) -> ExamItem:
    """An exam item from texts."""
    documents = tuple(Document(a) for a in accepted)
    return ExamItem(f"{Context.of(context).id:016x}", Document(context), documents, "", "file")


def check_learner(
    kind: LearnerKind,
    learner: Learner,
    lessons: Sequence[tuple[str, str]],
    texts: Sequence[str] = (),
) -> None:
    """Every promise of a learner, on a few pairs of context and answer that it can learn."""
    data = MemoryDataset([example(c, a) for c, a in lessons], texts=[Document(t) for t in texts])
    items = [item(c, a) for c, a in lessons]
    contexts = [Context.of(c) for c, _ in lessons]
    before = list(learner.mark(items))
    _settings(kind, learner)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("one", "two", "saved"):
            (folder / part).mkdir()
        taught = learner.fit(data, seed=3, workspace=folder / "one")
        again = learner.fit(data, seed=3, workspace=folder / "two")
        after = list(taught.mark(items))
        assert all(0.0 <= m <= 1.0 + 1e-6 for m in after), "marks lie in [0, 1]"
        assert np.mean(after) > np.mean(before), "a night must teach"
        assert np.allclose(before, learner.mark(items)), "fit changed the learner it began from"
        assert np.allclose(after, again.mark(items)), "the same seed taught something else"
        taught.save(folder / "saved")
        suffixes = {p.suffix for p in (folder / "saved").rglob("*")}
        assert not suffixes & {".pkl", ".pt", ".bin"}, "weights are safetensors, never pickle"
        back = kind.load(folder / "saved", learner.recipe.settings)
        assert np.allclose(after, back.mark(items), atol=1e-6), "save and load changed the model"
        _observations(taught, contexts)
    assert len(taught.predict(contexts)) == len(contexts), "one prediction for each context"


def _settings(kind: LearnerKind, learner: Learner) -> None:
    kind.check(learner.recipe.settings)
    try:
        kind.check({"no such setting": 1})
    except LearnerError as error:
        assert "no such setting" in str(error), "an unknown setting is named"
    else:
        raise AssertionError("an unknown setting was taken")


def _observations(learner: Learner, contexts: Sequence[Context]) -> None:
    blocks = learner.observe(contexts, seed=1)
    ids = [int(i) for b in blocks for i in b.ids]
    assert ids == [c.id for c in contexts], "blocks must keep the order of the contexts"
    again = [int(i) for b in blocks for i in b.ids]
    assert ids == again, "blocks must be iterable more than once"
    for block in blocks:
        assert np.allclose(block.probs.sum(axis=-1), 1.0, atol=1e-4), "rows of probs sum to 1"
        assert block.embeddings.dtype == np.float32, "embeddings are float32"
    turned = learner.observe(list(reversed(contexts)), seed=1)
    one = {int(i): e for b in blocks for i, e in zip(b.ids, b.embeddings, strict=True)}
    two = {int(i): e for b in turned for i, e in zip(b.ids, b.embeddings, strict=True)}
    assert all(np.allclose(one[i], two[i], atol=1e-4) for i in one), "order changed an embedding"
