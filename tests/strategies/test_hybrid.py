import numpy as np
import pytest

from nightschool.strategies import Hybrid, hybrid
from nightschool.strategies.hybrid import (
    NARROWEST,
    gate,
    in_view,
    kernel_width,
    reducible,
    worth,
)
from nightschool.testing import check_strategy
from nightschool.testing.strategies import make_pool, part
from nightschool.types import Observation

SURE = ((0.98, 0.01, 0.01), (0.98, 0.01, 0.01))
TORN = ((0.65, 0.2, 0.15), (0.15, 0.5, 0.35))
"""Two posterior samples each: where the model is torn, they disagree."""


def corners(*, torn: tuple[bool, ...] = (True, True, True), near: float = 0.02) -> Observation:
    """Three tight bunches of ten contexts, far from each other; in some the model is torn."""
    rng = np.random.default_rng(0)
    x = np.repeat(np.eye(3, 8), 10, axis=0) + near * rng.standard_normal((30, 8))
    probs = np.repeat([TORN if t else SURE for t in torn], 10, axis=0).swapaxes(0, 1)
    return Observation(
        np.arange(30, dtype=np.uint64) + 100,
        embeddings=x.astype(np.float32),
        probs=probs.astype(np.float32),
    )


def part_of(pool: Observation, rows: np.ndarray) -> Observation:
    """Some rows of a made-up pool, in that order."""
    return Observation(
        pool.ids[rows], embeddings=pool.embeddings[rows], probs=pool.probs[:, rows].copy()
    )


def more(pool: Observation, **fields: object) -> Observation:
    """The same observation with some fields put in."""
    given = {**pool.__dict__, **fields}
    return Observation(given.pop("ids"), **given)


def bunches(pool: Observation, n: int, strategy: Hybrid | None = None, key: int = 1) -> list[int]:
    picks = (strategy or Hybrid()).choose([pool], n, key)
    return [int(i) // 10 for i in picks.index]


@pytest.mark.parametrize("strategy", [Hybrid(), Hybrid(landmarks=16, candidates=24)])
def test_conforms_exact_and_on_a_sample(strategy: Hybrid) -> None:
    check_strategy(strategy)


def test_a_sample_of_the_pool_does_not_depend_on_its_order_or_blocks() -> None:
    pool = make_pool(n=300)
    strategy = Hybrid(landmarks=32, candidates=40)
    order = np.random.default_rng(1).permutation(300)
    mixed = part(pool, order)
    blocks = [part(mixed, np.arange(0, 77)), part(mixed, np.arange(77, 300))]
    one = pool.ids[strategy.choose([pool], 12, 3).index]
    assert (one == mixed.ids[strategy.choose(blocks, 12, 3).index]).all()


def test_every_bunch_is_seen_before_one_is_seen_twice() -> None:
    assert sorted(bunches(corners(), 3)) == [0, 1, 2]


def test_where_the_model_is_sure_comes_last_but_stays_in_view() -> None:
    picked = bunches(corners(torn=(True, False, True), near=1e-3), 3)
    assert sorted(picked[:2]) == [0, 2]
    assert picked[2] == 1


def test_what_is_near_something_asked_waits() -> None:
    pool = corners()
    asked = np.eye(3, 8, dtype=np.float32)[:2]
    assert bunches(more(pool, asked=asked), 1) == [2]


def test_near_copies_do_not_fill_the_batch() -> None:
    pool = corners(near=1e-4)
    assert sorted(bunches(pool, 3)) == [0, 1, 2]


def test_the_pick_is_uncertain_itself_not_only_its_neighbours() -> None:
    pool = corners()
    pool.probs[:, 3] = SURE
    pool.embeddings[3] = pool.embeddings[:10].mean(axis=0)  # the middle of its bunch covers most
    assert 3 not in Hybrid().choose([pool], 6, 0).index


def test_what_no_answer_would_settle_is_not_asked() -> None:
    pool = corners()
    pool.probs[:, :10] = np.mean(TORN, axis=0)  # as uncertain, but both samples say the same
    assert sorted(bunches(pool, 2)) == [1, 2]
    assert reducible(pool)[0] < 0.01
    assert reducible(pool)[10] == pytest.approx(0.1277, abs=1e-3)
    alone = Observation(pool.ids, probs=pool.probs[:1])
    assert (reducible(alone) == 1.0).all(), "one sample cannot tell"


def test_the_gate_is_relative_to_the_highest_shares_of_the_pool() -> None:
    shares = np.array([0.4, 0.4, 0.4, 0.05, 0.0, np.nan])
    kept = [1.0, 1.0, 1.0, 0.25, 0.0, 0.0]  # (0.05 / (0.4 / 4)) ** 2
    assert gate(shares) == pytest.approx(kept)
    assert gate(shares / 100) == pytest.approx(kept)
    assert (gate(np.zeros(4)) == 1.0).all(), "where nothing is reducible, nothing stands out"


def test_before_the_first_answer_a_context_without_any_guess_is_not_the_best_one() -> None:
    level, flat = (0.5, 0.5, *[0.0] * 8), (0.1,) * 10
    pool = Observation(np.arange(2, dtype=np.uint64), probs=np.array([[level, flat]], np.float32))
    assert worth(pool) == pytest.approx([0.25, 0.09])
    asked = np.zeros((1, 3), np.float32)
    assert worth(more(pool, asked=asked)) == pytest.approx([1.0, 1.0]), "then the margin"


def test_what_nobody_can_answer_is_not_asked() -> None:
    likely = np.where(np.arange(30) < 10, 0.02, 0.9).astype(np.float32)
    assert bunches(more(corners(), answerable=likely), 2) in ([1, 2], [2, 1])


def test_the_floor_does_not_lift_what_nobody_can_answer() -> None:
    pool = corners(torn=(True, False, False), near=1e-3)
    likely = np.where(np.arange(30) < 20, 1.0, 0.0).astype(np.float32)
    assert bunches(more(pool, answerable=likely), 2) == [0, 1]
    assert 2 not in bunches(more(pool, answerable=likely), 15)


def test_of_two_equals_the_quicker_one_is_asked() -> None:
    seconds = np.where(np.arange(30) < 20, 30.0, 5.0).astype(np.float32)
    assert bunches(more(corners(), seconds=seconds), 1) == [2]


def test_numbers_instead_of_words_are_chosen_by_information() -> None:
    pool = corners()
    values = np.zeros((4, 30, 1), np.float32)
    values[:, 10:20, 0] = np.array([-3, -1, 1, 3])[:, None]
    numbers = Observation(
        pool.ids, embeddings=pool.embeddings, values=values, noise=np.ones(1, np.float32)
    )
    assert set(bunches(numbers, 4)) == {1}
    assert worth(numbers)[15] > worth(numbers)[0] == 0


def test_the_kernel_is_as_narrow_as_what_was_told_apart() -> None:
    x = np.eye(3, dtype=np.float32)
    assert kernel_width(x[:1]) == 1.0
    assert kernel_width(x) == pytest.approx(np.sqrt(2))
    assert kernel_width(np.concatenate([x, x])) == NARROWEST
    many = np.tile(np.eye(2, dtype=np.float32), (600, 1))
    assert kernel_width(many) == NARROWEST


def test_the_kernel_narrows_as_answers_come() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((1200, 8)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    few, many = kernel_width(x[:10]), kernel_width(x)
    assert few > 2 * many


def test_the_width_that_was_measured_is_the_one_that_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = make_pool(n=200, d=8)
    usual = Hybrid().choose([pool], 8, 0).scores
    monkeypatch.setattr(hybrid, "kernel_width", lambda asked: 5.0)
    assert (Hybrid().choose([pool], 8, 0).scores < usual / 2).all()


@pytest.mark.parametrize("scale", [1e-200, 1e200, 3.0])
def test_the_scale_of_the_worth_is_moot(scale: float) -> None:
    pool = make_pool(n=80)
    usual = Hybrid().choose([pool], 10, 0)
    scaled = Hybrid(worth=lambda o: scale * worth(o)).choose([pool], 10, 0)
    assert scaled.index.tolist() == usual.index.tolist()
    assert (scaled.scores < 1).all()


def test_an_infinite_worth_counts_as_the_largest_one() -> None:
    scores = np.array([4.0, np.inf, np.nan, -np.inf, 1.0])
    assert in_view(scores, np.zeros(5)).tolist() == [0.5, 0.5, 0, 0, 0.125]
    assert in_view(scores[1:2], np.zeros(1)).tolist() == [0.5]


def test_an_id_that_comes_twice_with_other_predictions_is_asked_once() -> None:
    twice = part_of(corners(), np.r_[0:30, 0:30])
    twice.probs[:, :30] = np.array(SURE)[:, None]  # the second one of each is the better one
    strategy = Hybrid(candidates=40)  # half by worth, half by the draw: they meet
    index = strategy.choose([twice], 30, 0).index
    assert len(index) == 30
    assert len(set(twice.ids[index])) == 30


def test_the_best_candidates_are_not_left_to_the_draw() -> None:
    pool = make_pool(n=400, k=3, s=2)
    pool.probs[:] = np.array(SURE)[:, None]
    pool.probs[:, 7] = TORN
    assert 7 in Hybrid(landmarks=400, candidates=8).choose([pool], 2, 0).index
