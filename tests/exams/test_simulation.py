"""A few simulated years with fixed seeds: the benchmark's own code, at a small setting."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import gate
    finally:
        sys.path.remove(str(BENCHMARKS))
    return gate


def rows(bench: ModuleType, name: str, years: int, **world: object) -> dict[str, dict[str, float]]:
    made = bench.many_years(name, bench.World(**world), bench.PRESETS, years, (7,))
    return {row["preset"]: row for row in made}


def test_a_worse_trainee_hardly_ever_serves(bench: ModuleType) -> None:
    got = rows(bench, "a point worse", 30)
    assert got["balanced"]["harmful %"] <= 5.0
    assert got["strict"]["not better %"] <= 5.0


def test_an_equal_trainee_does_not_pass_for_better(bench: ModuleType) -> None:
    assert rows(bench, "equal", 15)["strict"]["not better %"] <= 7.0


def test_a_learning_trainee_soon_serves(bench: ModuleType) -> None:
    got = rows(bench, "ten nights", 25, nights=10, a_night=5.0)
    assert got["balanced"]["last night"] < 3.0
    assert got["balanced"]["behind"] < got["strict"]["behind"]


def test_a_school_without_a_file_catches_up_within_the_year(bench: ModuleType) -> None:
    got = rows(bench, "learning", 10, file=0)
    assert got["balanced"]["last night"] < 3.0


def test_a_champion_put_there_by_hand_is_rolled_back(bench: ModuleType) -> None:
    got = rows(bench, "fallen", 10)
    assert got["balanced"]["rolled back"] >= 0.9


def test_without_a_growing_level_the_simulation_sees_the_harm(bench: ModuleType) -> None:
    # the simulation must be able to fail: a flat 50 % every night lets worse models through
    careless = bench.FlatRule(margin=0.01, budget=0.5, renews=True, growth=1e-9, every=1, flat=0.5)
    world = bench.World(churn=0.15, whim=0.5)
    (row,) = bench.many_years("a point worse", world, {"careless": careless}, 10, (7,))
    assert row["harmful %"] > 20.0
    assert replace(careless, flat=0.01).level(0, []) == 0.01
