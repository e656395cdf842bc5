"""The strategies that choose a whole batch, against their definitions written out."""

from __future__ import annotations

import numpy as np
import pytest

from nightschool.strategies import BADGE, FALCUN, K_CENTER, MAX_HERDING, TYPICLUST, MaxHerding
from nightschool.strategies.badge import gradients_of
from nightschool.strategies.beliefs import believe
from nightschool.strategies.herding import herd, likeness, unit
from nightschool.strategies.kmeans import kmeans, sampled
from nightschool.strategies.places import survey
from nightschool.strategies.typiclust import TypiClust, typicality
from nightschool.testing.strategies import make_pool, part, without
from nightschool.types import Observation


def heaps(each=30, k=4, d=6, apart=10.0, seed=0):
    """k clusters of that many contexts each, and an observation of them."""
    rng = np.random.default_rng(seed)
    x = np.repeat(apart * np.eye(k, d), each, axis=0) + rng.standard_normal((k * each, d))
    pool = make_pool(n=k * each, d=d)
    pool.embeddings[:] = x
    return without(pool, "asked", "values")


def gradients(pool):
    """BADGE's gradient embeddings, built in full, (n, k * d)."""
    p = pool.probs.mean(axis=0)
    a = p - np.eye(p.shape[1])[p.argmax(axis=1)]
    return (a[:, :, None] * pool.embeddings[:, None, :]).reshape(len(pool), -1)


@pytest.mark.parametrize("wide", [4, 1], ids=["kept", "read again"])
def test_badge_distances_are_those_of_the_explicit_gradients(wide):
    pool = make_pool(n=30)
    blocks = [part(pool, np.arange(11)), part(pool, np.arange(11, 30))]
    places, beliefs = survey(blocks), believe(blocks, wide)
    assert (beliefs.kept is None) == (wide == 1)
    g = gradients(pool)
    have = gradients_of(places, beliefs)
    assert have.squares == pytest.approx((g**2).sum(axis=1), rel=1e-4)
    for at in (0, 17):
        want = ((g - g[at]) ** 2).sum(axis=1)
        assert have.squared_to(at) == pytest.approx(want, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("wide", [4, 1], ids=["kept", "read again"])
def test_beliefs_give_a_block_of_fewer_classes_zeros_behind(wide):
    pool = make_pool(n=9)
    few, many = part(pool, np.arange(4)), part(pool, np.arange(4, 9))
    narrow = Observation(few.ids, probs=few.probs[:, :, :3])
    beliefs = believe([narrow, many], wide)
    rows = beliefs.rows(np.array([8, 2]))
    assert rows[1] == pytest.approx([*few.probs[:, 2, :3].mean(axis=0), 0])
    assert rows[0] == pytest.approx(many.probs[:, 4].mean(axis=0))
    assert np.concatenate([p for _, p in beliefs.chunks()])[[8, 2]].tolist() == rows.tolist()


def test_badge_starts_with_the_longest_gradient_and_leaves_the_broken_to_the_end():
    pool = make_pool(n=12)
    pool.probs[:, 3] = np.nan
    longest = int(np.nanargmax((gradients(pool) ** 2).sum(axis=1)))
    index = BADGE.choose([pool], 12, 4).index
    assert index[0] == longest
    assert index[-1] == 3


def test_k_center_takes_the_farthest_from_what_was_asked():
    pool = make_pool(n=50)
    taken, want = pool.asked.astype(np.float64), []
    for _ in range(8):
        far = ((pool.embeddings[:, None] - taken) ** 2).sum(axis=-1).min(axis=1)
        want.append(int(far.argmax()))
        taken = np.concatenate([taken, pool.embeddings[want[-1:]]])
    assert K_CENTER.choose([pool], 8, 0).index.tolist() == want


def test_kmeans_finds_the_heaps():
    pool = heaps()
    centres = kmeans(pool.embeddings, pool.ids, 4, 0)
    means = pool.embeddings.reshape(4, 30, -1).mean(axis=1)
    near = ((centres[:, None] - means) ** 2).sum(axis=-1)
    assert near.min(axis=0) == pytest.approx(np.zeros(4), abs=1e-6)


def test_kmeans_drops_centres_that_nobody_is_near():
    same = np.ones((6, 3), np.float32)
    assert len(kmeans(same, np.arange(6, dtype=np.uint64), 4, 0)) == 1


def test_a_sample_is_of_different_ids_in_their_order_whatever_the_pools():
    ids = np.random.default_rng(0).permutation(np.repeat(np.arange(50, dtype=np.uint64), 2))
    some = ids[sampled(ids, 20, 7)]
    assert len(set(some.tolist())) == 20
    assert (np.diff(some.astype(np.int64)) > 0).all()
    again = ids[::-1]
    assert some.tolist() == again[sampled(again, 20, 7)].tolist()
    assert some.tolist() != ids[sampled(ids, 20, 8)].tolist()


def test_typicality_is_one_over_the_mean_distance_to_the_nearest():
    x = np.array([[0.0], [1], [3], [10]], np.float32)
    assert typicality(x, 2) == pytest.approx([1 / 2, 2 / 3, 2 / 5, 2 / 16], rel=1e-5)
    assert typicality(x[:1], 5).tolist() == [1.0]


def test_typiclust_asks_once_in_each_heap_first_where_nobody_was_asked():
    pool = heaps()
    pool.embeddings[60:] += np.float32(0.01)
    assert {i // 30 for i in TYPICLUST.choose([pool], 4, 0).index} == {0, 1, 2, 3}
    before = pool.embeddings[[0, 31]] + np.float32(0.1)
    knows = Observation(pool.ids, embeddings=pool.embeddings, asked=before)
    assert {i // 30 for i in TYPICLUST.choose([knows], 2, 0).index} == {2, 3}


def test_typiclust_leaves_small_clusters_to_the_end():
    """Three contexts apart from two heaps with an answer each: noise rather than a topic."""
    pool = part(heaps(k=3), np.r_[0:63])
    knows = Observation(pool.ids, embeddings=pool.embeddings, asked=pool.embeddings[[0, 31]])
    for key in range(5):
        assert TYPICLUST.choose([knows], 1, key).index[0] < 60
        assert TypiClust(smallest=0).choose([knows], 1, key).index[0] >= 60


def test_typiclust_on_samples_still_finds_the_heaps():
    pool = heaps(each=60)
    small = TypiClust(sample=80, members=20)
    assert {i // 60 for i in small.choose([pool], 4, 0).index} == {0, 1, 2, 3}


def greedy(pool, n, width=1.0):
    """MaxHerding as its paper writes it, with the whole kernel; the picks and the cover."""
    x, asked = unit(pool.embeddings).astype(np.float64), unit(pool.asked).astype(np.float64)
    kernel = np.exp(-((x[:, None] - x) ** 2).sum(axis=-1) / width**2)
    best = np.exp(-((x[:, None] - asked) ** 2).sum(axis=-1) / width**2).max(axis=1)
    chosen = []
    for _ in range(n):
        gains = np.maximum(kernel - best, 0).mean(axis=1)
        gains[chosen] = -1
        chosen.append(int(gains.argmax()))
        best = np.maximum(best, kernel[chosen[-1]])
    return chosen, best.mean()


def test_max_herding_is_the_greedy_cover():
    pool = make_pool(n=300, d=8)
    assert MAX_HERDING.choose([pool], 15, 0).index.tolist() == greedy(pool, 15)[0]


def test_max_herding_on_landmarks_covers_nearly_as_much():
    pool = make_pool(n=300, d=3)
    some = MaxHerding(landmarks=100, candidates=200).choose([pool], 10, 0).index
    known = unit(np.concatenate([pool.asked, pool.embeddings[some]]))
    cover = float(likeness(unit(pool.embeddings), known, 1.0).mean())
    best, nothing = greedy(pool, 10)[1], greedy(pool, 0)[1]
    assert cover - nothing > 0.9 * (best - nothing)


def test_marks_of_no_weight_need_no_cover():
    x = unit(np.concatenate([np.eye(2, 5), np.eye(3, 5)[2:]]).astype(np.float32))
    weights = np.array([0, 1, 0], np.float32)
    none = np.zeros(3, np.float32)
    index, gains = herd(x, x, none, 1, np.arange(3.0), width=0.5, weights=weights)
    assert index.tolist() == [1]
    assert gains == pytest.approx([1.0])


def test_falcun_asks_the_unsure_and_not_the_same_prediction_again():
    pool = make_pool(n=90)
    pool.probs[:, :60] = np.array([0.97, 0.01, 0.01, 0.01])
    pool.probs[:, 60:75] = np.array([0.45, 0.45, 0.05, 0.05])
    pool.probs[:, 75:] = np.array([0.05, 0.05, 0.45, 0.45])
    for key in range(10):
        first, second = FALCUN.choose([pool], 2, key).index
        assert min(first, second) >= 60
        assert (first < 75) != (second < 75)
