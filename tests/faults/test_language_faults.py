"""Kills with the real learner: the starter, taught for a few steps."""

from __future__ import annotations

import os
import random

import pytest

from nightschool.app.config import write_config
from nightschool.app.plans import WordsPlan

from .kills import NOW, fault_points, kill_and_resume, outcome
from .test_faults import check

QUICK = {
    "learner_settings.steps": 12,
    "learner_settings.passes": 1,
    "learner_settings.member_steps": 6,
    "learner_settings.checkpoint_steps": 4,
    "learner_settings.original": 40,
    "learner_settings.threads": 1,
}


@pytest.fixture(scope="module")
def starter(tmp_path_factory):
    """A starter school with a day of answers, and the outcome of its unbroken night."""
    from nightschool.app import School, parts
    from nightschool.loop import teach

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    folder = tmp_path_factory.mktemp("starter") / "school"
    plan = WordsPlan("hybrid", 5, answers=16, pool=120, sample=40, exam_file=30, hidden=1)
    plan.build(folder)
    write_config(folder, QUICK)
    with School.open(folder, clock=lambda: NOW - 86_400) as school:
        teach(school, parts.oracle("arithmetic"), 16)
    whole = folder.parent / "whole"
    points = fault_points(folder, whole)
    return folder, points, outcome(whole)


@pytest.mark.parametrize("point", ["fit.step:7", "fit.step:15", "keep.before"])
def test_three_kills_with_the_real_learner(starter, tmp_path, point):
    folder, _, unbroken = starter
    check(unbroken, kill_and_resume(folder, tmp_path / "s", [point]))
    assert len(unbroken.versions) == 2


@pytest.mark.soak
def test_soak_two_hundred_kills_with_the_real_learner(starter, tmp_path):
    folder, points, unbroken = starter
    rng = random.Random(7)
    for deaths in range(200):
        fault = f"fit.step:{rng.randint(1, 18)}" if rng.random() < 0.5 else rng.choice(points[:-1])
        check(unbroken, kill_and_resume(folder, tmp_path / "soak", [fault]))
        print(f"\r{deaths + 1} of 200 kills of the starter survived", end="", flush=True)
