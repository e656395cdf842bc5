from __future__ import annotations

import csv
import json
import re
import shlex
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from nightschool.app import simulations
from nightschool.app.plans import AdjustedPlan, ControlPlan, DrawingPlan, WordsPlan
from nightschool.cli import main
from nightschool.cli.commands.night import simulate
from nightschool.cli.request import Request
from nightschool.cli.simulate import command_line
from nightschool.types import ConfigError

from ..conftest import world

QUICK = ["--learner", "bagofwords", "--set", "learner_settings.steps=20"]


class Here:
    """An executor that does everything at once, in this process."""

    def submit(self, work, *args):
        future = Future()
        try:
            future.set_result(work(*args))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    @contextmanager
    def leashed(processes):
        yield Here()

    monkeypatch.setattr(simulations, "leashed", leashed)


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "colours.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("context", "answer"), *((c, a) for c, a, _ in world(60, 0))])
    return path


def run(*args):
    return CliRunner().invoke(main, ["simulate", *map(str, args)])


def test_own_data_from_the_command_to_the_tables_and_on_with_more_seeds(data, tmp_path):
    out = tmp_path / "out"
    args = ["--data", data, *QUICK, "--strategies", "random,bald", "--nights", 1, "--answers", 6]
    args += ["--target", 0.2, "--out", out]
    first = run(*args, "--seeds", 1)
    assert first.exit_code == 0, first.output
    command, *_ = first.output.split("\n")
    assert (out / "command.txt").read_text().strip() == command.removeprefix("$ ")
    for title in ("Learning curves", "Reached", "Answers needed", "Minus random, paired by seed"):
        assert title in first.output
    assert "to 20.0" in first.output
    (time,) = re.findall(r"^Time: ([\d.]+) s \((.*)\)\.$", first.output, re.MULTILINE)
    parts = [float(each) for each in re.findall(r"[\d.]+", time[1])]
    assert sum(parts) == pytest.approx(float(time[0]), abs=0.05 * (len(parts) + 1))
    assert "simulating" in time[1]
    names = {"curves.csv", "runs.csv", "summary.csv", "paired.csv", "curves.png"}
    assert names <= {f.name for f in out.iterdir()}
    kept = (out / "runs" / "random-1.jsonl").stat().st_mtime_ns
    second = run(*args, "--seeds", 2)
    assert "2 seeds (1 to 2)" in second.output
    assert (out / "runs" / "random-1.jsonl").stat().st_mtime_ns == kept
    alone = run(*args, "--seeds", 3, "--report-only")  # the third is not there: it is left out
    assert "2 seeds (1 to 2)" in alone.output
    assert not (out / "runs" / "random-3.jsonl").exists()
    shown = [line for line in second.output.split("\n")[1:] if line.startswith("│ bald")]
    assert shown == [line for line in alone.output.split("\n") if line.startswith("│ bald")]
    other = run(*args, "--answers", 7)
    assert other.exit_code == 1
    assert "answers was 6, is now 7" in other.output


def test_a_strategy_that_needs_more_than_the_learner_gives_fails_at_once(data, tmp_path):
    found = run(
        "--data", data, *QUICK, "--strategies", "random,information", "--out", tmp_path / "o"
    )
    assert found.exit_code == 1
    assert "Strategy 'information' cannot choose with learner 'bagofwords'" in found.output
    assert not list((tmp_path / "o" / "runs").glob("*.jsonl"))


def test_a_run_that_fails_is_told_and_the_others_are_compared(data, tmp_path, monkeypatch):
    whole = simulations.run_to_file

    def one_fails(school, plan, target):
        if plan.seed == 2:
            raise ConfigError("The disk is full.")
        return whole(school, plan, target)

    monkeypatch.setattr(simulations, "run_to_file", one_fails)
    args = ["--strategies", "random", "--seeds", 2, "--nights", 1, "--answers", 2]
    found = run("--data", data, *QUICK, *args, "--out", tmp_path / "o")
    assert found.exit_code == 1
    assert "Failed: random-2: The disk is full." in found.output
    assert "1 seeds (1 to 1)" in found.output


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("random", "random failed in every seed: Full.\nCompared with even instead of random."),
        ("even", "even failed in every seed: Full.\n"),
    ],
)
def test_a_strategy_that_failed_in_every_seed_is_not_left_out_in_silence(
    lost, said, data, tmp_path, monkeypatch
):
    def fails(school, plan, target):
        if plan.strategy == lost:
            raise ConfigError("Full.")
        lines = [{"answers": n, "trainee": {"all": 0.5}, "spans": []} for n in (0, 2)]
        target.write_text("".join(json.dumps(line) + "\n" for line in lines))

    monkeypatch.setattr(simulations, "run_to_file", fails)
    monkeypatch.setattr(simulations, "rehearse", lambda *args: None)
    args = ["--strategies", "random,even", "--seeds", 2, "--nights", 1, "--answers", 2]
    args = ["--data", data, *QUICK, *args, "--out", tmp_path / "o"]
    found = run(*args)
    assert found.exit_code == 1
    assert said in found.output
    assert ("Compared with" in found.output) == (lost == "random")
    again = run(*args, "--report-only")
    assert f"{lost} is complete in no seed; run it without --report-only." in again.output


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--labels", "DATA"], "--labels goes only with --data FILE"),
        (["--task", "classification"], "--task goes only with --data FILE"),
        (["--model", "m"], "--model goes only with --data FILE"),
        (["--hidden", "0.2"], "--hidden goes only with --data FILE"),
        (["--data", "DATA", "--labels", "DATA"], "--labels goes only with --task classif"),
        (["--data", "DATA", "--teacher", "robot"], "--teacher robot has its own pool"),
        (["--strategies", " ,"], "--strategies names none"),
    ],
)
def test_options_that_would_be_ignored_are_refused(args, said, data, tmp_path):
    found = run(*[data if a == "DATA" else a for a in args], "--out", tmp_path / "out")
    assert found.exit_code == 2
    assert said in found.output
    assert not (tmp_path / "out").exists()


def test_labels_that_lack_an_answer_of_the_data_are_refused_by_row(data, tmp_path):
    rows = list(csv.DictReader(data.open(newline="")))
    names = sorted({row["answer"] for row in rows})
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join([n.upper() for n in names[1:]]))
    args = ["--data", data, "--task", "classification", "--labels", labels]
    found = run(*args, "--out", tmp_path / "out")
    assert found.exit_code == 1
    first = next(row["context"] for row in rows if row["answer"] == names[0])
    assert f"the row {first!r} has the label {names[0]!r}, which {labels} lacks" in found.output
    assert not (tmp_path / "out").exists()


def test_a_target_above_one_is_refused_for_shares_only():
    options = {"data": None, "task": "words", "model": "starter", "labels": None, "hidden": 0.3}
    options |= {"nights": 3, "answers": 2, "oracle": "", "settings": {}}
    asked = {t: Request(("random",), range(1), t, **options) for t in ("words", "artist", "robot")}
    for teacher, measure in (("words", "any group"), ("artist", "all")):
        with pytest.raises(ConfigError, match=r"--target 90: .*write --target 0\.9"):
            asked[teacher].check_target(90.0, measure)
    asked["words"].check_target(1.0, "all")
    asked["artist"].check_target(2.0, "new denoising loss")
    asked["robot"].check_target(2.0, "all")


def test_help_tells_defaults():
    said = " ".join(run("--help").output.split())
    assert "[default: random,hybrid]" in said
    assert "The folder of the runs" in said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--strategies", "randon"], "'randon'; installed: .*random"),
        (["--oracle", "nobody"], "'nobody'; installed: .*script"),
        (["--oracle", "script"], "'script' needs 'path'"),
        (["--set", "questions=3"], "--answers say here"),
        (["--set", "colour=red"], "colour"),
        (["--set", "learner=bagofwords"], "goes only with --data"),
        (["--target", "90"], "'all' is a share from 0 to 1"),
        (["--data", "nowhere.csv"], "nowhere.csv: there is no such file"),
        (["--data", "DATA", "--hidden", "1.5"], "1.5 is not a share"),
        (["--data", "FREE", "--task", "classification"], "30 different answers in 30 rows"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(args, said, data, tmp_path):
    free = tmp_path / "free.jsonl"
    free.write_text(
        "\n".join(json.dumps({"context": f"c{i}", "answer": f"a{i}"}) for i in range(30))
    )
    paths = {"DATA": data, "FREE": free}
    found = run(*[paths.get(a, a) for a in args], "--out", tmp_path / "out")
    assert found.exit_code == 1
    assert re.search(said, found.output), found.output
    assert not (tmp_path / "out").exists()


def test_a_pool_that_will_be_used_up_is_pointed_out(data, tmp_path):
    found = run("--data", data, *QUICK, "--nights", 1, "--out", tmp_path / "o", "--report-only")
    assert "the pool has 42 contexts and 30 are asked" in found.output


def test_the_command_is_told_with_what_is_not_a_default():
    args = ["--strategies", "a,b", "--seeds", "5", "--set", "x=1", "--set", "y=2", "--report-only"]
    with simulate.make_context("simulate", [*args, "--data", "my data.csv"]) as ctx:
        said = command_line(ctx)
    assert shlex.split(said)[:2] == ["nightschool", "simulate"]
    words = ["--strategies", "a,b", "--data", "my data.csv", "--set", "x=1", "--set", "y=2"]
    assert sorted(shlex.split(said)[2:]) == sorted([*words, "--report-only"])


def test_each_teacher_has_its_plans():
    options = {"data": None, "task": "words", "model": "starter", "labels": None, "hidden": 0.3}
    options |= {"nights": 3, "answers": 2, "oracle": "", "settings": {}}

    def plans(teacher, **changed):
        asked = {"strategies": ("random", "even"), "seeds": range(4, 6), "teacher": teacher}
        return Request(**{**options, **asked, **changed}).plans()

    words = plans("words")
    assert list(words) == [("random", 4), ("even", 4), ("random", 5), ("even", 5)]
    assert words["even", 5] == WordsPlan("even", 5, 3, 2)
    assert plans("artist")["even", 4] == DrawingPlan("even", 4, 3, 2)
    robot = plans("robot")
    assert robot["even", 4] == ControlPlan("even", 4, nights=3, answers=2)
    assert robot["random", 4].written == 0
    changed = plans("words", settings={"exam_share": 0.0})["even", 4]
    assert changed == AdjustedPlan(WordsPlan("even", 4, 3, 2), {"exam_share": 0.0})
