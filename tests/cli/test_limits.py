from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from nightschool.app import School
from nightschool.cli import main
from nightschool.loop import teach
from nightschool.oracles import ScriptedOracle
from nightschool.types import Context

from ..conftest import make_school, world
from .test_cli import ok, refused


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    folder = make_school(tmp_path_factory.mktemp("limits") / "school", questions=16)
    oracle = ScriptedOracle({Context.of(c).id: a for c, a, _ in world(300, 0)})
    with School.open(folder) as school:
        for _ in range(3):
            teach(school, oracle, 16)
            school.night()
    return folder


def test_the_report_says_where_it_stands_what_comes_and_what_it_does_not_know(taught):
    said = ok("limits", folder=taught)
    assert "answers: exam" in said
    assert said.count("Forecast") == 5
    assert "intervals hold 90 %" in said
    assert "Target      90 % needs" in said
    assert "Advice" in said
    assert said.count("Not known") == 5  # few exams, stability, twin, larger, bound
    assert "not computable" in said


def test_what_is_measured_is_no_longer_unknown(taught):
    wanted = ("--stability", "--twin", "--larger", "steps=5", "--hypotheses", "40", "--kinds", "5")
    said = ok("limits", *wanted, folder=taught)
    assert said.count("Not known") == 1
    assert "Bound       3 or more answers tell 40 hypotheses (5.32 bits) apart" in said
    assert "noise is not measured" in said
    assert "taken to be without noise" in said
    assert "Lead        after" in said
    assert "Recipe      steps=5" in said
    assert "more than the present recipe" in said


def test_as_json_it_holds_the_same(taught):
    found = json.loads(ok("limits", "--json", "--target", "0.5", "--twin", folder=taught))
    assert len(found["points"]) == 3
    assert [night["nights"] for night in found["ahead"]] == [1, 2, 3, 4, 5]
    assert found["target"] == 0.5
    assert found["lead"]["answers"] > 0
    assert found["bound"] is None


@pytest.mark.parametrize("option", [("--kinds", "3"), ("--error", "0.1"), ("--noise", "0.1")])
def test_what_only_the_bound_reads_is_not_ignored_without_it(taught, option):
    found = CliRunner().invoke(main, ["--school", str(taught), "limits", *option])
    assert found.exit_code == 2
    assert f"{option[0]} goes only with --hypotheses" in found.output


def test_a_mistake_is_named_with_its_cure(taught):
    assert "--kinds" in refused("limits", "--hypotheses", "40", folder=taught)
    assert "target is 2" in refused("limits", "--target", "2", folder=taught)
    assert "no_such" in refused("limits", "--larger", "no_such=1", folder=taught)
