"""The last 24 hours: exclusive over all processes, and as long as 24 hours."""

from __future__ import annotations

import random
from dataclasses import asdict, replace

import pytest

from nightschool.app.morning.day import day, merged
from nightschool.timeline import Slice
from nightschool.web.report import cut as view_of_day

HOUR = 3600.0
DAY = 24 * HOUR


def a_slice(process: str, began: float, **parts: float) -> Slice:
    return Slice(f"{process}{began}", process, 0, began, sum(parts.values()), parts)


def test_no_process_is_idle_and_a_night_goes_before_the_server() -> None:
    serve = a_slice("serve", 22 * HOUR, waiting=1.9 * HOUR, asking=0.1 * HOUR)
    night = a_slice("night", 23 * HOUR, training=0.5 * HOUR, loading=0.5 * HOUR)
    parts = day([serve, night], [], until=DAY).parts
    assert parts == pytest.approx(
        {
            "idle": 22 * HOUR,
            "waiting": 0.95 * HOUR,
            "asking": 0.05 * HOUR,
            "training": 0.5 * HOUR,
            "loading": 0.5 * HOUR,
        }
    )


def test_a_process_that_was_killed_is_counted_and_its_unknown_end_is_idle() -> None:
    killed = replace(a_slice("night", 0.0, training=HOUR), open=True)
    again = replace(a_slice("night", DAY - HOUR, training=HOUR), open=True)  # it lives
    found = day([killed, again, a_slice("ask", HOUR, waiting=HOUR)], [], until=DAY)
    assert found.cut == 1
    assert found.parts == pytest.approx({"training": 2 * HOUR, "waiting": HOUR, "idle": 21 * HOUR})
    told = view_of_day(asdict(found))
    assert told[0].startswith("1 killed within 24 hours")
    assert view_of_day(asdict(replace(found, cut=0))) == []


def test_people_who_answer_at_once_take_the_time_once() -> None:
    serve = a_slice("serve", 0.0, waiting=DAY)
    spells = [(100.0, 160.0), (130.0, 190.0), (500.0, 510.0)]
    parts = day([serve], spells, until=DAY).parts
    assert parts == pytest.approx({"answering": 100.0, "waiting": DAY - 100.0})
    assert merged([(5.0, 5.0), (1.0, 2.0), (1.5, 3.0)]).tolist() == [[1.0, 3.0]]
    assert merged([]).shape == (0, 2)
    assert merged([(4.0, 5.0), (0.0, 9.0), (9.5, 9.6)]).tolist() == [[0.0, 9.0], [9.5, 9.6]]


def test_only_what_lies_within_the_day_counts() -> None:
    serve = a_slice("serve", -HOUR, waiting=2 * HOUR)
    parts = day([serve], [(-600.0, 300.0)], until=DAY).parts
    assert parts["answering"] == pytest.approx(300.0)
    assert parts["waiting"] == pytest.approx(HOUR - 300.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_add_up_to_the_day(seed: int) -> None:
    rng = random.Random(seed)
    slices = [
        a_slice(
            rng.choice(["serve", "night", "teach", "ask"]),
            rng.uniform(-HOUR, DAY),
            waiting=rng.uniform(0, HOUR),
            asking=rng.uniform(0, HOUR),
            training=rng.uniform(0, HOUR),
        )
        for _ in range(20)
    ]
    spells = [(at, at + rng.uniform(0, 60)) for at in (rng.uniform(0, DAY) for _ in range(50))]
    found = day(slices, spells, until=DAY)
    assert sum(found.parts.values()) == pytest.approx(DAY)
    assert min(found.parts.values()) >= 0.0
