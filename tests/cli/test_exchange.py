"""Export and import from the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nightschool.cli.main import main

from ..conftest import make_school


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_school(tmp_path_factory.mktemp("cli") / "s", exam_partition=0.0)


def run(folder: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["-s", str(folder), *map(str, arguments)])


def test_what_is_taken_in_goes_out_again(folder: Path, tmp_path: Path) -> None:
    rows = [{"prompt": f"{n} and one is", "completion": f" {n + 1}"} for n in range(3)]
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tried = run(folder, "import", file, "--format", "openai", "--person", "ben", "--check")
    assert "3 would be added, 0 known before; 3 new contexts" in tried.output
    assert "Nothing was changed" in tried.output
    done = run(folder, "import", file, "--format", "openai", "--person", "ben")
    assert "3 replies (3 answers) of 1 person. 3 added, 0 known before" in done.output
    assert (
        "0 added, 3 known before"
        in run(folder, "import", file, "--format", "openai", "--person", "ben").output
    )
    assert "terminal  import" in run(folder, "people", "audit").output
    out = tmp_path / "out.jsonl"
    assert run(folder, "export", out).output == f"3 examples in {out}.\n"
    assert [json.loads(line) for line in out.read_text().splitlines()] == rows
    chosen = run(folder, "export", "-", "--answers", "--format", "csv", "--filter", "text=2 and")
    assert chosen.output.count("\n") == 2
    assert ",ben," in chosen.output
    said = tmp_path / "said.jsonl"
    run(folder, "export", said, "--answers")
    assert said.read_text() == run(folder, "export", "-", "--answers").output
    assert {"person", "seconds", "note"} <= json.loads(said.read_text().splitlines()[0]).keys()
    exam = run(folder, "export", tmp_path / "exam.csv", "--exam")
    assert "60 exam items" in exam.output
    assert "no exam left" in exam.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "x.jsonl", "--answers", "--exam"], "never both"),
        (["export", "x.docx"], "name a format"),
        (["export", "x", "--format", "docx"], "no format 'docx'"),
        (["export", "-", "--format", "docx"], "no format 'docx'"),
        (["export", "x.csv", "--filter", "anna"], "KEY=VALUE"),
        (["export", "x.csv", "--filter", "nope=1"], "filter by text, person"),
        (["export", "x.csv", "--filter", "partition=nope"], "one of training, exam, gold"),
        (["export", "x.csv", "--filter", "group=snou"], "here; there are: blood, coal, grass, "),
        (["export", "x.csv", "--answers", "--filter", "person=bern"], "no person 'bern' here; "),
        (["export", "x.csv", "--filter", "night=7"], "no night 7 here; "),
        (["import", "x", "--format", "openai"], "no such file"),
    ],
)
def test_an_error_is_one_line_with_its_cure(folder: Path, arguments: list[str], told: str) -> None:
    result = run(folder, *arguments)
    assert result.exit_code == 1
    assert told in result.output
    assert "Traceback" not in result.output
