"""The conformance suite of a strategy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

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
    _blocks_are_only_read(strategy)
    _duplicates(strategy)
    _many_classes_in_blocks(strategy)
    _whatever_the_learner_left_out(strategy)


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
        seconds=rng.uniform(1, 9, n).astype(np.float32),
        answerable=rng.uniform(0.2, 1, n).astype(np.float32),
    )


_BY_ROW = ("embeddings", "groups", "seconds", "answerable")
_BY_SAMPLE_AND_ROW = ("probs", "values")


def part(o: Observation, rows: Sequence[int] | np.ndarray) -> Observation:
    """Some rows of an observation, in that order."""
    rows = np.asarray(rows, dtype=np.int64)
    given = {f.name: getattr(o, f.name) for f in fields(o) if o.has(f.name) and f.name != "ids"}
    given |= {name: given[name][rows] for name in _BY_ROW if name in given}
    given |= {name: given[name][:, rows] for name in _BY_SAMPLE_AND_ROW if name in given}
    return Observation(o.ids[rows], **given)


def without(o: Observation, *names: str) -> Observation:
    """An observation of a learner that does not give those fields."""
    given = {f.name: getattr(o, f.name) for f in fields(o) if o.has(f.name)}
    return Observation(**{k: v for k, v in given.items() if k not in names})


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
    nothing = part(make_pool(), [])
    assert len(strategy.choose([nothing], 5, 0).index) == 0, "an empty block gives no picks"


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
    pool.probs[:, 10:12], pool.probs[1, 12:14] = np.inf, -np.inf
    pool.target_probs[0, 0] = np.nan
    for field in (pool.seconds, pool.answerable):
        field[0:3], field[3:6], field[6:9] = np.nan, np.inf, -np.inf
    pool.seconds[9:12] = 0
    pool.seconds[14:26:2] = np.nan, np.inf, 0, -1, -np.inf, np.nan  # all else is sound there
    picked = _ids(pool, strategy.choose([pool], 60, 2))
    assert len(set(picked)) == 60, "embeddings that are no numbers stopped the choice"
    shuffled = part(pool, np.random.default_rng(1).permutation(len(pool)))
    again = _ids(shuffled, strategy.choose([shuffled], 60, 2))
    assert picked == again, "among embeddings that are no numbers, the pool's order changed picks"
    slow = np.argsort(pool.seconds)  # so that bad numbers come in a quick block and a slow one
    sorted_pool, halves = part(pool, slow), [part(pool, slow[:30]), part(pool, slow[30:])]
    again = _ids(sorted_pool, strategy.choose(halves, 60, 2))
    assert picked == again, "among numbers that are none, the blocks changed the picks"
    for field in (pool.probs, pool.values, pool.embeddings, pool.asked, pool.target_probs):
        field[:] = np.nan
    picked = _ids(pool, strategy.choose([pool], 10, 2))
    assert len(set(picked)) == 10, "with nothing but broken numbers, any contexts will do"


def _one_class(strategy: Strategy) -> None:
    pool = make_pool(k=1)
    assert len(set(_ids(pool, strategy.choose([pool], 10, 2)))) == 10, "one class stops the choice"


@dataclass(frozen=True)
class _Reread:
    """Blocks that can be read again and do nothing else, as a pool on disk is."""

    blocks: list[Observation]

    def __iter__(self) -> Iterator[Observation]:
        return iter(self.blocks)


def _blocks_are_only_read(strategy: Strategy) -> None:
    pool = make_pool()
    halves = [part(pool, np.arange(30)), part(pool, []), part(pool, np.arange(30, 60))]
    for half in halves:
        for field in fields(half):
            getattr(half, field.name).setflags(write=False)
    one = _ids(pool, strategy.choose([pool], 10, 5))
    two = _ids(pool, strategy.choose(_Reread(halves), 10, 5))
    assert one == two, "read-only blocks, one of them empty, changed the picks"
    assert len(strategy.choose(_Reread([]), 5, 0).index) == 0, "an empty pool gives no picks"


def _duplicates(strategy: Strategy) -> None:
    pool = part(make_pool(n=12), np.repeat(np.arange(12), 5))
    pool = Observation(**{**vars(pool), "ids": make_pool().ids})
    picked = _ids(pool, strategy.choose([pool], 30, 4))
    assert len(set(picked)) == 30, "contexts that look the same, of different ids, are all allowed"
    shuffled = part(pool, np.random.default_rng(2).permutation(60))
    again = _ids(shuffled, strategy.choose([shuffled], 30, 4))
    assert picked == again, "among contexts that look the same, the pool's order changed the picks"


def _many_classes_in_blocks(strategy: Strategy) -> None:
    pool = make_pool(k=300)
    pool.probs[:, :25, 200:] = 0
    few, many = part(pool, np.arange(25)), part(pool, np.arange(25, 60))
    narrow = Observation(**{**vars(few), "probs": few.probs[:, :, :200]})
    one = _ids(pool, strategy.choose([pool], 10, 5))
    two = _ids(pool, strategy.choose([narrow, many], 10, 5))
    assert one == two, "classes that a block does not have must count as probability 0"


def _whatever_the_learner_left_out(strategy: Strategy) -> None:
    spare = ("asked", "target_probs", "groups", "seconds", "answerable")
    bare = without(make_pool(), *spare)
    picked = _ids(bare, strategy.choose([bare], 10, 5))
    assert len(set(picked)) == 10, f"a strategy must do without {', '.join(spare)}"
