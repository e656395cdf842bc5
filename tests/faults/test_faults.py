"""A night killed anywhere ends as an unbroken one: one verdict, one champion, equal weights."""

from __future__ import annotations

import dataclasses
import random

import pytest

from nightschool.app import School
from nightschool.loop import teach
from tests.postgres import copy_school

from ..conftest import make_school, world
from .kills import NOW, Outcome, fault_points, kill_and_resume, night_in_child, outcome

AFTER_THE_END = "finish.after"
STEPS = ("curate", "seal", "fit", "examine", "keep", "choose", "post")


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A school with a day of answers after its first night, and the outcome of its second."""
    from nightschool.oracles import ScriptedOracle
    from nightschool.types import Context

    folder = make_school(tmp_path_factory.mktemp("faults") / "school")
    oracle = ScriptedOracle({Context.of(c).id: a for c, a, _ in world(300, 0)})
    with School.open(folder, clock=lambda: NOW - 86_400) as school:
        teach(school, oracle, 30)
        school.night()
        teach(school, oracle, 20)
    whole = folder.parent / "whole"
    points = fault_points(folder, whole)
    return folder, points, outcome(whole)


def check(unbroken: Outcome, resumed: Outcome) -> None:
    assert resumed.problems == ()
    assert resumed.leftovers == ()
    assert len(resumed.verdicts) == len({night for night, *_ in resumed.verdicts})
    assert len(resumed.examples) == len(set(resumed.examples)), "an example twice"
    assert resumed == unbroken


def test_every_step_boundary_is_a_fault_point(taught):
    _, points, whole = taught
    for step in STEPS:
        assert f"{step}.begin" in points
        assert f"{step}.end" in points
    assert len(whole.verdicts) == 2
    assert len(whole.versions) == 3


def test_a_night_killed_at_any_point_ends_as_an_unbroken_one(taught, tmp_path):
    folder, points, unbroken = taught
    assert points[-1] == AFTER_THE_END
    for number, point in enumerate(points[:-1]):
        resumed = kill_and_resume(folder, tmp_path / f"{number}", [point])
        check(unbroken, resumed)


def test_a_night_killed_after_its_end_is_over_and_the_next_one_tidies_up(taught, tmp_path):
    folder, _, unbroken = taught
    copy_school(folder, tmp_path / "s")
    assert night_in_child(tmp_path / "s", AFTER_THE_END) == -9
    over = outcome(tmp_path / "s")
    assert dataclasses.replace(over, leftovers=()) == unbroken
    assert night_in_child(tmp_path / "s", None) == 0
    after = outcome(tmp_path / "s")
    assert [night for night, *_ in after.verdicts] == [1, 2, 3]
    assert after.leftovers == ()


def test_a_night_killed_again_and_again_still_ends(taught, tmp_path):
    folder, _, unbroken = taught
    deaths = ["fit.step:5", "fit.step:20", "fit.step:20", "keep.before", "post.inside"]
    check(unbroken, kill_and_resume(folder, tmp_path / "again", deaths))


def test_answers_kept_during_a_broken_night_are_learned_right_after_it(taught, tmp_path, oracle):
    folder, _, unbroken = taught
    copy_school(folder, tmp_path / "s")
    assert night_in_child(tmp_path / "s", "fit.step:3") == -9
    with School.open(tmp_path / "s", clock=lambda: NOW) as school:
        assert teach(school, oracle, 5) == 5
    assert night_in_child(tmp_path / "s", None) == 0
    after = outcome(tmp_path / "s")
    assert after.versions[: len(unbroken.versions)] == unbroken.versions
    assert [night for night, *_ in after.verdicts] == [1, 2, 3]
    assert len(after.answers) == len(unbroken.answers) + 5
    assert len(after.examples) > len(unbroken.examples)


@pytest.mark.soak
def test_soak_two_hundred_kills(taught, tmp_path):
    folder, points, unbroken = taught
    rng = random.Random(20261124)
    deaths = 0
    while deaths < 200:
        steps = (
            [f"fit.step:{rng.randint(1, 60)}"] if rng.random() < 0.4 else [rng.choice(points[:-1])]
        )
        check(unbroken, kill_and_resume(folder, tmp_path / "soak", steps))
        deaths += 1
        print(f"\r{deaths} of 200 kills of the NumPy learner survived", end="", flush=True)
