from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from nightschool.app import School
from nightschool.app.shift import NightShift
from nightschool.cli import main
from nightschool.web.versions import told_line, told_page

from ..conftest import make_school, world


def run(*args, folder=None, typed=None):
    school = ["--school", str(folder)] if folder else []
    return CliRunner().invoke(main, [*school, *map(str, args)], input=typed)


def ok(*args, folder=None, typed=None):
    result = run(*args, folder=folder, typed=typed)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*args, folder=None):
    result = run(*args, folder=folder)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


def by_hand(folder, line):
    """A line put first into the settings with an editor, which checks nothing."""
    path = folder / "nightschool.toml"
    path.write_text(f"{line}\n{path.read_text()}")


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys; from nightschool.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch','sqlalchemy','transformers','fastapi') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    for command in ("init", "pool", "ask", "serve", "night", "status", "exam", "promote"):
        assert command in done.stdout


def test_the_whole_story_by_hand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = world(80, 0)
    (tmp_path / "contexts.jsonl").write_text(
        "\n".join(json.dumps({"context": c, "group": g}) for c, _, g in rows)
    )
    assert "A school in" in ok("init", "my-school", "--learner", "bagofwords", "--seed", 5)
    monkeypatch.chdir(tmp_path / "my-school")
    assert "80 contexts added" in ok("pool", "add", "../contexts.jsonl")
    assert "80 known before" in ok("pool", "add", "../contexts.jsonl")
    said = ok("ask", "--person", "anna", "--limit", 3, typed="green\n/skip\n\n/what\nblue\n")
    assert "Answers kept: 3" in said
    assert "Not kept: The answer is empty" in said
    said = ok("ask", "--person", "anna", typed="gren\n/undo\ngreen\n/quit\n")
    assert "Taken back." in said
    assert "Answers so far: 4" in ok("night")
    status = ok("status")
    assert "Answers     4" in status
    assert "Bring one with `nightschool exam add FILE`" in status
    assert json.loads(ok("status", "--json"))["answers"] == 4
    assert "All is well." in ok("doctor", "--collect-garbage")


def test_exam_promote_rollback_backup(school_folder, oracle, tmp_path):
    from nightschool.loop import teach

    with School.open(school_folder) as school:
        teach(school, oracle, 20)
    ok("night", folder=school_folder)
    out = ok("exam", folder=school_folder)
    assert "answer" in out
    assert "(gates)" in out
    with School.open(school_folder) as school:
        newest = school.warehouse.trainee().id
        school.promote("v0", "test", "begin from v0")
        page, lines = told_page(school.versions.page(newest)), school.versions.every()
    assert json.loads(ok("versions", newest, "--json", folder=school_folder)) == page
    told = ok("versions", newest, folder=school_folder)
    for fact in (
        page["reason"],
        page["manifest"]["hash"],
        page["weights"],
        f"from: {page['parent']}",
    ):
        assert fact in told
    assert f"{page['won']} won, {page['lost']} lost" in told
    first = next(item for item in page["items"] if item["change"] == "won")
    assert f"  {first['context']}  accepted {first['accepted'][0]}  " in told.split("\nWon (")[1]
    assert json.loads(ok("versions", "--json", folder=school_folder)) == list(map(told_line, lines))
    told = ok("versions", folder=school_folder)
    assert all(line.version.id in told for line in lines)
    assert "v0 (serves)" in told
    assert "Let serve by test on " in told
    assert "begin from v0." in (told := ok("versions", "0", folder=school_folder))
    assert ", by school: the model as it was brought" in told
    assert "by hand, by school" not in told
    assert "`nightschool versions` lists them" in refused("versions", "9", folder=school_folder)
    told = refused("versions", newest, "--against", "v7", folder=school_folder)
    assert f"compare it with: {page['parent']}" in told
    assert f"{newest} serves" in ok("promote", newest, folder=school_folder)
    assert "v0 serves" in ok("rollback", folder=school_folder)
    assert "Backed up" in ok("backup", tmp_path / "copy", folder=school_folder)
    assert "All is well" in ok("doctor", folder=tmp_path / "copy")


def test_config_shows_and_sets(school_folder):
    assert "gate = 'balanced'" in ok("config", folder=school_folder)
    ok("config", "gate", "strict", folder=school_folder)
    assert ok("config", "gate", folder=school_folder).strip() == "strict"
    ok("config", "learner_settings.steps", "9", folder=school_folder)
    assert ok("config", "learner_settings.steps", folder=school_folder).strip() == "9"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["config", "gaet", "strict"], ["unknown setting 'gaet'", "did you mean 'gate'"]),
        (["config", "questions", "dozen"], ["must be a number"]),
        (["config", "strange"], ["Unknown setting 'strange'"]),
        (["config", "strategy", "nope"], ["called 'nope'; installed: badge, bald, captions"]),
        (["config", "exam", "oral"], ["called 'oral'; installed: control"]),
        (["config", "learner_settings.stepz", "3"], ["'stepz'", "known: ", "steps"]),
        (["config", "learner", "language"], ["fixed by init", "--learner language"]),
        (["config", "seed", "9"], ["fixed by init", "nightschool init FOLDER --seed 9"]),
        (["promote", "v99"], ["v99"]),
        (["rollback"], ["no "]),
        (["pool", "add", "nowhere.txt"], ["there is no such file"]),
        (["exam", "add", "nowhere.jsonl"], ["nowhere.jsonl"]),
    ],
)
def test_mistakes_are_told_without_a_traceback(school_folder, args, words):
    output = refused(*args, folder=school_folder)
    for word in words:
        assert word in output


def test_a_refused_setting_leaves_the_file_as_it_was(school_folder):
    before = (school_folder / "nightschool.toml").read_text()
    for pair in (("strategy", "nope"), ("learner_settings.stepz", "3"), ("learner", "language")):
        refused("config", *pair, folder=school_folder)
    assert (school_folder / "nightschool.toml").read_text() == before


def test_a_seed_is_said_to_be_for_simulations(school_folder):
    for told in (ok("init", "--help"), ok("config", folder=school_folder)):
        told = " ".join(told.split())
        assert "for simulations" in told
        assert "can be guessed" in told


def test_a_broken_pool_line_adds_nothing(school_folder, tmp_path):
    file = tmp_path / "broken.jsonl"
    file.write_text('{"context": "A new one is"}\n{"context"\n')
    assert "broken.jsonl, line 2" in refused("pool", "add", file, folder=school_folder)
    with School.open(school_folder) as school:
        assert school.warehouse.counts().training + school.warehouse.counts().exam == 300


def test_a_broken_line_in_the_second_file_adds_nothing_of_the_first(school_folder, tmp_path):
    good, broken = tmp_path / "good.txt", tmp_path / "broken.jsonl"
    good.write_text("A new one is\n")
    broken.write_text('{"context"\n')
    assert "broken.jsonl, line 1" in refused("pool", "add", good, broken, folder=school_folder)
    with School.open(school_folder) as school:
        assert school.warehouse.counts().training + school.warehouse.counts().exam == 300
    broken.write_text('{"context": "Another is"}\n')
    assert ok("pool", "add", good, broken, folder=school_folder).count("1 context added") == 2


def test_half_a_character_in_a_pool_file_is_told_without_a_traceback(school_folder, tmp_path):
    file = tmp_path / "half.jsonl"
    file.write_text('{"context": "x \\ud800"}\n')
    assert "half.jsonl, line 1" in refused("pool", "add", file, folder=school_folder)


def test_outside_a_school_the_cure_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "nightschool init FOLDER" in refused("status")


def test_an_unknown_strategy_names_those_that_there_are(tmp_path):
    folder = make_school(tmp_path / "s")
    by_hand(folder, 'strategy = "bold"')
    assert "installed: badge, bald, captions" in refused("night", folder=folder)


def test_a_failed_night_leaves_the_champion_serving_and_the_next_one_resumes(tmp_path, oracle):
    from nightschool.loop import teach

    folder = make_school(tmp_path / "s")
    by_hand(folder, 'strategy = "bold"')
    with School.open(folder) as school:
        teach(school, oracle, 20)
    refused("night", folder=folder)
    with School.open(folder) as school:
        assert school.champion().id in ("v0", "v1")
    ok("config", "strategy", "bald", folder=folder)
    assert "Night 1:" in ok("night", folder=folder)


def test_a_second_night_is_refused_while_one_runs(school_folder):
    with School.open(school_folder) as school, NightShift(school).begin_night():
        assert str(os.getpid()) in refused("night", folder=school_folder)


def test_a_second_server_is_refused(school_folder):
    with School.open(school_folder) as school, school.warehouse.serve_lock():
        assert "served" in refused("serve", folder=school_folder)


def test_a_full_disk_is_told_before_anything_is_fitted(school_folder, oracle, monkeypatch):
    import nightschool.warehouse.disk as disk
    from nightschool.loop import teach

    with School.open(school_folder) as school:
        teach(school, oracle, 20)
    free = disk.shutil.disk_usage(school_folder)._replace(free=1000)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: free)
    output = refused("night", folder=school_folder)
    assert "free" in output
    monkeypatch.undo()
    assert "Night 1:" in ok("night", folder=school_folder)


def test_python_dash_m_runs_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "nightschool", "--version"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "0.1.0" in done.stdout
