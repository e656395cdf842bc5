from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nightschool.curation import Fence, FencedDataset, curate
from nightschool.testing.learners import MemoryDataset, example
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    Partition,
    Question,
    Reply,
    drawing_document,
    encode_picture,
)


def answered(*replies: tuple[str, str | Reply]) -> AnsweredQuestion:
    question = Question("q", Context.of("Two and two make"), Partition.TRAINING, "r", 0, "v0", 1, 0)
    answers = []
    for number, (person, said) in enumerate(replies):
        reply = said if isinstance(said, Reply) else Reply.ANSWER
        document = None if isinstance(said, Reply) else Document(said)
        answers.append(Answer(f"a{number}", "q", person, reply, document, 1.0, number))
    return AnsweredQuestion(question, tuple(answers))


def targets(*replies: tuple[str, str | Reply]) -> list[tuple[str, float]]:
    return [(e.target.body, e.weight) for e in curate([answered(*replies)], 1)]


def test_one_answer_is_one_example_stripped_but_otherwise_verbatim():
    assert targets(("anna", " Four ")) == [("Four", 1.0)]


def test_people_who_agree_after_normalisation_count_together():
    assert targets(("anna", "four"), ("bo", "Four."), ("cy", "five")) == [("four", 2 / 3)]


@pytest.mark.parametrize(
    "replies",
    [
        [("anna", "four"), ("bo", "five")],
        [("anna", Reply.SKIP)],
        [("anna", Reply.CANT_TELL)],
        [("anna", "four"), ("bo", Reply.BAD_QUESTION)],
    ],
    ids=["tie", "skip", "cannot tell", "bad for half"],
)
def test_no_example_without_agreement(replies):
    assert targets(*replies) == []


def test_a_persons_latest_answer_counts():
    assert targets(("anna", "five"), ("anna", "four")) == [("four", 1.0)]


def test_the_same_answers_make_the_same_example_on_any_night():
    one, two = (curate([answered(("anna", "four"))], night)[0] for night in (1, 2))
    assert one.id == two.id
    assert curate([answered(("anna", "five"))], 1)[0].id != one.id


def test_the_fence_finds_exam_contexts_inside_longer_texts():
    fence = Fence(map(Document, ["Now Jane has", "Tom has two cups. Now Tom has", "Yes"]))
    assert fence.holds(Document("It rained. Now Jane has four apples."))
    assert fence.holds(Document("Tom  has two cups.\nNow Tom has, he says, two."))
    assert fence.holds(Document("now JANE has four"))
    assert fence.holds(Document("He said yes."))
    assert not fence.holds(Document("Tom has two cups. Now Jill has one. Now Jane had"))
    assert not Fence([]).holds(Document("Now Jane has four."))


def test_the_fence_reads_long_texts_in_one_pass():
    fence = Fence(Document(f"the number {i} of many is") for i in range(2000))
    text = Document("the number of many is " * 4000)
    assert not fence.holds(text)
    assert fence.holds(Document(text.body + "the number 1999 of many is odd"))


def test_the_fence_keeps_exam_contexts_from_every_door():
    lessons = [example("Now Jane has", "four"), example("Now Tom has", "two")]
    texts = [Document("Now Jane has four."), Document("Now Tom has two.")]
    fenced = FencedDataset(
        MemoryDataset(lessons, lessons, texts), Fence([Document("Now Jane has")])
    )
    assert [e.context.body for e in fenced.new] == ["Now Tom has"]
    assert [e.context.body for e in fenced.earlier(9, 0)] == ["Now Tom has"]
    assert [d.body for d in fenced.original(9, 0)] == ["Now Tom has two."]


def test_drawings_are_not_put_to_the_vote_each_is_an_example():
    def drawn(shade):
        return drawing_document("a dot", encode_picture(np.full((4, 4), shade, np.uint8)))

    base = answered(("anna", "1"), ("bo", "2"), ("cy", "3"))
    given = [dataclasses.replace(a, document=drawn(i)) for i, a in enumerate(base.answers)]
    made = curate([dataclasses.replace(base, answers=tuple(given))], 1)
    assert [e.target.parts["picture"] for e in made] == [
        drawn(i).parts["picture"] for i in range(3)
    ]
    assert len({e.id for e in made}) == 3
    assert all(e.weight == 1.0 for e in made)
    bad = dataclasses.replace(given[1], reply=Reply.BAD_QUESTION, document=None)
    [one, two] = curate([dataclasses.replace(base, answers=(given[0], bad, given[2]))], 1)
    assert one.weight == two.weight == pytest.approx(2 / 3)


def test_an_exams_own_drawings_are_never_replayed():
    def drawn(shade):
        return drawing_document("a dot", encode_picture(np.full((4, 4), shade, np.uint8)))

    held_out, other = drawn(0), drawn(9)
    lessons = [dataclasses.replace(example("a", "b"), target=d) for d in (held_out, other)]
    fence = Fence([Document("Now Jane has")], [held_out, Document("four")])
    fenced = FencedDataset(MemoryDataset(lessons, lessons, [held_out, other]), fence)
    assert [e.target for e in fenced.new] == [other]
    assert [e.target for e in fenced.earlier(9, 0)] == [other]
    assert fenced.original(9, 0) == [other]
    # A text that the exam accepts is an answer like any other: "four" may be learned elsewhere.
    assert not fence.keeps(Document("four"))
