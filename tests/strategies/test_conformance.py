"""Every strategy that comes in by the door of strategies keeps all promises of one."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

from nightschool.strategies import K_CENTER, MARGIN, RANDOM
from nightschool.testing import check_strategy
from nightschool.testing.strategies import make_pool, part, without
from nightschool.types import Observation, ObservationError, Picks

FOUND = {e.name: e for e in entry_points(group="nightschool.strategies")}


@pytest.mark.parametrize("name", sorted(FOUND))
def test_conformance(name):
    with np.errstate(all="warn"):
        check_strategy(FOUND[name].load())


def test_the_known_strategies_are_found():
    named = "random least_confidence margin entropy bald epig badge k_center typiclust max_herding"
    assert {*named.split(), "falcun", "hybrid"} <= set(FOUND)


def _first(scores):
    """A strategy from one function of the whole pool that gives scores."""

    class Breaks:
        def choose(self, blocks, n, key):
            blocks = list(blocks)
            if n <= 0 or not sum(map(len, blocks)):
                return Picks(np.empty(0, np.int64), np.empty(0))
            ids = np.concatenate([b.ids for b in blocks])
            first = np.unique(ids, return_index=True)[1]
            order = first[np.argsort(-scores(blocks)[first], kind="stable")][:n]
            return Picks(order, np.zeros(len(order)))

    return Breaks()


def _positions(blocks):
    return np.arange(sum(map(len, blocks)))


def _numbers(blocks):
    return np.nan_to_num(np.concatenate([b.probs.max(axis=(0, 2)) for b in blocks]), posinf=0)


def _widths(blocks):
    return np.concatenate([np.full(len(b), b.probs.shape[2]) for b in blocks]) + _numbers(blocks)


def _writes(blocks):
    for b in blocks:
        b.probs[:] = b.probs * 1
    return _numbers(blocks)


def _needs_asked(blocks):
    return _numbers(blocks) + blocks[0].asked[0, 0] * 0


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (_positions, "order of the pool"),
        (_widths, "classes that a block does not have"),
        (_writes, "read-only"),
        (_needs_asked, "`asked`"),
    ],
)
def test_the_suite_sees(scores, says):
    """A strategy that breaks one promise is told so."""
    with pytest.raises((AssertionError, ValueError, ObservationError), match=says):
        check_strategy(_first(scores))


class _Short:
    """Stops at contexts that look like one it chose."""

    def choose(self, blocks, n, key):
        pool = K_CENTER.choose(blocks, n, key)
        new = (pool.scores > 0) | (np.arange(len(pool.scores)) == 0)
        return Picks(pool.index[new], pool.scores[new])


def test_the_suite_sees_contexts_left_out_because_they_look_the_same():
    with pytest.raises(AssertionError):
        check_strategy(_Short())


def test_a_strategy_that_needs_blocks_to_be_a_list_is_seen():
    class Needs:
        def choose(self, blocks, n, key):
            return RANDOM.choose(blocks[:], n, key)

    with pytest.raises(TypeError):
        check_strategy(Needs())


def test_a_part_keeps_every_field_and_without_drops_them():
    pool = make_pool(n=9)
    few = part(pool, [4, 2])
    assert few.answerable.tolist() == pool.answerable[[4, 2]].tolist()
    assert few.values.shape[1] == 2
    assert without(few, "asked").has("answerable")
    assert not without(few, "asked").has("asked")


def test_the_same_ids_in_several_blocks_are_asked_once_each():
    pool = Observation(np.arange(5, dtype=np.uint64), probs=np.full((2, 5, 2), 0.5, np.float32))
    picks = MARGIN.choose([pool, pool, pool], 4, 0)
    assert len({int(i) % 5 for i in picks.index}) == 4


def test_the_page_names_every_strategy():
    page = (Path(__file__).parents[2] / "docs/strategies.md").read_text()
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert rows == {
        name for name, entry in FOUND.items() if entry.module == "nightschool.strategies"
    }
