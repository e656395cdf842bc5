"""`teach`, `init --task` and the two other demos, with the stranger's quick spring."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from nightschool.app.plans import ControlPlan, DrawingPlan
from nightschool.app.plans import control as control_plan
from nightschool.app.plans import drawing as drawing_plan
from nightschool.app.tasks import drawing as drawing_task
from nightschool.cli import demo, main
from nightschool.cli.shows import artist as artist_show
from nightschool.cli.shows import robot as robot_show
from nightschool.starter import artist

from ..stranger.lab import FAST, install, make_spring_school
from .test_demo import check_picture


@pytest.fixture(autouse=True)
def installed(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path)
    for name in demo.THREADS:
        monkeypatch.setenv(name, "1")


def run(*args, code=0):
    result = CliRunner().invoke(main, [str(a) for a in args], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def test_init_makes_a_school_of_control_and_its_system_teaches_it(tmp_path):
    pairs = [f"learner_settings.{key}={value}" for key, value in FAST.items()]
    options = [part for pair in (*pairs, "questions=2") for part in ("--set", pair)]
    told = run("init", tmp_path / "s", "--task", "control", "--env", "spring", *options)
    assert "2 trajectories under white noise" in told
    assert "Its exam holds" in told
    assert "nightschool teach --nights" in told
    told = run("--school", tmp_path / "s", "teach", "--nights", 2)
    assert told.count("Questions put to system: 2 (2 answer).") == 2
    assert "Night 1:" in told
    assert "Night 2:" in told
    told = run("--school", tmp_path / "s", "teach", "--limit", 1)
    assert "Questions put to system: 1 (1 answer)." in told
    told = run("--school", tmp_path / "s", "exam")
    assert "prediction" in told
    assert "return" in told


def test_why_a_question_was_refused_is_told(tmp_path):
    folder = make_spring_school(tmp_path / "s", questions=1, written=0)
    run("--school", folder, "night")
    run("--school", folder, "config", "oracle_settings.person", "x" * 3)
    from nightschool.app import School

    with School.open(folder) as school:
        school.system.spec = school.system.spec.__class__(
            **{**school.system.spec.__dict__, "high": (0.001,), "low": (-0.001,)}
        )
        from nightschool.loop import teach

        assert teach(school, school.oracle, 1) == 1
        [answer] = school.warehouse.answers()
        assert answer.person == "xxx"
        assert "force" in answer.note
        assert "limits" in answer.note


def test_a_demo_may_still_choose_its_threads():
    code = "import sys, nightschool.cli.demo, nightschool.cli.teach; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False", "torch has chosen its threads before the demo could"


def test_where_people_answer_teach_says_so(school_folder):
    assert "people answer" in run("--school", school_folder, "teach", code=1)


def test_the_robots_demo_ends_with_a_picture(tmp_path, monkeypatch):
    small = functools.partial(ControlPlan, system="spring", written=8)
    monkeypatch.setattr(robot_show, "ControlPlan", small)
    begin = control_plan.init_school

    def quick(folder, task, *, settings, **options):
        begin(folder, task, settings={**settings, "learner_settings": FAST}, **options)

    monkeypatch.setattr(control_plan, "init_school", quick)
    args = ("--folder", tmp_path / "d", "--nights", 2, "--answers", 2, "--no-twin")
    told = run("demo", "--teacher", "robot", *args)
    assert "spring: 2 coordinates, 1 actions" in told
    assert told.count("hidden exam: return") == 3
    assert "After 4 experiments: return" in told
    check_picture(tmp_path / "d" / "trajectories.png")
    assert json.loads((tmp_path / "d" / "demo.json").read_text())["teacher"] == "robot"


def test_the_artists_demo_ends_with_a_grid_of_samples(tmp_path, monkeypatch):
    some = ("a seven", "a big seven", "two threes", "a turned one", "a five at the top left")
    for name, value in {"REFERENCES": 9, "HELD_OUT": 1, "ORIGINALS": 3}.items():
        monkeypatch.setattr(drawing_task, name, value)
    monkeypatch.setattr(artist, "captions", lambda: some)
    monkeypatch.setattr(artist, "apart", lambda: ())
    monkeypatch.setattr(artist, "unknown", lambda: some[3:])
    monkeypatch.setattr(artist_show, "SHOWN", 2)
    few = functools.partial(drawing_plan.HiddenDrawings, references=9)
    monkeypatch.setattr(drawing_plan, "HiddenDrawings", few)
    begin = drawing_plan.init_school
    learner = {"steps": 6, "passes": 1, "original": 32, "euler": 2, "directions": 2}

    def quick(folder, task, *, settings, **options):
        begin(folder, task, settings={**settings, "learner_settings": learner}, **options)

    monkeypatch.setattr(drawing_plan, "init_school", quick)
    assert DrawingPlan is artist_show.DrawingPlan
    args = ("--folder", tmp_path / "d", "--nights", 1, "--answers", 3, "--no-twin")
    told = run("demo", "--teacher", "artist", *args)
    assert told.count("hidden exam: recognised: unknown captions") == 2
    assert "After 3 drawings" in told
    check_picture(tmp_path / "d" / "drawings.png")


def test_captions_are_brought_to_a_school_that_draws(tmp_path, monkeypatch):
    for name, value in {"REFERENCES": 0, "HELD_OUT": 1, "ORIGINALS": 1}.items():
        monkeypatch.setattr(drawing_task, name, value)
    (tmp_path / "captions.txt").write_text("a cat\n")
    (tmp_path / "more.txt").write_text("a dog\na cat\n")
    captions = ("--captions", tmp_path / "captions.txt")
    told = run("init", tmp_path / "s", "--task", "drawing", *captions, "--set", "sheets=3")
    assert "nightschool night && nightschool serve" in told
    told = run("--school", tmp_path / "s", "pool", "add", tmp_path / "more.txt")
    assert "3 contexts added" in told
    assert "3 known before" in told
