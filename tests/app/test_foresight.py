from __future__ import annotations

import numpy as np
import pytest

from nightschool.app.foresight import Foreseen, Foresight, has_answer
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    Observation,
    Partition,
    Question,
    Reply,
)


def replied(context, *replies):
    question = Question("q", context, Partition.TRAINING, "bald", 0.0, "v0", 0, 0)
    answers = [
        Answer(
            f"{context.id}-{person}", "q", person, reply,
            Document("x") if reply is Reply.ANSWER else None, 2.0, 1.0,
        )
        for person, reply in replies
    ]  # fmt: skip
    return AnsweredQuestion(question, tuple(answers))


def observation(contexts, x, asked=None):
    ids = np.array([c.id for c in contexts], np.uint64)
    more = {} if asked is None else {"asked": asked}
    return Observation(ids, embeddings=x, **more)


@pytest.fixture
def world():
    """Contexts of the first kind were answered, those of the second declined."""
    asked = [Context.of(f"asked {i}") for i in range(24)]
    pool = [Context.of(f"new {i}") for i in range(4)]
    x = np.eye(8, dtype=np.float32)[[i % 2 for i in range(24)]]
    answered = [
        replied(c, ("anna", Reply.CANT_TELL if i % 2 else Reply.ANSWER))
        for i, c in enumerate(asked)
    ]
    new = np.eye(8, dtype=np.float32)[[0, 1, 0, 1]]
    return asked, pool, x, answered, new


def test_what_resembles_the_declined_is_hardly_answerable(world):
    asked, pool, x, answered, new = world
    blocks = [observation(pool[:3], new[:3], x), observation(pool[3:], new[3:], x)]
    found = list(Foreseen(blocks, Foresight(answered), pool, asked))
    likely = np.concatenate([block.answerable for block in found])
    assert likely[0] > 0.8 > 0.2 > likely[1]
    assert likely[3] == pytest.approx(likely[1])
    assert all(block.has("seconds") for block in found)


def test_nothing_is_said_of_answerability_while_nobody_declined(world):
    asked, pool, x, answered, new = world
    foresight = Foresight(answered[::2])  # the others were answered on the other side of the wall
    [found] = Foreseen([observation(pool, new, x)], foresight, pool, asked)
    assert not found.has("answerable")


def test_a_learner_without_embeddings_gets_seconds_alone(world):
    asked, pool, _, answered, _ = world
    bare = Observation(np.array([c.id for c in pool], np.uint64))
    [found] = Foreseen([bare], Foresight(answered), pool, asked)
    assert found.has("seconds")
    assert not found.has("answerable")
    [untimed] = Foreseen([bare], Foresight(answered, timed=False), pool, asked)
    assert not untimed.has("seconds")


def test_the_latest_replies_of_most_people_say_whether_there_is_an_answer():
    context = Context.of("x")
    anna, ben, cleo = ("anna", Reply.ANSWER), ("ben", Reply.SKIP), ("cleo", Reply.BAD_QUESTION)
    assert has_answer(replied(context, anna, ben))
    assert not has_answer(replied(context, anna, ben, cleo))
    assert has_answer(replied(context, ("anna", Reply.SKIP), ("anna", Reply.SKIP), anna))
