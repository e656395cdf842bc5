from __future__ import annotations

import numpy as np
import pytest

from nightschool.strategies import BALD, RANDOM, bald, by_score, entropy
from nightschool.testing import check_strategy
from nightschool.testing.strategies import make_pool
from nightschool.types import Observation, ObservationError


def test_bald_is_zero_when_members_agree_however_unsure_they_are():
    probs = np.full((4, 1, 3), 1 / 3, np.float32)
    observation = Observation(np.array([1], np.uint64), probs=probs)
    assert bald(observation)[0] == pytest.approx(0.0, abs=1e-6)
    assert entropy(observation)[0] == pytest.approx(np.log(3), rel=1e-6)


def test_bald_of_two_certain_members_that_disagree_is_log_two():
    probs = np.array([[[1, 0]], [[0, 1]]], np.float32)
    observation = Observation(np.array([1], np.uint64), probs=probs)
    assert bald(observation)[0] == pytest.approx(np.log(2), rel=1e-6)


def test_bald_ranks_disagreement_over_noise():
    noisy = [[0.5, 0.5], [0.5, 0.5]]
    contested = [[0.9, 0.1], [0.1, 0.9]]
    probs = np.array([noisy, contested], np.float32).transpose(1, 0, 2)
    picks = BALD.choose([Observation(np.array([7, 8], np.uint64), probs=probs)], 1, 0)
    assert picks.index.tolist() == [1]


def test_a_score_of_nan_ranks_last():
    scores = by_score(lambda o: np.where(o.ids == 3, np.nan, 0.5))
    pool = Observation(np.array([1, 2, 3], np.uint64))
    assert 2 not in scores.choose([pool], 2, 0).index
    assert scores.choose([pool], 3, 0).scores.tolist() == [0.5, 0.5, -np.inf]


def test_a_score_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"shape \(1,\) for 3 contexts"):
        by_score(lambda o: np.zeros(1)).choose([Observation(np.arange(3, dtype=np.uint64))], 1, 0)


def test_a_missing_field_raises_by_name():
    with pytest.raises(ObservationError, match="`probs`"):
        BALD.choose([Observation(np.arange(3, dtype=np.uint64))], 1, 0)


def test_random_draws_differ_by_key_and_are_uniform_over_the_pool():
    pool = make_pool(n=50)
    counts = np.zeros(50)
    for key in range(400):
        counts[RANDOM.choose([pool], 10, key).index] += 1
    # Each context is expected 80 times with standard deviation 8.
    assert counts.min() > 45
    assert counts.max() < 115


class _Crashes:
    """A strategy that looks at embeddings and cannot bear what is no number."""

    def choose(self, blocks, n, key):
        if blocks and not np.isfinite(np.concatenate([b.embeddings for b in blocks])).all():
            raise FloatingPointError
        return RANDOM.choose(blocks, n, key)


def test_conformance_looks_at_embeddings_that_are_no_numbers():
    with pytest.raises(FloatingPointError):
        check_strategy(_Crashes())
