from __future__ import annotations

import numpy as np
import pytest

from nightschool.app.pace import LONGEST, learn_pace
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    Partition,
    Question,
    Reply,
)


def answered(i, words, seconds, person="anna", source="pool"):
    context = Context.of(f"{i} " + "word " * words, source=source)
    question = Question(f"q{i}", context, Partition.TRAINING, "bald", 0.0, "v0", 0, i)
    answer = Answer(f"a{i}", question.id, person, Reply.ANSWER, Document("x"), seconds, float(i))
    return AnsweredQuestion(question, (answer,))


def log(n=200, slow=1.0, seed=0):
    """Half a second a word; ben takes twice as long as anna; `slow` is the noise."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        words, ben = int(rng.integers(4, 60)), bool(rng.integers(2))
        seconds = 0.5 * words * (2 if ben else 1) * float(np.exp(slow * 0.2 * rng.normal()))
        yield answered(i, words, seconds, "ben" if ben else "anna")


def cost(pace, words):
    # Beside a usual one, so that the limit around the median is not what is measured.
    contexts = [Context.of("q " + "word " * w, source="pool") for w in (words, 20, 20)]
    return float(pace.seconds(contexts)[0])


def test_longer_questions_cost_more_as_the_log_shows():
    pace = learn_pace(log())
    assert 2.0 < cost(pace, 40) / cost(pace, 10) < 4.5
    assert 4 < cost(pace, 10) < 12


def test_without_answers_every_question_costs_the_same():
    pace = learn_pace([])
    assert cost(pace, 40) == pytest.approx(cost(pace, 4))
    untimed = learn_pace([answered(0, 50, 0.0)])
    assert cost(untimed, 40) == pytest.approx(cost(untimed, 4))


def test_few_answers_say_little():
    few = learn_pace(list(log())[:3])
    many = learn_pace(log())
    assert cost(few, 40) / cost(few, 10) < cost(many, 40) / cost(many, 10)


def test_who_went_for_coffee_was_not_thinking():
    plain = list(log())
    pauses = [answered(1000 + i, 10, 40_000.0) for i in range(10)]
    calm, broken = learn_pace(plain), learn_pace([*plain, *pauses])
    assert cost(broken, 10) < 1.5 * cost(calm, 10)
    only = learn_pace(pauses * 5)
    assert cost(only, 10) < 1.2 * LONGEST
    assert float(np.max(broken.seconds([Context.of("w")]))) < LONGEST


def test_people_share_the_pace_of_a_context():
    """Ben is slow, and answered the long ones alone: length must not be blamed for all of it."""
    long = [answered(i, 40, 40.0, "ben") for i in range(40)]
    short = [answered(100 + i, 10, 10.0, "ben") for i in range(40)]
    quick = [answered(200 + i, 10, 5.0, "anna") for i in range(80)]
    pace = learn_pace([*long, *short, *quick])
    assert 3.0 < cost(pace, 40) / cost(pace, 10) < 5.0


def test_a_source_has_its_own_pace():
    slow = [answered(i, 10, 20.0, source="written") for i in range(60)]
    fast = [answered(100 + i, 10, 5.0) for i in range(60)]
    pace = learn_pace([*slow, *fast])
    written, pool = pace.seconds(
        [Context.of("word " * 10, source="written"), Context.of("word " * 10, source="pool")]
    )
    assert 3.0 < written / pool < 4.5
