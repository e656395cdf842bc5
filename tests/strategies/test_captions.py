"""Which captions to draw next: coverage first, then disagreement, spread over a batch."""

from __future__ import annotations

import numpy as np
import pytest

from nightschool.strategies import CAPTIONS, EVEN
from nightschool.strategies.captions import gain
from nightschool.testing import check_strategy
from nightschool.types import Observation


def pool(embeddings, which, spread, asked=(), noise=1.0):
    """A pool of sheets: `which` caption each row is; its members' standard deviation."""
    embeddings = np.asarray(embeddings, np.float32)
    rng = np.random.default_rng(1)
    n = len(which)
    signs = np.array([1.0, -1.0, 1.0, -1.0])[:, None, None]
    values = (
        signs * np.asarray(spread, float)[np.asarray(which)][None, :, None] * np.ones((1, n, 2))
    )
    return Observation(
        rng.choice(2**60, n, replace=False).astype(np.uint64),
        embeddings=embeddings[np.asarray(which)],
        values=values.astype(np.float32),
        noise=np.full(2, noise, np.float32),
        asked=embeddings[list(asked)],
    )


def chosen(observation, which, n, key=0):
    picks = CAPTIONS.choose([observation], n, key)
    return [which[i] for i in picks.index], picks.scores


@pytest.mark.parametrize("strategy", [CAPTIONS, EVEN], ids=["captions", "even"])
def test_conformance(strategy):
    check_strategy(strategy)


def test_information_of_members_as_far_apart_as_the_noise():
    observation = pool(np.eye(2), [0, 1], [1.0, 0.0])
    assert gain(observation) == pytest.approx([0.5 * np.log(2), 0.0])
    louder = pool(np.eye(2), [0, 1], [1.0, 0.0], noise=4.0)
    assert gain(louder)[0] < gain(observation)[0]


def test_no_caption_a_second_time_before_every_other_was_drawn_once():
    which = [c for c in range(5) for _ in range(4)]
    observation = pool(np.eye(5), which, [9.0, 0.1, 0.1, 0.1, 0.1], asked=[1, 1])
    captions, scores = chosen(observation, which, 9)
    assert sorted(captions[:4]) == [0, 2, 3, 4]
    assert sorted(captions) == [0, 0, 1, 2, 2, 3, 3, 4, 4]
    assert captions.index(1) >= 4
    assert scores[0] > 0 > scores[-1]
    assert scores[-1] < -1


def test_of_captions_drawn_equally_often_the_least_sure_comes_first():
    which = list(range(4))
    captions, _ = chosen(pool(np.eye(4), which, [0.1, 0.5, 2.0, 1.0]), which, 4)
    assert captions == [2, 3, 1, 0]


def test_even_coverage_draws_by_the_key_among_the_captions_drawn_least_often():
    which = [c for c in range(4) for _ in range(2)]
    observation = pool(np.eye(4), which, [5.0, 0.1, 0.1, 0.1], asked=[0, 1])
    batches = [EVEN.choose([observation], 3, key) for key in range(30)]
    chosen = [[which[i] for i in picks.index] for picks in batches]
    assert {frozenset(c[:2]) for c in chosen} == {frozenset({2, 3})}
    assert {c[2] for c in chosen} == {0, 1, 2, 3}
    assert batches[0].scores.tolist() == [0.0, 0.0, -1.0]


def test_a_batch_spreads_over_what_captions_say():
    """Captions 0 and 1 share all but a little; 2 is far, though the members agree more on it."""
    embeddings = [[1, 0, 0], [0.98, 0.2, 0], [0, 0, 1]]
    captions, _ = chosen(pool(embeddings, [0, 1, 2], [2.0, 1.9, 1.0]), [0, 1, 2], 2)
    assert captions == [0, 2]


def test_equal_captions_are_drawn_by_the_key():
    which = list(range(6))
    observation = pool(np.eye(6), which, [1.0] * 6)
    first = {chosen(observation, which, 1, key)[0][0] for key in range(40)}
    assert len(first) == 6


def test_sheets_of_a_caption_are_each_asked_once():
    which = [0, 0, 0]
    picks = CAPTIONS.choose([pool(np.eye(1), which, [1.0])], 5, 3)
    assert sorted(picks.index.tolist()) == [0, 1, 2]


def test_without_former_questions_all_counts_are_zero():
    given = pool(np.eye(2), [0, 1], [1.0, 2.0])
    bare = Observation(
        given.ids, embeddings=given.embeddings, values=given.values, noise=given.noise
    )
    picks = CAPTIONS.choose([bare], 2, 0)
    assert picks.index.tolist() == [1, 0]
    assert (picks.scores > 0).all()


def test_the_noise_of_arithmetic_makes_no_new_caption():
    """Without it each of the eight sheets would be a caption never drawn, and 0 come first."""
    which = [c for c in range(4) for _ in range(2)]
    observation = pool(np.eye(4), which, [9.0, 0.1, 0.1, 0.1], asked=[0])
    clean = CAPTIONS.choose([observation], 8, 0).index
    noise = 1e-6 * np.random.default_rng(3).standard_normal(observation.embeddings.shape)
    observation.embeddings[:] += noise.astype(np.float32)
    assert CAPTIONS.choose([observation], 8, 0).index.tolist() == clean.tolist()
    captions, scores = chosen(observation, which, 8)
    assert sorted(captions[:3]) == [1, 2, 3]
    assert scores.min() < -1


def test_captions_of_large_embeddings_stay_apart():
    which = list(range(5))
    large = 1e9 * np.random.default_rng(0).standard_normal((5, 40))
    observation = pool(large, which, [1.0] * 5)
    assert EVEN.choose([observation], 5, 0).scores.tolist() == [0.0] * 5


def test_captions_are_told_apart_beyond_one_block_of_rows():
    which = [c for c in range(300) for _ in range(2)]
    observation = pool(np.arange(300)[:, None], which, [1.0] * 300)
    observation.embeddings[::2] += np.float32(1e-3)
    picks = EVEN.choose([observation], 600, 0)
    assert sorted(which[i] for i in picks.index[:300]) == list(range(300))


def test_a_row_is_what_its_like_is():
    observation = pool([[0.0], [0.008], [0.016], [1.0]], range(4), [1.0] * 4)
    assert sorted(EVEN.choose([observation], 4, 0).scores) == [-2.0, -1.0, 0.0, 0.0]
