"""One exclusive timeline: whatever is entered, the parts add up."""

from __future__ import annotations

import pytest

from nightschool.timeline import LOADING, Timeline


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_an_inner_state_pauses_the_outer_one() -> None:
    clock = Clock()
    line = Timeline("night", clock=clock, now=lambda: 1000.0, born=997.0)
    with line.during("training"):
        clock.at += 5
        with line.during("loading"):
            clock.at += 2
        clock.at += 1
    clock.at += 4
    found = line.read()
    assert found.parts == {LOADING: 5.0, "training": 6.0, "other": 4.0}
    assert (found.began, found.wall, found.ended) == (997.0, 15.0, 1012.0)


def test_two_threads_share_the_moment_by_who_came_last() -> None:
    clock = Clock()
    line = Timeline("serve", state="waiting", clock=clock, now=lambda: 0.0)
    first, second = line.during("asking"), line.during("keeping")
    first.__enter__()
    clock.at += 1
    second.__enter__()
    clock.at += 2
    first.__exit__(None, None, None)  # leaves first, though it came first
    clock.at += 4
    second.__exit__(None, None, None)
    clock.at += 8
    assert line.read().parts == {"asking": 1.0, "keeping": 6.0, "waiting": 8.0}


def test_a_cut_slice_ends_where_the_next_begins() -> None:
    clock = Clock()
    line = Timeline("serve", clock=clock, now=lambda: 50.0)
    with line.during("asking"):
        clock.at += 3
        before = line.cut()
        clock.at += 2
    after = line.read()
    assert (before.parts, after.parts) == ({"asking": 3.0}, {"asking": 2.0})
    assert after.began == before.ended == 53.0
    assert before.id != after.id
    assert (before.open, after.open) == (False, True)


def test_a_state_is_left_when_its_block_fails() -> None:
    clock = Clock()
    line = Timeline("ask", clock=clock)
    with pytest.raises(OSError), line.during("asking"):
        raise OSError
    clock.at += 1
    assert line.read().parts["other"] == 1.0
