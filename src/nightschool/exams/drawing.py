"""The drawing exam: does the model explain held-out drawings, and can its own be recognised?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from nightschool.exams.judges import (
    Judges,
    Labels,
    diversity,
    nearest_ratio,
    taught,
    train_judges,
)
from nightschool.exams.text import bank_items, latest_of_each, probability
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    ExamItem,
    Learner,
    LearnerError,
    Mark,
    normalise,
)
from nightschool.types.drawing import (
    DRAWING,
    PICTURE,
    Picture,
    caption_document,
    caption_of,
    decode_picture,
)

REFERENCE = "reference"
LOSS, RECOGNISED = "loss", "recognised"
SIDE = 28
FEW = 8
"""Real drawings of a caption that the judges need before they are asked about it."""

SAMPLES, SAMPLE_SHEET = 8, 300_001
"""Further drawings of each caption, on sheets of their own, for diversity and taught."""

SEED = 0


@dataclass(frozen=True)
class DrawingExam:
    """Marks an image generator by held-out drawings, and by judges who learned from real ones.

    Items whose source is "reference" are real drawings from which the judges learn; they are not
    marked. All others are.
    """

    def items(self, answered: Iterable[AnsweredQuestion]) -> Sequence[ExamItem]:
        """Bank items: the drawings of the exam partition's sheets, one item for each sheet.

        Two people's drawings of a sheet are both accepted; a sheet that nobody drew is left out.
        """
        return bank_items(answered, _drawn)

    def sit(self, learner: Learner, items: Sequence[ExamItem]) -> Sequence[Mark]:
        """Marks of every item that is no reference.

        Gating: "loss", how much of the held-out drawing the model explains (`Learner.mark`), and,
        for captions with at least FEW references, "recognised": 1 where both judges recognise
        the drawing that the model makes for the item, 0.5 where one does. Reported beside it:
        "svm" and "cnn" (each judge), "judge_svm" and "judge_cnn" (each judge on the real
        drawing), "nearest", "diversity" and "taught"; see docs/drawing.md.

        Raises LearnerError for a mark or a drawing that is none, ConfigError where scikit-learn
        is missing and there are references.
        """
        asked = [item for item in items if item.source != REFERENCE]
        references = References.of(item for item in items if item.source == REFERENCE)
        shown = [item for item in asked if _caption(item) in references.captions]
        marks = _losses(learner, asked)
        return [*marks, *_judged(learner, shown, references)] if shown else marks


def _drawn(answers: Sequence[Answer]) -> tuple[Document, ...]:
    """Each person's newest drawing."""
    given = [answer.document for answer in latest_of_each(answers)]
    return tuple(document for document in given if document is not None)


@dataclass(frozen=True)
class References:
    """Real drawings of at least two captions, FEW or more of each; equal by what they hold."""

    digest: bytes
    captions: tuple[str, ...] = field(compare=False)
    drawings: tuple[tuple[int, Document], ...] = field(compare=False, repr=False)
    """Index of the caption, and the drawing."""

    @classmethod
    def of(cls, items: Iterable[ExamItem]) -> References:
        """The captions that are shown often enough, and their drawings."""
        all_drawn = [(_caption(item), each) for item in items for each in item.accepted]
        counts = Counter(caption for caption, _ in all_drawn)
        captions = tuple(sorted(caption for caption, n in counts.items() if n >= FEW))
        if len(captions) < 2:
            captions = ()
        index = {caption: i for i, caption in enumerate(captions)}
        drawn = tuple((index[caption], each) for caption, each in all_drawn if caption in index)
        lines = [f"{captions[i]}\0{each.digest.hex()}" for i, each in drawn]
        return cls(hashlib.sha256("\n".join(lines).encode()).digest(), captions, drawn)


@dataclass(frozen=True, eq=False)
class Jury:
    """The judges, and the drawings from which they learned: (n, SIDE, SIDE) and (n,) labels."""

    judges: Judges
    pictures: Picture
    labels: Labels


@lru_cache(maxsize=4)
def jury(references: References) -> Jury:
    """The judges of those references; trained once a process, which takes seconds."""
    labels = np.array([label for label, _ in references.drawings], dtype=np.int64)
    pictures = _pictures(drawing for _, drawing in references.drawings)
    return Jury(train_judges(pictures, labels, SEED), pictures, labels)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Beside each judged item (n): its caption's label, a real drawing and the model's own.

    `further` are SAMPLES more of each caption, in the order of their `further_labels`.
    """

    labels: Labels
    real: Picture
    own: Picture
    further: Picture
    further_labels: Labels


def _losses(learner: Learner, items: Sequence[ExamItem]) -> list[Mark]:
    if not items:
        return []
    values = learner.mark(items)
    if len(values) != len(items):
        raise LearnerError(
            f"The learner gave {len(values)} marks for {len(items)} exam items; mark must return "
            "one for each."
        )
    return [
        Mark(LOSS, probability(value, item), True, item.id, item.group)
        for value, item in zip(values, items, strict=True)
    ]


def _judged(learner: Learner, items: Sequence[ExamItem], references: References) -> Iterator[Mark]:
    """The marks of items whose captions the judges know, figure by figure."""
    court = jury(references)
    drawn = _draw(learner, items, references.captions)
    svm, cnn = court.judges.say(drawn.own) == drawn.labels
    real_svm, real_cnn = court.judges.say(drawn.real) == drawn.labels
    varied = diversity(drawn.further, drawn.further_labels, court.pictures, court.labels)
    figures = {
        RECOGNISED: (svm + 1.0 * cnn) / 2,
        "svm": svm,
        "cnn": cnn,
        "judge_svm": real_svm,
        "judge_cnn": real_cnn,
        "nearest": nearest_ratio(drawn.own, drawn.real, drawn.labels, court.pictures, court.labels),
        "diversity": [varied.get(int(label), np.nan) for label in drawn.labels],
    }
    if len(np.unique(drawn.further_labels)) > 1:
        said = taught(drawn.further, drawn.further_labels, drawn.real, SEED)
        figures["taught"] = said == drawn.labels
    for name, values in figures.items():
        for item, value in zip(items, values, strict=True):
            if np.isfinite(value):
                yield Mark(name, float(value), name == RECOGNISED, item.id, item.group)


def _draw(learner: Learner, items: Sequence[ExamItem], captions: Sequence[str]) -> Drawn:
    """What the model draws for the items, and on further sheets of each of their captions."""
    index = {caption: i for i, caption in enumerate(captions)}
    labels = np.array([index[_caption(item)] for item in items], dtype=np.int64)
    names = {index[_caption(item)]: caption_of(item.context) for item in reversed(items)}
    sheets = [
        (label, caption_document(name, SAMPLE_SHEET + k))
        for label, name in sorted(names.items())
        for k in range(SAMPLES)
    ]
    contexts = [
        *(Context(item.context, "exam", item.group) for item in items),
        *(Context(sheet, "exam") for _, sheet in sheets),
    ]
    drawings = learner.predict(contexts)
    if len(drawings) != len(contexts):
        raise LearnerError(
            f"The learner gave {len(drawings)} drawings for {len(contexts)} captions; predict "
            "must return one for each."
        )
    samples = _pictures(drawings)
    return Drawn(
        labels,
        _pictures(item.accepted[0] for item in items),
        samples[: len(items)],
        samples[len(items) :],
        np.array([label for label, _ in sheets], dtype=np.int64),
    )


def _caption(item: ExamItem) -> str:
    return normalise(caption_of(item.context))


def _pictures(drawings: Iterable[Document]) -> Picture:
    """Drawings as (n, SIDE, SIDE) uint8; LearnerError for a document without a picture."""
    return np.stack([_picture(drawing) for drawing in drawings])


def _picture(drawing: Document) -> Picture:
    if drawing.kind != DRAWING or PICTURE not in drawing.parts:
        raise LearnerError(
            f"{drawing.body[:60]!r} (kind {drawing.kind!r}) is no drawing: it has no part "
            f"{PICTURE!r}; make it with `nightschool.types.drawing_document`."
        )
    return decode_picture(drawing.parts[PICTURE], SIDE)


EXAM = DrawingExam()
