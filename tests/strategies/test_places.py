from __future__ import annotations

import numpy as np
import pytest

from nightschool.strategies.places import closest, survey
from nightschool.strategies.seeding import Draw, Farthest, race, seeds, topped_up, within
from nightschool.testing.strategies import make_pool, part
from nightschool.types import Observation, uniform


def in_blocks(pool, size=7):
    return [part(pool, np.arange(a, min(a + size, len(pool)))) for a in range(0, len(pool), size)]


def brute(x, y):
    return ((x[:, None].astype(np.float64) - y[None]) ** 2).sum(axis=-1)


def test_distances_from_blocks_are_those_of_the_whole():
    pool = make_pool(n=40, d=6)
    places = survey(in_blocks(pool))
    want = brute(pool.embeddings, pool.embeddings)
    for at in (0, 13, 39):
        assert places.away(at) == pytest.approx(want[at], rel=1e-4, abs=1e-6)
        assert places.away(at)[at] == 0
        assert places.row(at).tolist() == pool.embeddings[at].tolist()
    squared, which = places.nearest(pool.asked)
    asked = brute(pool.embeddings, pool.asked)
    assert squared == pytest.approx(asked.min(axis=1), rel=1e-4)
    assert which.tolist() == asked.argmin(axis=1).tolist()
    assert places.products(pool.asked[0]) == pytest.approx(
        pool.embeddings @ pool.asked[0], rel=1e-4
    )
    index = np.array([30, 2, 2, 17])
    assert (places.rows(index) == pool.embeddings[index]).all()


def test_near_things_far_from_the_origin_are_told_apart():
    """The product formula alone would lose a distance of 0.1 at 1,000 from the origin."""
    x = np.full((3, 4), 1000, np.float32)
    x[1, 0] += 0.1
    x[2, 0] += 1
    pool = Observation(np.arange(3, dtype=np.uint64), embeddings=x, asked=x[:1])
    want = [0, float(x[1, 0] - 1000) ** 2, 1]
    assert survey([pool]).away(0) == pytest.approx(want, rel=1e-5)
    assert survey([pool]).nearest(x[:1])[0] == pytest.approx(want, rel=1e-5)
    assert within(x)(0) == pytest.approx(want, rel=1e-5)


def test_no_centres_are_infinitely_far():
    places = survey([make_pool()])
    squared, which = places.nearest(places.asked[:0])
    assert np.isinf(squared).all()
    assert (which == -1).all()


def test_more_centres_than_fit_at_once():
    rng = np.random.default_rng(0)
    x, centres = rng.standard_normal((20, 3)), rng.standard_normal((1500, 3))
    squared, which = closest(x.astype(np.float32), centres.astype(np.float32))
    want = brute(x, centres)
    assert squared == pytest.approx(want.min(axis=1), abs=1e-4)
    assert which.tolist() == want.argmin(axis=1).tolist()


def test_what_is_no_number_or_overflows_counts_as_the_origin():
    pool = make_pool(n=6)
    pool.embeddings[1, 0], pool.embeddings[2], pool.asked[0] = np.nan, 3e18, np.inf
    places = survey([pool])
    assert places.sound.tolist() == [True, False, False, True, True, True]
    assert places.rows(np.array([1, 2])).any() == places.asked[0].any() == places.row(1).any()
    assert not places.row(1).any()
    assert np.isfinite(places.away(0)).all()


def test_a_draw_is_proportional_to_weight_times_distance():
    """The share of 2,000 draws that each of three contexts wins, within 4 standard errors."""
    ids = np.array([11, 5, 8], np.uint64)
    weights = np.array([1, 2, 0], np.float32)
    nearest = np.array([3, 1, 9], np.float32)
    everything = np.ones(3, np.bool_)
    wins = [Draw(ids, weights, 0)(nearest, everything, turn) for turn in range(2000)]
    share = np.bincount(wins, minlength=3) / 2000
    assert share[2] == 0
    assert share[0] == pytest.approx(3 / 5, abs=4 * np.sqrt(0.24 / 2000))


def test_weights_decide_where_every_distance_is_nothing():
    ids = np.arange(3, dtype=np.uint64)
    draw = Draw(ids, np.array([0, np.nan, 1], np.float32), 0)
    for nearest in (np.zeros(3, np.float32), np.full(3, np.inf, np.float32)):
        assert draw(nearest, np.ones(3, np.bool_), 0) == 2
    assert race(ids, np.zeros(3, np.float32), 0) == -1


def test_farthest_breaks_ties_by_key_and_never_takes_an_id_twice():
    x = np.repeat(np.eye(4, dtype=np.float32), 2, axis=0)
    ids = np.array([9, 9, 3, 3, 5, 5, 7, 7], np.uint64)
    firsts = set()
    for key in range(20):
        turn = Farthest(uniform(ids, key), np.ones(8, np.bool_))
        index, _ = seeds(ids, np.full(8, np.inf, np.float32), within(x), 8, turn)
        assert sorted(ids[index].tolist()) == [3, 5, 7, 9]
        firsts.add(int(ids[index[0]]))
    assert firsts == {3, 5, 7, 9}


def test_a_short_choice_is_topped_up_with_other_ids():
    ids = np.array([4, 4, 6, 6, 8], np.uint64)
    index = topped_up(np.array([0]), ids, 9, 1)
    assert index[0] == 0
    assert sorted(ids[index].tolist()) == [4, 6, 8]


def test_draws_cover_clusters_before_they_repeat_one():
    centres = 100 * np.eye(4, 6, dtype=np.float32)
    rng = np.random.default_rng(0)
    points = np.repeat(centres, 20, axis=0) + rng.standard_normal((80, 6)).astype(np.float32)
    ids = rng.choice(2**60, 80, replace=False).astype(np.uint64)
    start = np.full(80, np.inf, np.float32)
    chosen = [seeds(ids, start, within(points), 4, Draw(ids, None, key))[0] for key in range(60)]
    # A far point is always likelier than a near one, but a draw stays a draw.
    assert np.mean([len(set(c // 20)) == 4 for c in chosen]) > 0.95


def test_draws_stay_away_from_what_was_asked():
    points = np.array([[0.0, 0], [0.01, 0], [50, 0]], np.float32)
    ids = np.array([5, 6, 7], np.uint64)
    nearest, _ = closest(points, points[:1])
    for key in range(30):
        assert seeds(ids, nearest, within(points), 1, Draw(ids, None, key))[0] == 2
