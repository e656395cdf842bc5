from __future__ import annotations

import numpy as np
from scipy import stats

from nightschool.types import uniform


def test_draws_do_not_depend_on_the_order():
    ids = np.arange(1000, dtype=np.uint64)
    assert (uniform(ids, 3)[::-1] == uniform(ids[::-1].copy(), 3)).all()


def test_draws_are_uniform_and_keys_are_independent():
    ids = np.arange(20_000, dtype=np.uint64)
    one, two = uniform(ids, 1), uniform(ids, 2)
    assert stats.kstest(one, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.03
    assert one.min() >= 0
    assert one.max() < 1
