from __future__ import annotations

import os
import shlex
import sys

import pytest

from nightschool.app import School
from nightschool.app.tasks import WordsTask
from nightschool.cli.find import say
from nightschool.cli.init import following

from .test_cli import ok, refused


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_init_prints_works_as_it_stands(here):
    told = ok("init", "my school", "--learner", "bagofwords")
    enter, *following, serve = told.split("Next: ")[1].strip().split(" && ")
    assert (shlex.split(enter), serve) == (["cd", "my school"], "nightschool serve")
    os.chdir("my school")
    assert all(f"`{each}`" in ok("status") for each in following)
    for each in following:
        told = ok(*shlex.split(each)[1:])
    assert "1,000 contexts added" in told
    assert "The pool is empty" not in ok("status")
    with School.open(here / "my school") as school:
        assert school.next_question("anna").context.group
    assert "contexts.jsonl exists; name a new file" in refused(*shlex.split(following[0])[1:])
    assert "end its name in .jsonl" in refused("starter", "contexts", "contexts.txt")


def test_with_a_model_of_ones_own_the_file_and_its_lines_are_named(here):
    told = following(here / "s", WordsTask("my/model"), "words")
    assert f"one a line, into {here / 's' / 'contexts.txt'}" in told
    assert told.endswith("&& nightschool pool add contexts.txt && nightschool serve")
    ok("init", "s", "--learner", "bagofwords")
    with School.open(here / "s") as school:
        school.warehouse.set_meta("model", "my/model")
        (told,) = [w for w in school.status().warnings if "pool" in w]
    assert told.endswith("text file, then add it with `nightschool pool add FILE`.")


def test_commands_in_an_error_are_bold_on_a_terminal(here, monkeypatch, capsys):
    refused_here = "`nightschool init FOLDER`"
    assert refused_here in refused("status")
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
    say(f"make one with {refused_here}", err=True)
    assert capsys.readouterr().err == "make one with \x1b[1mnightschool init FOLDER\x1b[0m\n"
