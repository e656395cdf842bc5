from __future__ import annotations

import pytest

from nightschool.limits import folds, lead


def test_folds_hold_every_item_once_whatever_their_order():
    ids = [11, 5, 99, 42, 7, 3, 1000]
    parts = folds(ids, 3, key=1)
    assert sorted(i for part in parts for i in part) == list(range(7))
    assert sorted(map(len, parts)) == [2, 2, 3]
    turned = folds(ids[::-1], 3, key=1)
    assert [{ids[i] for i in p} for p in parts] == [{ids[::-1][i] for i in p} for p in turned]
    assert folds(ids, 3, key=2) != parts


def test_the_lead_is_the_paired_difference_and_its_interval():
    found = lead([0.9, 0.8, 0.7, 1.0], [0.5, 0.6, 0.3, 0.8], answers=12)
    assert found.gain == pytest.approx(0.3)
    # differences .4 .2 .4 .2: standard deviation .1155, of the mean .0577; 3 degrees of freedom
    assert found.low == pytest.approx(0.3 - 3.18245 * 0.057735, abs=1e-4)
    assert found.high == pytest.approx(0.3 + 3.18245 * 0.057735, abs=1e-4)
    assert (found.answers, found.items) == (12, 4)


def test_marks_of_other_items_are_refused():
    with pytest.raises(ValueError, match="1 and 2"):
        lead([0.1], [0.1, 0.2], 3)
