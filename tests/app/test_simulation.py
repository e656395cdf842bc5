from __future__ import annotations

import json

import pytest

from nightschool.app import School, simulation
from nightschool.app.simulation import (
    DAY,
    Accuracies,
    Clock,
    Task,
    as_item,
    asked_by_group,
    mornings,
)
from nightschool.loop import teach
from nightschool.types import Context, Decision

from ..conftest import make_school, world

TASK = Task("random", 1, nights=2, answers=15)


@pytest.fixture
def hidden():
    """An exam that no school has seen: the last of the world's rows."""
    return [as_item(c, a, g) for c, a, g in world(300, 0)[-30:]]


def test_a_clock_stands_still_until_a_day_ends():
    clock = Clock(5.0)
    assert clock() == clock() == 5.0
    clock.next_day()
    assert clock() == 5.0 + DAY


def test_accuracies_are_shares_by_skill_and_each_version_sits_once(
    school_folder, hidden, monkeypatch
):
    with School.open(school_folder) as school:
        accuracies = Accuracies(school, hidden)
        version = school.champion()
        found = accuracies.of(version)
        said = school.learner(version).predict([Context(i.context) for i in hidden])
        right = [d.body == i.accepted[0].body for d, i in zip(said, hidden, strict=True)]
        assert found["all"] == pytest.approx(sum(right) / len(right))
        assert set(found) == {"all", *(i.group for i in hidden)}
        for group in found.keys() - {"all"}:
            own = [r for r, i in zip(right, hidden, strict=True) if i.group == group]
            assert found[group] == pytest.approx(sum(own) / len(own))

        monkeypatch.setattr(school, "learner", lambda _: pytest.fail("it sat twice"))
        assert accuracies.of(version) == found


def test_asked_contexts_are_counted_by_skill(school_folder, oracle):
    with School.open(school_folder) as school:
        assert asked_by_group(school) == {}
        teach(school, oracle, 20)
        counts = asked_by_group(school)
    assert sum(counts.values()) == 20
    assert list(counts) == sorted(counts)
    assert set(counts) <= {g for _, _, g in world(300, 0)}


def test_mornings_follow_days_of_answers(school_folder, oracle, hidden):
    clock, told = Clock(1_000_000.0), []
    with School.open(school_folder, clock=clock) as school:
        seen = list(mornings(school, clock, oracle, TASK, hidden, lambda *a: told.append(a)))
    assert [m.night for m in seen] == [1, 2, 3]
    assert [m.answers for m in seen] == [0, 15, 30]
    assert [sum(m.asked.values()) for m in seen] == [0, 15, 30]
    assert clock() == 1_000_000.0 + 3 * DAY
    assert seen[0].verdict.decision is Decision.KEEP
    assert seen[-1].trainee["all"] > seen[0].trainee["all"]
    assert all(m.spans for m in seen)
    assert told == [("night", day, 2) for day in range(3)]


def test_a_simulated_school_writes_its_mornings_as_lines(tmp_path, oracle, hidden, monkeypatch):
    def build(folder, task):
        make_school(folder)
        return hidden

    monkeypatch.setattr(simulation, "build_school", build)
    monkeypatch.setattr(simulation.parts, "oracle", lambda name: oracle)
    path = simulation.run_to_file(tmp_path / "school", TASK, tmp_path / "mornings.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["answers"] for row in rows] == [0, 15, 30]
    assert all(0 <= row["trainee"]["all"] <= 1 for row in rows)
