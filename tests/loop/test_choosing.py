from __future__ import annotations

import itertools

import pytest

from nightschool.loop import (
    Budget,
    Overlap,
    choose_questions,
    draw_questions,
    exam_share,
    overlapping,
)
from nightschool.loop.choosing import at_random, interleave
from nightschool.strategies import RANDOM
from nightschool.types import Context, Partition, Pick


class Seen:
    """A learner that records what it was shown."""

    def __init__(self):
        self.shown = 0

    def observe(self, contexts, *, asked=(), seed):
        import numpy as np

        from nightschool.types import Observation

        self.shown += len(contexts)
        return [Observation(np.array([c.id for c in contexts], dtype=np.uint64))]


def contexts(n, word):
    return [Context.of(f"{word} {i} is") for i in range(n)]


def choose(pool, exam, budget, bank=0, learner=None):
    return choose_questions(
        learner or Seen(), RANDOM, "random", pool=pool, exam_pool=exam, asked=(), bank=bank,
        budget=budget, key=3,
    )  # fmt: skip


def test_the_exam_share_falls_once_the_bank_is_full():
    budget = Budget()
    assert exam_share(budget, 99) == 0.25
    assert exam_share(budget, 100) == 0.1


@pytest.mark.parametrize(("bank", "exam"), [(0, 10), (100, 4)])
def test_the_day_holds_the_share_of_exam_questions(bank, exam):
    picks = choose(contexts(200, "a"), contexts(200, "b"), Budget(40), bank)
    assert len(picks) == 40
    assert sum(p.partition is Partition.EXAM for p in picks) == exam


def test_exam_questions_are_spread_through_the_day():
    picks = choose(contexts(200, "a"), contexts(200, "b"), Budget(40))
    places = [i for i, p in enumerate(picks) if p.partition is Partition.EXAM]
    assert max(b - a for a, b in itertools.pairwise(places)) <= 5


@pytest.mark.parametrize(
    ("train", "exam"), [(200, 0), (0, 200), (5, 200), (200, 3), (3, 4), (0, 0)]
)
def test_a_dry_partition_is_made_good_by_the_other(train, exam):
    budget = Budget(40)
    for picks in (
        choose(contexts(train, "a"), contexts(exam, "b"), budget),
        draw_questions(contexts(train, "a"), contexts(exam, "b"), bank=0, budget=budget, key=1),
    ):
        assert len(picks) == min(40, train + exam)
        assert len({p.context.id for p in picks}) == len(picks)


def test_random_draws_do_not_depend_on_the_order_of_the_pool():
    pool = contexts(50, "a")
    one = at_random(pool, 10, 4)
    assert one == at_random(pool[::-1], 10, 4)
    assert one != at_random(pool, 10, 5)


def test_interleave_keeps_both_orders():
    many = [Pick(c, Partition.TRAINING, "s", 0.0) for c in contexts(6, "a")]
    few = [Pick(c, Partition.EXAM, "s", 0.0) for c in contexts(2, "b")]
    mixed = interleave(many, few)
    assert [p for p in mixed if p in many] == many
    assert [p for p in mixed if p in few] == few
    assert [p.partition is Partition.EXAM for p in mixed].count(True) == 2
    assert mixed[-1].partition is not Partition.EXAM or mixed[0].partition is not Partition.EXAM


def test_a_share_of_the_questions_is_wanted_from_several_people():
    picks = choose(contexts(2000, "a"), contexts(400, "b"), Budget(1000))
    asked = overlapping(picks, Overlap(0.3, 4), key=9)
    assert [p.context for p in asked] == [p.context for p in picks]
    shared = [p for p in asked if p.wanted == 4]
    assert len(shared) == pytest.approx(300, abs=45)
    assert all(p.wanted == 1 for p in asked if p not in shared)
    # On both sides alike, by the key and the context alone.
    exam = [p for p in picks if p.partition is Partition.EXAM]
    share = sum(p.partition is Partition.EXAM for p in shared) / len(exam)
    assert share == pytest.approx(0.3, abs=0.1)
    assert overlapping(picks[::-1], Overlap(0.3, 4), key=9) == asked[::-1]
    assert overlapping(picks, Overlap(0.3, 4), key=10) != asked
    assert overlapping(picks, Overlap(), key=9) == picks


def test_a_question_that_is_asked_again_is_not_shared_out():
    again = [Pick(c, Partition.TRAINING, "random", 0.0, again=True) for c in contexts(5, "a")]
    assert overlapping(again, Overlap(1.0, 3), key=1) == again
