from __future__ import annotations

import numpy as np
import pytest

from nightschool.strategies import EPIG, MARGIN, bald, entropy, least_confidence, margin
from nightschool.strategies.epig import coarse, epig
from nightschool.strategies.scores import mean_probs, plogp, top_two
from nightschool.testing.strategies import make_pool, part
from nightschool.types import Observation


def see(*samples):
    """An observation of contexts (n, k), one such list a posterior sample."""
    probs = np.array(samples, np.float32)
    return Observation(np.arange(probs.shape[1], dtype=np.uint64), probs=probs)


def test_scores_of_a_known_prediction():
    pool = see([[0.5, 0.3, 0.2], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    assert least_confidence(pool) == pytest.approx([0.5, 0, 2 / 3], abs=1e-6)
    assert margin(pool) == pytest.approx([0.8, 0, 1], abs=1e-6)
    assert entropy(pool) == pytest.approx([1.02965, 0, np.log(3)], abs=1e-5)


def test_scores_look_at_the_mean_of_the_samples():
    pool = see([[1.0, 0.0]], [[0.0, 1.0]])
    assert margin(pool) == pytest.approx([1.0])
    assert least_confidence(pool) == pytest.approx([0.5])


def test_the_top_two_of_many_rows_are_those_of_a_sort():
    rows = np.random.default_rng(0).random((5000, 7)).astype(np.float32)
    first, second = top_two(rows)
    ranked = np.sort(rows, axis=1)
    assert (first == ranked[:, -1]).all()
    assert (second == ranked[:, -2]).all()


def test_plogp_of_many_rows_and_samples():
    p = make_pool(n=5000, s=2).probs
    assert plogp(p) == pytest.approx((p * np.log(p)).sum(axis=-1), rel=1e-5)
    assert plogp(np.array([[0.0, 1.0]], np.float32)) == pytest.approx([0.0])


def test_bald_is_the_mutual_information_of_answer_and_sample():
    pool = make_pool(n=20, s=4)
    p = pool.probs.astype(np.float64)
    joint = p / len(p)  # answer and sample together, (s, n, k)
    answer, sample = joint.sum(axis=0), 1 / len(p)
    want = (joint * np.log(joint / (answer[None] * sample))).sum(axis=(0, 2))
    assert bald(pool) == pytest.approx(want, rel=1e-4)


def test_the_best_by_score_are_those_of_a_full_sort():
    pool = make_pool(n=300)
    picks = MARGIN.choose([part(pool, np.arange(100)), part(pool, np.arange(100, 300))], 12, 0)
    assert picks.index.tolist() == np.argsort(-margin(pool))[:12].tolist()
    assert picks.scores == pytest.approx(np.sort(margin(pool))[::-1][:12])


def mutual(p, q):
    """EPIG by its definition, for one context (s, k) and one target (s, j)."""
    joint = np.einsum("sa,sb->ab", p.astype(np.float64), q) / len(p)
    return (joint * np.log(joint / np.outer(joint.sum(axis=1), joint.sum(axis=0)))).sum()


def test_epig_is_the_mean_mutual_information_with_the_targets():
    pool = make_pool(n=30, k=3)
    want = [
        np.mean([mutual(pool.probs[:, i], pool.target_probs[:, t]) for t in range(7)])
        for i in range(30)
    ]
    assert epig(pool.probs, pool.target_probs) == pytest.approx(want, abs=1e-5)
    assert EPIG.choose([pool], 5, 0).index.tolist() == np.argsort(want)[::-1][:5].tolist()


def test_epig_ignores_what_only_a_corner_of_the_model_would_learn_from():
    """Two samples disagree about two contexts; the targets hang together with one of them only."""
    torn, calm = [0.9, 0.1], [0.5, 0.5]
    one = [torn, torn, calm, calm]
    two = [torn[::-1], torn, calm, calm]
    three = [torn, torn[::-1], calm, calm]
    four = [torn[::-1], torn[::-1], calm, calm]
    targets = np.array([[torn], [torn[::-1]], [torn], [torn[::-1]]], np.float32)
    pool = see(one, two, three, four)
    assert bald(pool)[0] == pytest.approx(bald(pool)[1])
    scores = epig(pool.probs, targets)
    assert scores[0] > 0.1
    assert scores[1:] == pytest.approx([0, 0, 0], abs=1e-6)


def test_without_targets_epig_draws_some_from_the_pool_by_key():
    pool = make_pool(n=40)
    bare = Observation(pool.ids, probs=pool.probs)
    whole = epig(pool.probs, pool.probs)
    assert EPIG.choose([bare], 6, 3).index.tolist() == np.argsort(-whole)[:6].tolist()


def test_merged_classes_keep_the_sum_and_bound_the_gain_from_below():
    pool = make_pool(n=25, k=40)
    merged = coarse(pool.probs, 8)
    assert merged.shape == (3, 25, 8)
    assert merged.sum(axis=-1) == pytest.approx(np.ones((3, 25)), abs=1e-5)
    full = epig(pool.probs, pool.probs)
    less = epig(merged, merged)
    assert (less <= full + 1e-6).all()
    assert (less > 0.3 * full).all()
    assert coarse(pool.probs, 40) is pool.probs


def test_the_mean_does_not_touch_the_samples():
    pool = see([[1.0, 0.0]], [[0.0, 1.0]])
    mean_probs(pool)[:] = 7
    assert pool.probs.sum() == 2


def test_a_target_that_is_no_number_does_not_spoil_the_rest():
    pool = make_pool(n=20)
    want = EPIG.choose([pool], 20, 0).scores
    pool.target_probs[:] = np.concatenate([pool.target_probs[:, :6], pool.target_probs[:, :1]], 1)
    pool.target_probs[0, 6] = np.nan
    assert EPIG.choose([pool], 20, 0).scores.min() > 0
    assert want.min() > 0
