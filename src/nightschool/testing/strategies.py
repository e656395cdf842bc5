"""The conformance suite of a strategy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nightschool.types import Observation, Picks, Strategy


def check_strategy(strategy: Strategy) -> None:
    """Every promise of a strategy, on pools made up from a seed."""
    _order_does_not_matter(strategy)
    _ties_do_not_depend_on_the_order(strategy)
    _never_twice(strategy)
    _fewer_than_asked(strategy)
    _empty(strategy)
    _same_key_same_picks(strategy)
    _broken_numbers(strategy)
    _one_class(strategy)
    _blocks_do_not_matter(strategy)


def make_pool(
    n: int = 60, d: int = 5, k: int = 4, s: int = 3, seed: int = 0, sharp: float = 2.0
) -> Observation:
    """A made-up observation with every field that a strategy may ask for."""
    rng = np.random.default_rng(seed)
    logits = sharp * rng.standard_normal((s, n, k))
    probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    target = np.exp(sharp * rng.standard_normal((s, 7, k)))
    return Observation(
        rng.choice(2**62, n, replace=False).astype(np.uint64),
        embeddings=rng.standard_normal((n, d)).astype(np.float32),
        probs=probs.astype(np.float32),
        values=rng.standard_normal((s, n, 2)).astype(np.float32),
        noise=np.ones(2, np.float32),
        asked=rng.standard_normal((6, d)).astype(np.float32),
        target_probs=(target / target.sum(axis=-1, keepdims=True)).astype(np.float32),
        groups=rng.integers(0, 3, n),
        seconds=np.ones(n, np.float32),
    )


def part(o: Observation, rows: Sequence[int] | np.ndarray) -> Observation:
    """Some rows of an observation, in that order."""
    rows = np.asarray(rows, dtype=np.int64)
    return Observation(
        o.ids[rows],
        embeddings=o.embeddings[rows],
        probs=o.probs[:, rows],
        values=o.values[:, rows],
        noise=o.noise,
        asked=o.asked,
        target_probs=o.target_probs,
        groups=o.groups[rows],
        seconds=o.seconds[rows],
    )


def _ids(pool: Observation, picks: Picks) -> list[int]:
    assert len(picks.index) == len(picks.scores), "one score for each pick"
    return [int(pool.ids[i]) for i in picks.index]


def _order_does_not_matter(strategy: Strategy) -> None:
    pool = make_pool()
    shuffled = part(pool, np.random.default_rng(1).permutation(len(pool)))
    one = _ids(pool, strategy.choose([pool], 10, 5))
    two = _ids(shuffled, strategy.choose([shuffled], 10, 5))
    assert one == two, "the order of the pool changed the picks; key random draws by id"


def _ties_do_not_depend_on_the_order(strategy: Strategy) -> None:
    pool = make_pool()
    pool.probs[:] = pool.probs[:, :1]
    pool.values[:] = pool.values[:, :1]
    shuffled = part(pool, np.random.default_rng(1).permutation(len(pool)))
    one = _ids(pool, strategy.choose([pool], 10, 5))
    two = _ids(shuffled, strategy.choose([shuffled], 10, 5))
    assert one == two, "equal scores were told apart by the order of the pool"


def _blocks_do_not_matter(strategy: Strategy) -> None:
    pool = make_pool()
    blocks = [part(pool, np.arange(0, 25)), part(pool, np.arange(25, 60))]
    one = _ids(pool, strategy.choose([pool], 10, 5))
    assert one == _ids(pool, strategy.choose(blocks, 10, 5)), "the blocks changed the picks"


def _never_twice(strategy: Strategy) -> None:
    pool = make_pool()
    doubled = part(pool, np.concatenate([np.arange(60), np.arange(60)]))
    picked = _ids(doubled, strategy.choose([doubled], 40, 3))
    assert len(picked) == 40, "fewer picks than asked for, though the pool has enough"
    assert len(set(picked)) == 40, "a context was picked twice"


def _fewer_than_asked(strategy: Strategy) -> None:
    pool = make_pool(n=7)
    assert len(set(_ids(pool, strategy.choose([pool], 20, 0)))) == 7, "a small pool is taken whole"
    assert len(strategy.choose([pool], 0, 0).index) == 0, "0 asked for, some picked"


def _empty(strategy: Strategy) -> None:
    assert len(strategy.choose([], 5, 0).index) == 0, "an empty pool gives no picks"


def _same_key_same_picks(strategy: Strategy) -> None:
    pool = make_pool()
    one, two = (strategy.choose([pool], 10, 9) for _ in range(2))
    assert _ids(pool, one) == _ids(pool, two), "the same key gave other picks"


def _broken_numbers(strategy: Strategy) -> None:
    pool = make_pool()
    pool.probs[:, :5] = np.nan
    pool.values[:, :5] = np.inf
    picked = _ids(pool, strategy.choose([pool], 10, 2))
    assert len(set(picked)) == 10, "predictions that are no numbers stopped the choice"
    pool.embeddings[3:7], pool.embeddings[7:10] = np.nan, np.inf
    pool.asked[0], pool.asked[1] = np.nan, -np.inf
    picked = _ids(pool, strategy.choose([pool], 60, 2))
    assert len(set(picked)) == 60, "embeddings that are no numbers stopped the choice"
    shuffled = part(pool, np.random.default_rng(1).permutation(len(pool)))
    again = _ids(shuffled, strategy.choose([shuffled], 60, 2))
    assert picked == again, "among embeddings that are no numbers, the pool's order changed picks"


def _one_class(strategy: Strategy) -> None:
    pool = make_pool(k=1)
    assert len(set(_ids(pool, strategy.choose([pool], 10, 2)))) == 10, "one class stops the choice"
