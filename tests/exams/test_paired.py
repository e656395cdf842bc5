from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from nightschool.exams.paired import interval, items_needed, p_at_least, p_at_most

WINS = [(0, 0), (1, 0), (0, 1), (5, 0), (5, 1), (10, 3), (3, 10), (50, 30), (200, 160), (40, 0)]


@pytest.mark.parametrize(("wins", "losses"), WINS)
def test_right_or_wrong_marks_give_the_exact_sign_test(wins: int, losses: int) -> None:
    d = np.array([1.0] * wins + [-1.0] * losses + [0.0] * 9)
    n = wins + losses
    assert p_at_most(d) == pytest.approx(binom.sf(wins - 1, n, 0.5), rel=1e-8)
    assert p_at_least(d) == pytest.approx(binom.sf(losses - 1, n, 0.5), rel=1e-8)


def by_partial_fractions(values: list[Fraction], bound: Fraction) -> float:
    """P(sum of exponential weights times (value - bound) <= 0), exactly, for distinct values."""
    y = [v - bound for v in values] + [-1 - bound]
    above = Fraction(0)
    for i, own in enumerate(y):
        if own > 0:
            above += math.prod((own / (own - y[j]) for j in range(len(y)) if j != i), start=1)
    return float(1 - above)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(-95, 95), min_size=1, max_size=12, unique=True),
    st.sampled_from([-5, -1, 0, 2]),
)
def test_soft_marks_give_the_closed_form(hundredths: list[int], bound: int) -> None:
    values = [Fraction(v, 100) for v in hundredths]
    expected = by_partial_fractions(values, Fraction(bound, 100))
    d = np.array([float(v) for v in values])
    assert p_at_most(d, bound / 100) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("n", [3, 6, 9])
@pytest.mark.parametrize(
    ("values", "chances"),
    [
        ((-1.0, 0.02), (0.02 / 1.02, 1 / 1.02)),
        ((-1.0, 0.5), (1 / 3, 2 / 3)),
        ((-1.0, 0.0, 1.0), (0.2, 0.6, 0.2)),
        ((-1.0, 0.1, 0.9), (0.2, 0.7778, 0.0222)),
        ((-0.3, 0.3), (0.5, 0.5)),
        ((-0.1, 0.9), (0.9, 0.1)),
    ],
)
def test_error_by_enumeration_never_exceeds_the_level(
    n: int, values: tuple[float, ...], chances: tuple[float, ...]
) -> None:
    mean = float(np.dot(values, chances))
    errors = dict.fromkeys((0.01, 0.05, 0.1, 0.25, 0.5), 0.0)
    for counts in itertools.product(range(n + 1), repeat=len(values)):
        if sum(counts) != n:
            continue
        ways = math.factorial(n) / math.prod(math.factorial(c) for c in counts)
        chance = ways * math.prod(q**c for q, c in zip(chances, counts, strict=True))
        p = p_at_most(np.repeat(values, counts), mean)
        for level in errors:
            errors[level] += chance * (p <= level)
    assert all(error <= level + 1e-9 for level, error in errors.items()), errors


def test_many_small_gains_do_not_outvote_a_loss_nobody_sampled() -> None:
    # 60 items won by .02 each: one item in fifty may be wholly lost, and 60 often miss it
    assert p_at_most(np.full(60, 0.02)) > 0.2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1), max_size=60), st.randoms())
def test_order_is_moot_and_p_is_a_probability(values: list[float], rnd: object) -> None:
    d = np.array(values)
    p = p_at_most(d, -0.01)
    assert 0.0 <= p <= 1.0
    assert p_at_most(np.array(sorted(values)), -0.01) == pytest.approx(p, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 0.9), min_size=1, max_size=40), st.integers(0, 39))
def test_a_better_mark_never_raises_p(values: list[float], which: int) -> None:
    better = list(values)
    better[which % len(values)] += 0.1
    assert p_at_most(np.array(better)) <= p_at_most(np.array(values)) + 1e-7


def test_large_exams_agree_with_draws() -> None:
    rng = np.random.default_rng(0)
    for n in (20, 200):
        d = np.clip(rng.normal(0.03, 0.3, n), -1, 1)
        weights = rng.exponential(size=(40_000, n + 1))
        drawn = float((weights @ np.append(d + 0.01, -0.99) <= 0).mean())
        assert p_at_most(d, -0.01) == pytest.approx(drawn, abs=0.01)


def test_nothing_seen_is_no_evidence() -> None:
    assert p_at_most(np.zeros(0)) == 1.0
    assert p_at_most(np.zeros(50)) == 1.0
    low, high = interval(np.zeros(0))
    assert (low, high) == pytest.approx((-1.0, 1.0))


def test_interval_holds_the_mean_and_agrees_with_the_tests() -> None:
    d = np.random.default_rng(1).normal(0.05, 0.2, 120)
    low, high = interval(d, 0.9)
    assert low < d.mean() < high
    assert p_at_most(d, low) == pytest.approx(0.05, abs=1e-3)
    assert p_at_least(d, high) == pytest.approx(0.05, abs=1e-3)


def test_items_needed_has_about_the_power_it_promises() -> None:
    n = items_needed(0.05, 0.3, 0.0, 0.05)
    rng = np.random.default_rng(2)
    hits = [p_at_most(np.clip(rng.normal(0.05, 0.3, n), -1, 1)) <= 0.05 for _ in range(400)]
    assert 0.72 <= np.mean(hits) <= 0.88
    assert items_needed(-0.01, 0.3, 0.0, 0.05) == -1
