"""The conformance suite of a learner, whatever it learns."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    Observation,
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


def items_of(examples: Sequence[Example]) -> list[ExamItem]:
    """Exam items that ask what the examples teach."""
    return [
        ExamItem(f"{Context(e.context).id:016x}", e.context, (e.target,), e.group, "file")
        for e in examples
    ]


def check_learner(
    kind: LearnerKind,
    learner: Learner,
    lessons: Sequence[tuple[str, str]] | Sequence[Example],
    original: Sequence[str] | Sequence[Document] = (),
) -> None:
    """Every promise of a learner, on a few examples that it can learn in one night.

    Lessons are pairs of context and answer for words, examples for anything else.
    """
    examples = [e if isinstance(e, Example) else example(*e) for e in lessons]
    data = MemoryDataset(
        examples, texts=[Document(t) if isinstance(t, str) else t for t in original]
    )
    items = items_of(examples)
    contexts = [Context(e.context) for e in examples]
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
        _predictions(taught, back, contexts)
    if hasattr(taught, "write"):
        _written(taught, contexts)


def _predictions(learner: Learner, again: Learner, contexts: Sequence[Context]) -> None:
    said = list(learner.predict(contexts))
    assert len(said) == len(contexts), "one prediction for each context"
    same = again.predict(list(reversed(contexts)))
    assert said == list(reversed(same)), "a prediction depends on its context and the model alone"


def _written(learner: Any, pool: Sequence[Context]) -> None:
    told = {"asked": pool[:2], "declined": pool[:1], "seed": 1}
    written = learner.write(pool, 3, **told)
    assert len(written) <= 3, "more contexts were written than asked for"
    assert all(c.source == "written" for c in written), 'written contexts say source "written"'
    ids = [c.id for c in written]
    assert len(set(ids)) == len(ids), "a context was written twice"
    assert ids == [c.id for c in learner.write(pool, 3, **told)], (
        "the same seed wrote something else"
    )
    assert not learner.write([], 3, asked=(), seed=1), "contexts are made from those of the pool"


def _settings(kind: LearnerKind, learner: Learner) -> None:
    kind.check(learner.recipe.settings)
    try:
        kind.check({"no such setting": 1})
    except LearnerError as error:
        assert "no such setting" in str(error), "an unknown setting is named"
    else:
        raise AssertionError("an unknown setting was taken")


def _samples(block: Observation) -> None:
    if block.has("probs"):
        assert np.allclose(block.probs.sum(axis=-1), 1.0, atol=1e-4), "rows of probs sum to 1"
        return
    assert block.has("values"), "posterior samples are given as probs or as values"
    assert block.values.shape[1] == len(block), "values are (s, n, m)"
    assert np.isfinite(block.values).all(), "values are numbers"
    assert block.noise.shape == block.values.shape[2:], "noise is (m,), one for each value"
    assert (block.noise > 0).all(), "noise is a variance above 0"
    assert block.values.std(axis=0).max() > 0, "the samples never disagree"


def _observations(learner: Learner, contexts: Sequence[Context]) -> None:
    blocks = learner.observe(contexts, seed=1)
    ids = [int(i) for b in blocks for i in b.ids]
    assert ids == [c.id for c in contexts], "blocks must keep the order of the contexts"
    again = [int(i) for b in blocks for i in b.ids]
    assert ids == again, "blocks must be iterable more than once"
    for block in blocks:
        _samples(block)
        assert block.embeddings.dtype == np.float32, "embeddings are float32"
    turned = learner.observe(list(reversed(contexts)), seed=1)
    one = {int(i): e for b in blocks for i, e in zip(b.ids, b.embeddings, strict=True)}
    two = {int(i): e for b in turned for i, e in zip(b.ids, b.embeddings, strict=True)}
    assert all(np.allclose(one[i], two[i], atol=1e-4) for i in one), "order changed an embedding"
