from __future__ import annotations

import math

import pytest

from nightschool.limits import capacity, entropy, fewest, measured


def bisect(places: int, right: int) -> int:
    """Yes/no answers that bisection needs to find which of the places is the threshold."""
    low, high, asked = 0, places - 1, 0
    while low < high:
        middle = (low + high) // 2
        asked += 1
        low, high = (low, middle) if right <= middle else (middle + 1, high)
    return asked


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 16, 17, 100, 1000, 1024])
def test_a_noiseless_threshold_on_a_line_needs_exactly_what_bisection_asks(m):
    assert fewest(m) == math.ceil(math.log2(m)) == max(bisect(m, t) for t in range(m))


def test_yes_or_no_with_noise_tells_one_less_its_entropy():
    assert capacity(2, 0.0) == 1.0
    assert capacity(2, 0.11) == pytest.approx(1 - entropy(0.11))
    assert capacity(2, 0.5) == pytest.approx(0.0, abs=1e-12)
    assert capacity(2, 1.0) == pytest.approx(1.0)  # always wrong tells as much as always right


def test_many_kinds_tell_more_and_uniform_noise_leaves_nothing():
    assert capacity(8, 0.0) == 3.0
    assert capacity(4, 0.75) == pytest.approx(0.0, abs=1e-12)
    assert fewest(100, 4, 0.75) == math.inf


def test_fano_counts_noise_and_error():
    # 10 bits; h(.1) = .469: an answer tells .531; an error of 20 % forgives .722 + .2 log2 1023
    assert fewest(1024, 2, 0.1) == math.ceil(10 / 0.5310044)
    assert fewest(1024, 2, 0.0, 0.2) == math.ceil(10 - 0.721928 - 0.2 * math.log2(1023)) == 8
    assert fewest(2, 2, 0.0, 0.5) == 0  # a guess does
    assert fewest(2, 2, 0.0, 0.9) == fewest(4, 2, 0.0, 0.95) == 0


@pytest.mark.parametrize("wrong", [(0, 2, 0.0, 0.0), (5, 2, 0.0, 1.0), (5, 1, 0.0, 0.0)])
def test_what_makes_no_sense_is_refused_by_value(wrong):
    with pytest.raises(ValueError, match=r"needs|has"):
        fewest(*wrong)


def test_noise_is_what_explains_how_often_people_agree():
    assert measured([["a"], ["b"]], 3) is None
    # noise .1 between 3 kinds: two agree with probability .81 + .01 / 2
    table = [["a", "a"]] * 815 + [["a", "b"]] * 185
    found = measured(table, 3)
    assert found.noise == pytest.approx(0.1, abs=1e-3)
    assert found.low < 0.1 < found.high
    assert (found.pairs, found.agreed) == (1000, 815)


def test_three_answers_of_one_context_count_as_two_comparisons():
    found = measured([["a", "a", "b"]] * 10, 2)
    assert found.pairs == 20
    assert found.high <= 0.5


def test_people_who_never_agree_are_pure_noise():
    found = measured([["a", "b"]] * 50, 2)
    assert found.noise == found.high == pytest.approx(0.5)


def test_the_bounds_of_people_who_always_agree_begin_at_no_noise():
    found = measured([["a", "a"]] * 20, 3)
    assert found.noise == found.low == 0 < found.high


def test_noise_between_answers_of_one_kind_is_refused():
    with pytest.raises(ValueError, match="2 or more kinds of answers, not 1"):
        measured([["a", "a"]], 1)
