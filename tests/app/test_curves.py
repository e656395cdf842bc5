from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from nightschool.app.curves import (
    answers_to,
    area,
    mean_interval,
    reached,
    share,
    simultaneous_band,
)


def test_the_interval_is_students():
    values = np.random.default_rng(0).normal(3, 2, (7, 2))
    found = mean_interval(values)
    for column in range(2):
        low, high = stats.ttest_1samp(values[:, column], 0).confidence_interval(0.95)
        assert (found.low[column], found.high[column]) == pytest.approx((low, high))


def test_one_seed_says_nothing_about_the_spread():
    found = mean_interval([0.5])
    assert found.mean == 0.5
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_the_band_is_wider_than_the_interval_and_nowhere_wide_where_all_are_equal():
    rng = np.random.default_rng(1)
    differences = np.column_stack([np.zeros(20), rng.normal(1, 1, (20, 6))])
    band, interval = simultaneous_band(differences), mean_interval(differences)
    assert band.low[0] == band.high[0] == 0
    assert (band.low[1:] < interval.low[1:]).all()
    assert (band.high[1:] > interval.high[1:]).all()
    assert np.allclose(band.high - band.mean, band.mean - band.low)


def test_a_column_in_which_hardly_a_seed_differs_widens_no_other_one():
    rng = np.random.default_rng(3)
    good = 0.7 + rng.normal(0, 0.1, (10, 3))
    lone = np.full((10, 1), 1 / 3)  # its mean in a draw without the odd one is a last bit off
    lone[4] = 0.9
    rounded = np.full((10, 1), 0.1)
    rounded[::2] = 0.3 - 0.2  # a last bit away from .1
    band, alone = simultaneous_band(np.hstack([good, lone, rounded])), simultaneous_band(good)
    assert band.high[:3].tolist() == alone.high.tolist()
    assert band.high[3] == math.inf
    assert band.high[4] - band.low[4] < 1e-9


def test_the_band_holds_the_whole_curve_as_often_as_it_says():
    rng = np.random.default_rng(2)
    mix = np.linalg.cholesky(0.8 ** np.abs(np.subtract.outer(range(8), range(8))))
    inside = 0
    for _ in range(100):
        values = rng.normal(size=(12, 8)) @ mix.T
        band = simultaneous_band(values, draws=300)
        inside += bool((band.low <= 0).all() and (band.high >= 0).all())
    assert 88 <= inside <= 100  # separate intervals would hold it about 75 times


def test_too_few_seeds_have_no_band():
    band = simultaneous_band([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]])
    assert band.low.tolist() == [0.0, -math.inf]


def test_the_area_is_the_mean_over_the_answers():
    assert area([0, 10, 40], [0.0, 0.5, 0.8]) == pytest.approx((10 * 0.25 + 30 * 0.65) / 40)
    assert area([0], [0.25]) == 0.25


def test_answers_to_a_target_are_those_of_the_first_morning_there():
    assert answers_to([0, 10, 20, 30], [0.1, 0.5, 0.4, 0.6], 0.5) == 10
    assert answers_to([0, 10, 20], [0.9, 0.5, 0.2], 0.4, lower=True) == 20
    assert answers_to([0, 10], [0.1, 0.2], 0.5) == math.inf


def test_runs_that_never_came_there_count_as_the_budget():
    half = reached([30, math.inf, 50, math.inf], 100)
    assert (half.median, half.reached, half.runs, half.censored) == (75, 2, 4, True)
    most = reached([30, 60, math.inf], 100)
    assert (most.median, most.censored) == (60, False)
    assert str(most) == "60 (2 of 3)"
    assert str(reached([math.inf], 90)) == "> 90 (0 of 1)"
    assert share([10, 20, 30], [math.inf, 40, 60], 100) == pytest.approx(20 / 60)
