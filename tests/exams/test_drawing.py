"""The drawing exam, with models that draw well, badly, by copying, or nothing at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from nightschool.exams import drawing
from nightschool.exams.drawing import EXAM, FEW, SAMPLES, References, jury
from nightschool.exams.text import item_id
from nightschool.testing import check_exam
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    ExamItem,
    LearnerError,
    Partition,
    Question,
    Reply,
)
from nightschool.types.drawing import (
    caption_document,
    caption_of,
    drawing_document,
    encode_picture,
)

BOXES = {"a bar": (4, 24, 10, 16), "a lid": (10, 16, 4, 24), "a box": (8, 20, 8, 20)}
NEVER_SHOWN = "a ring"


def draw(caption, seed):
    """A drawing of a caption, its place a little random."""
    top, bottom, left, right = BOXES.get(caption, (0, 2, 0, 2))
    y, x = np.random.default_rng(seed).integers(-2, 3, 2)
    picture = np.full((28, 28), 255, np.uint8)
    picture[max(top + y, 0) : bottom + y, max(left + x, 0) : right + x] = 0
    return drawing_document(caption, encode_picture(picture))


def item(caption, sheet, source="file", group="known"):
    context = caption_document(caption, sheet)
    return ExamItem(item_id(context), context, (draw(caption, sheet),), group, source)


REFERENCES = [item(c, 200_000 + k, "reference") for k in range(2 * FEW) for c in BOXES]
HELD_OUT = [item(c, 100_000 + k) for k in range(3) for c in BOXES]
STRANGE = item(NEVER_SHOWN, 1, group="apart")
ITEMS = [*REFERENCES, *HELD_OUT, STRANGE]


@dataclass
class Painter:
    """Draws `swap[caption]` for a caption; `always` on the same sheet."""

    swap: dict
    always: bool = False
    marks: float = 0.5

    def mark(self, items):
        return [self.marks for _ in items]

    def predict(self, contexts):
        captions = [self.swap.get(c, c) for c in (caption_of(x.document) for x in contexts)]
        seeds = [
            1 if self.always else json.loads(x.document.body)["sheet"] + 500_000 for x in contexts
        ]
        return [draw(c, seed) for c, seed in zip(captions, seeds, strict=True)]


GOOD = Painter({})


def figures(learner, items=ITEMS):
    """Mean marks by name."""
    found = {}
    for mark in EXAM.sit(learner, items):
        found.setdefault(mark.name, []).append(mark.value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def test_the_exam_keeps_every_promise_of_an_exam():
    check_exam(EXAM, GOOD, ITEMS, [asked("a bar", 1), asked("a lid", 2)])


def test_every_item_but_references_has_a_loss_and_known_captions_are_recognised():
    marks = EXAM.sit(GOOD, ITEMS)
    losses = [m for m in marks if m.name == "loss"]
    assert [m.item for m in losses] == [i.id for i in [*HELD_OUT, STRANGE]]
    assert {m.value for m in losses} == {0.5}
    recognised = [m for m in marks if m.name == "recognised"]
    assert [m.item for m in recognised] == [i.id for i in HELD_OUT]
    assert {m.name for m in marks if m.gates} == {"loss", "recognised"}
    assert {m.group for m in marks if m.item == STRANGE.id} == {"apart"}


def test_a_good_painter_is_recognised_varied_and_teaches():
    good = figures(GOOD)
    assert min(good["recognised"], good["judge_svm"], good["judge_cnn"], good["taught"]) > 0.9
    assert good["diversity"] > 0.7


def test_a_painter_who_confuses_captions_is_recognised_by_neither_judge():
    confused = figures(Painter({"a bar": "a lid", "a lid": "a box", "a box": "a bar"}))
    assert confused["recognised"] == confused["svm"] == confused["cnn"] == 0.0
    assert confused["taught"] < 0.1
    assert confused["judge_svm"] > 0.9, "the judges themselves are as good as before"


def test_one_judge_of_two_is_worth_half(monkeypatch):
    real = jury(References.of(REFERENCES))

    class Halves:
        def say(self, pictures):
            said = real.judges.say(pictures)
            return np.stack([said[0], np.full_like(said[0], -1)])

    monkeypatch.setattr(drawing, "jury", lambda _: replace(real, judges=Halves()))
    found = figures(GOOD)
    assert found["cnn"] == 0.0
    assert found["svm"] > 0.9
    assert found["recognised"] == found["svm"] / 2


def test_a_painter_of_one_picture_a_caption_has_no_diversity():
    assert figures(Painter({}, always=True))["diversity"] == 0.0


def test_a_copy_of_a_reference_is_told_by_the_distance_to_the_nearest():
    far = [replace(i, accepted=(smudged(i.accepted[0]),)) for i in HELD_OUT]
    first = {caption_of(i.context): i.accepted[0] for i in reversed(REFERENCES)}

    class Copier(Painter):
        def predict(self, contexts):
            return [first[caption_of(x.document)] for x in contexts]

    assert figures(Copier({}), [*REFERENCES, *far])["nearest"] == 0.0


def smudged(document):
    """The drawing with a corner inked, so that it is nobody's copy."""
    from nightschool.types.drawing import decode_picture

    picture = decode_picture(document.parts["picture"]).copy()
    picture[:3, :3] = 0
    return drawing_document(caption_of(document), encode_picture(picture))


def test_captions_with_few_references_or_alone_are_not_judged():
    few = [i for i in REFERENCES if caption_of(i.context) != "a box"]
    few += [item("a box", 300 + k, "reference") for k in range(FEW - 1)]
    judged = {m.item for m in EXAM.sit(GOOD, [*few, *HELD_OUT]) if m.name == "recognised"}
    assert judged == {i.id for i in HELD_OUT if caption_of(i.context) != "a box"}
    alone = [i for i in REFERENCES if caption_of(i.context) == "a bar"]
    assert set(figures(GOOD, [*alone, *HELD_OUT])) == {"loss"}
    assert EXAM.sit(GOOD, REFERENCES) == []


def test_one_caption_asked_teaches_nobody_and_is_recognised_all_the_same():
    found = figures(GOOD, [*REFERENCES, HELD_OUT[0]])
    assert found["recognised"] == 1.0
    assert "taught" not in found


def test_judges_are_trained_once_for_the_same_references():
    one, same = References.of(REFERENCES), References.of(list(REFERENCES))
    other = References.of(REFERENCES[: -len(BOXES)])
    assert jury(one) is jury(same)
    assert one == same
    assert one != other


def test_what_is_drawn_hangs_on_no_other_sheet_than_the_items_own_and_further_ones():
    seen = []

    class Watched(Painter):
        def predict(self, contexts):
            seen.extend(contexts)
            return super().predict(contexts)

    EXAM.sit(Watched({}), ITEMS)
    assert [c.document for c in seen[: len(HELD_OUT)]] == [i.context for i in HELD_OUT]
    assert len(seen) == len(HELD_OUT) + SAMPLES * len(BOXES)
    assert len({c.id for c in seen}) == len(seen)


@pytest.mark.parametrize("wrong", [float("nan"), 1.5])
def test_a_mark_that_is_none_is_refused(wrong):
    with pytest.raises(LearnerError, match="no probability"):
        EXAM.sit(Painter({}, marks=wrong), HELD_OUT)


def test_too_few_marks_or_drawings_and_words_for_a_drawing_are_refused():
    class Short(Painter):
        def mark(self, items):
            return [0.5]

    class Lazy(Painter):
        def predict(self, contexts):
            return super().predict(contexts)[1:]

    class Writer(Painter):
        def predict(self, contexts):
            return [Document("a bar") for _ in contexts]

    with pytest.raises(LearnerError, match="1 marks for 9"):
        EXAM.sit(Short({}), HELD_OUT)
    with pytest.raises(LearnerError, match="drawings for"):
        EXAM.sit(Lazy({}), ITEMS)
    with pytest.raises(LearnerError, match="is no drawing"):
        EXAM.sit(Writer({}), ITEMS)


def asked(caption, sheet, *people, partition=Partition.EXAM, reply=Reply.ANSWER):
    context = Context(caption_document(caption, sheet), "pool", "plain")
    question = Question(f"q{sheet}", context, partition, "random", 0.0, "v", 0, 0)
    answers = [
        Answer(
            f"{question.id}-{at}",
            question.id,
            person,
            reply,
            draw(caption, at) if reply is Reply.ANSWER else None,
            1.0,
            float(at),
        )
        for at, person in enumerate(people or ("anna",))
    ]
    return AnsweredQuestion(question, tuple(answers))


def test_each_sheet_of_the_exam_partition_is_an_item_with_everyones_newest_drawing():
    found = EXAM.items(
        [
            asked("a bar", 1, "anna", "ben", "anna"),
            asked("a bar", 2),
            asked("a bar", 3, partition=Partition.TRAINING),
            asked("a bar", 4, reply=Reply.SKIP),
        ]
    )
    assert [json.loads(i.context.body)["sheet"] for i in found] == [1, 2]
    assert found[0].accepted == (draw("a bar", 1), draw("a bar", 2))
    assert {(i.group, i.source) for i in found} == {("plain", "bank")}
