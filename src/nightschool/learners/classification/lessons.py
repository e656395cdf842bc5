"""Lessons: the labelled texts that a night reads, and the labels that they bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nightschool.learners.classification.settings import ClassificationSettings
from nightschool.types import TEXT, Dataset, Document, normalise


@dataclass(frozen=True)
class Lessons:
    """Texts, the answer to each as it was given, and how much each counts."""

    texts: tuple[str, ...]
    answers: tuple[str, ...]
    weights: tuple[float, ...]


def lessons_of(dataset: Dataset, settings: ClassificationSettings, seed: int) -> Lessons:
    """Tonight's examples, all of them, and of the others as many as the settings allow.

    Beyond `examples` former answers and `original` rows a uniform draw of each is read, so a
    night's cost is bounded; a rebuild reads every answer.
    """
    examples = [*dataset.new, *dataset.earlier(settings.examples, seed)]
    rows = [(e.context.body, e.target.body, e.weight) for e in examples]
    for document in dataset.original(settings.original, seed):
        row = parted(document)
        if row is not None:
            rows.append((*row, 1.0))
    texts, answers, weights = zip(*rows, strict=True) if rows else ((), (), ())
    return Lessons(texts, answers, weights)


def labelled(text: str, label: str) -> Document:
    """A row of an original dataset: the text, a tab, its label.

    One text, so that what the exam asks is found in it and left out, as in any other.
    """
    return Document(f"{text}\t{label}", TEXT)


def parted(document: Document) -> tuple[str, str] | None:
    """Text and label of an original row; None for a text without a label."""
    text, tab, label = document.body.rpartition("\t")
    return (text, label) if tab and text.strip() and label.strip() else None


def grown(labels: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """Labels with those of `more` that are new put behind them, in their order."""
    known = {normalise(label): label for label in labels}
    for label in more:
        known.setdefault(normalise(label), label.strip())
    return tuple(known.values())
