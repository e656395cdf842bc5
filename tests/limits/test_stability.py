from __future__ import annotations

import math

import pytest

from nightschool.limits import Stability, kappa, stability


def test_kappa_is_agreement_beyond_chance():
    # Cohen's own kind of table: 20 of 25 agree, marginals .6/.4 and .6/.4 give chance .52
    first = ["y"] * 15 + ["n"] * 10
    second = ["y"] * 12 + ["n"] * 3 + ["y"] * 3 + ["n"] * 7
    assert kappa(first, second) == pytest.approx((19 / 25 - 0.52) / 0.48)
    assert kappa(first, first) == 1.0
    assert kappa(["y", "y"], ["y", "y"]) == 1.0
    assert kappa(["y", "n"], ["n", "y"]) == -1.0


def test_predictions_of_other_contexts_are_refused():
    with pytest.raises(ValueError, match="2 and 1"):
        kappa(["a", "b"], ["a"])


def test_stable_is_three_nights_of_agreement_and_no_fewer():
    same, other = list("aabb" * 30), list("abab" * 30)
    assert stability([other, same, same, same, same]).stable
    assert not stability([same, same, same]).stable
    assert math.isnan(stability([same, same, same]).recent)
    assert not stability([same, same, same, other]).stable
    assert stability([]) == Stability((), 0)
    assert stability([same, same]).contexts == 120
