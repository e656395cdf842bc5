from __future__ import annotations

import json

import pytest

from nightschool.app import School
from nightschool.app.plans.words import Hidden, as_item
from nightschool.app.simulation import DAY, Clock, asked_by_group, mornings, run_to_file
from nightschool.loop import teach
from nightschool.types import Context, Decision, Partition

from ..conftest import make_school, world


class Plan:
    """Two nights of the NumPy learner in the world of the tests."""

    nights, answers = 2, 15

    def __init__(self, oracle, hidden=()):
        self._oracle, self._hidden = oracle, hidden

    def build(self, folder, progress=None):
        make_school(folder)
        return Hidden(self._hidden)

    def oracle(self, school):
        return self._oracle


@pytest.fixture
def hidden():
    """An exam that no school has seen: the last of the world's rows."""
    return [as_item(c, a, g) for c, a, g in world(300, 0)[-30:]]


def test_a_clock_stands_still_until_a_day_ends():
    clock = Clock(5.0)
    assert clock() == clock() == 5.0
    clock.next_day()
    assert clock() == 5.0 + DAY


def test_accuracies_are_shares_by_skill(school_folder, hidden):
    with School.open(school_folder) as school:
        version = school.champion()
        found = Hidden(hidden)(school, version)
        said = school.learner(version).predict([Context(i.context) for i in hidden])
        right = [d.body == i.accepted[0].body for d, i in zip(said, hidden, strict=True)]
        assert found["all"] == pytest.approx(sum(right) / len(right))
        assert set(found) == {"all", *(i.group for i in hidden)}
        for group in found.keys() - {"all"}:
            own = [r for r, i in zip(right, hidden, strict=True) if i.group == group]
            assert found[group] == pytest.approx(sum(own) / len(own))


def test_asked_contexts_are_counted_by_skill(school_folder, oracle):
    with School.open(school_folder) as school:
        assert asked_by_group(school) == {}
        teach(school, oracle, 20)
        counts = asked_by_group(school)
    assert sum(counts.values()) == 20
    assert list(counts) == sorted(counts)
    assert set(counts) <= {g for _, _, g in world(300, 0)}


def test_mornings_follow_days_of_answers_and_each_version_is_measured_once(
    school_folder, oracle, hidden
):
    clock, measured = Clock(1_000_000.0), []

    def measure(school, version):
        measured.append(version.id)
        return Hidden(hidden)(school, version)

    with School.open(school_folder, clock=clock) as school:
        seen = list(mornings(school, clock, Plan(oracle), measure))
        trained = [a.question for a in school.warehouse.answered(Partition.TRAINING)]
        chosen = [sum(q.night <= night for q in trained) for night in (1, 2)]
    assert [m.night for m in seen] == [1, 2, 3]
    assert [m.answers for m in seen] == [0, 15, 30]
    assert [sum(m.asked.values()) for m in seen] == [0, 15, 30]
    assert [sum(m.chosen.values()) for m in seen] == [0, *chosen]
    assert 0 < chosen[0] < 15, "the exam's draws are counted apart"
    assert clock() == 1_000_000.0 + 3 * DAY
    assert seen[0].verdict.decision is Decision.KEEP
    assert seen[-1].trainee["all"] > seen[0].trainee["all"]
    assert all(m.spans for m in seen)
    assert measured == ["v0", "v1", "v2"]


def test_a_simulated_school_writes_its_mornings_as_lines(tmp_path, oracle, hidden):
    path = run_to_file(tmp_path / "school", Plan(oracle, hidden), tmp_path / "mornings.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["answers"] for row in rows] == [0, 15, 30]
    assert all(0 <= row["trainee"]["all"] <= 1 for row in rows)
