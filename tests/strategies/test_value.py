from __future__ import annotations

import numpy as np
import pytest

from nightschool.strategies import BALD, RANDOM
from nightschool.strategies.information import Information
from nightschool.strategies.value import (
    QUICKEST,
    USUAL,
    answered_gain,
    asking_again,
    error_rate,
    per_second,
    timed,
    told,
    truth,
)
from nightschool.testing import check_strategy
from nightschool.types import Observation, Picks


def seen(**fields):
    probs = np.array([[[0.9, 0.1]] * 3, [[0.1, 0.9]] * 3], np.float32)
    return Observation(np.arange(1, 4, dtype=np.uint64), probs=probs, **fields)


def chosen(strategy, observation) -> list[int]:
    picks: Picks = strategy.choose([observation], 3, 0)
    return [int(observation.ids[i]) for i in picks.index]


def test_only_gains_are_divided_and_bad_seconds_count_as_the_median():
    gains = per_second([2.0, 2.0, -1.0, 3.0, 0.0], [1.0, 4.0, 100.0, np.nan, 2.0])
    assert gains == pytest.approx([2.0, 0.5, -1.0, 3.0 / USUAL, 0.0])
    assert per_second([1.0], [1e-30]) == pytest.approx([1.0 / QUICKEST])


def test_a_question_that_nobody_can_answer_teaches_nothing():
    assert answered_gain([2.0, 2.0, -1.0], [0.25, np.nan, 0.5]) == pytest.approx([0.5, 2.0, -1.0])


def test_a_timed_score_asks_what_tells_most_for_a_second_of_those_who_can_answer():
    quick = seen(seconds=np.array([9, 1, 3], np.float32))
    assert chosen(timed(BALD), quick) == [2, 3, 1]
    able = seen(answerable=np.array([0.1, 0.2, 0.9], np.float32))
    assert chosen(timed(BALD), able) == [3, 2, 1]


def test_random_stays_random_and_others_read_the_seconds_themselves():
    assert timed(RANDOM) is RANDOM
    own = Information()
    assert timed(own) is own


def test_a_timed_strategy_keeps_every_promise_of_a_strategy():
    check_strategy(timed(BALD))


def test_what_is_told_is_nats_of_those_who_can_answer():
    plain = told(seen())
    assert plain[0] == pytest.approx(np.log(2) - 0.3250829733914482, abs=1e-6)
    half = told(seen(answerable=np.full(3, 0.5, np.float32)))
    assert half == pytest.approx(plain / 2)


def test_the_truth_is_the_posterior_of_bayes_over_every_outcome():
    error, same = 0.1, 0.4
    # Two people gave the first answer, one the second, one said that there is none.
    # The model is believed for nine tenths: 0.6 counts as 0.9 * 0.6 + 0.1 / 3.
    right = (0.54 + 0.1 / 3) * (1 - error) ** 2 * (error * same) ** 2
    second = (0.09 + 0.1 / 3) * (1 - error) * (error * same) ** 3
    none = (0.27 + 0.1 / 3) * (error * same) ** 3 * (1 - error)
    wanted = np.array([right, second, none]) / (right + second + none)
    found = truth([[0.6, 0.1]], [[2, 1]], [1], error, same)
    assert found[0] == pytest.approx(wanted, rel=1e-4)


def test_a_model_that_gives_no_numbers_leaves_it_to_the_people():
    found = truth([[np.nan, np.nan]], [[1, 3]], [0], 0.1)
    assert found.argmax() == 1
    assert found.sum() == pytest.approx(1.0)


def test_asking_again_is_the_mutual_information_with_the_next_answer():
    error, same, d = 0.1, 0.4, 0.3
    joint = np.array(
        [[(1 - d) * (1 - error), (1 - d) * error], [d * error * same, d * (1 - error * same)]]
    )
    alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    wanted = (joint * np.log(joint / alone)).sum()
    assert asking_again([[1 - d, d]], error, same) == pytest.approx([wanted])
    sure = asking_again([[1.0, 0.0], [0.0, 1.0]], error, same)
    assert sure == pytest.approx([0.0, 0.0], abs=1e-9)


def test_a_dispute_is_worth_asking_about_even_if_the_present_answer_is_hardly_right():
    one, two = asking_again([[0.01, 0.99]], 0.05), asking_again([[0.01, 0.5, 0.49]], 0.05)
    assert two[0] > 5 * one[0]
    many = asking_again(np.full((1, 9), 1 / 9), 0.05)
    assert 0.5 * np.log(9) < many[0] < np.log(9)


def test_the_error_rate_follows_from_how_often_two_people_differ():
    error, same, n = 0.2, 0.5, 2000
    agrees = (1 - error) ** 2 + same * error**2
    yes = np.arange(n) < agrees * n
    assert error_rate(yes, np.full(n, np.nan), same) == pytest.approx(error, abs=0.01)
    assert 0.01 < error_rate([], []) < 0.05 < error_rate([False] * 3, [np.nan] * 3)
    assert error_rate([True] * 500, [np.nan] * 500) < error_rate([True] * 5, [np.nan] * 5)


def test_that_a_doubted_answer_was_wrong_says_little_about_people():
    doubted = error_rate([False] * 10, [0.001] * 10)
    trusted = error_rate([False] * 10, [0.9] * 10)
    assert doubted < 0.05 < 0.15 < trusted
