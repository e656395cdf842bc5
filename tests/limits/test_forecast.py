from __future__ import annotations

import math

import numpy as np
import pytest

from nightschool.limits import Point, curve, forecast


def nights(n, ceiling=0.9, begin=0.3, scale=60.0, noise=0.01, seed=0, items=200, step=20):
    """n exams of a school whose curve is known."""
    rng = np.random.default_rng(seed)
    x = step * np.arange(n)
    y = ceiling - (ceiling - begin) * np.exp(-x / scale) + noise * rng.standard_normal(n)
    return [Point(float(a), float(np.clip(s, 0, 1)), items) for a, s in zip(x, y, strict=True)]


def test_after_five_nights_the_tenth_exam_is_inside_nine_times_in_ten():
    held, widths = [], []
    for seed in range(40):
        rng = np.random.default_rng([7, seed])
        ceiling, scale = rng.uniform(0.6, 0.98), rng.uniform(30, 150)
        points = nights(11, ceiling, 0.2, scale, 0.015, seed)
        found = forecast(points[:6], draws=1000).exam(points[10].answers)
        held.append(found.low <= points[10].score <= found.high)
        widths.append(found.width)
    assert np.mean(held) >= 0.8
    assert np.mean(widths) < 0.25  # a forecast of everything is none


def test_a_flat_curve_is_not_forecast_to_rise_and_a_steep_one_is():
    flat = forecast(nights(8, ceiling=0.4, begin=0.3, scale=15))
    assert flat.score(2 * flat.last.answers).middle < 0.48
    assert flat.probability(0.8, flat.farthest) < 0.05
    steep = forecast(nights(4, ceiling=0.95, begin=0.1, scale=100))
    assert steep.score(2 * steep.last.answers).middle > steep.last.score + 0.1
    assert steep.probability(0.6, steep.farthest) > 0.9


def test_more_nights_narrow_the_forecast():
    widths = [forecast(nights(n)).exam(400.0).width for n in (3, 6, 12)]
    assert widths[0] > widths[1] > widths[2]


def test_an_exam_of_few_items_is_noisier_than_one_of_many():
    found = forecast(nights(6))
    assert found.exam(140.0, items=20).width > found.exam(140.0, items=2000).width
    assert found.exam(140.0).width > found.score(140.0).width


def test_answers_to_a_target_agree_with_the_curve_and_are_infinite_out_of_reach():
    found = forecast(nights(10, ceiling=0.9, scale=60))
    there = found.answers_to(0.7)
    assert there.low <= -60 * math.log(0.2 / 0.6) <= there.high
    flat = forecast(nights(10, ceiling=0.4, begin=0.3, scale=15, noise=0.002))
    assert flat.answers_to(0.99, most=1000).middle == math.inf


def test_scores_at_the_edges_give_numbers():
    for score in (0.0, 1.0):
        found = forecast([Point(20.0 * i, score, 50) for i in range(5)])
        assert 0.0 <= found.exam(200.0).low <= found.exam(200.0).high <= 1.0
        assert abs(found.exam(90.0).middle - score) < 0.05


def test_the_same_key_gives_the_same_forecast():
    assert forecast(nights(5), key=3).exam(200.0) == forecast(nights(5), key=3).exam(200.0)
    assert forecast(nights(5), key=3).exam(200.0) != forecast(nights(5), key=4).exam(200.0)


def test_one_exam_is_enough_to_begin_with_and_none_is_not():
    assert forecast([Point(0.0, 0.4, 100)]).exam(50.0).width > 0.1
    with pytest.raises(ValueError, match="at least one night"):
        forecast([Point(20.0, float("nan"), 0)])


def test_the_curve_leaves_out_what_says_nothing_and_keeps_the_newest():
    points = [Point(20, 0.5, 9), Point(0, 0.2, 9), Point(40, 0.7, 0), Point(20, 0.6, 9)]
    assert curve([*points, Point(60, math.nan, 9)]) == (Point(0, 0.2, 9), Point(20, 0.6, 9))
