"""A school of labels: begun, answered, taught and promoted, on the starter's hidden states."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.app.tasks import ClassificationTask
from nightschool.app.tasks.classification import read_labels, read_rows
from nightschool.cli import main
from nightschool.types import (
    Answer,
    AnswerError,
    ConfigError,
    Decision,
    Document,
    ExamItem,
    PoolError,
    Question,
    Reply,
)

NAMES = ("Ann", "Bob", "Eve", "Tom", "Sam", "Lea", "Max", "Ida")
COLOURS = ("red", "blue", "green", "white")


def world() -> dict[str, str]:
    """Texts and their labels: half of them count, half of them paint."""
    counts = {f"{n} has {i} apples and takes 2 more.": "number" for n in NAMES for i in range(3, 9)}
    paints = {
        f"{n} wears a {c} {thing}.": "colour"
        for n in NAMES[:6] for c in COLOURS for thing in ("hat", "coat")
    }  # fmt: skip
    return {text: label for pair in zip(counts.items(), paints.items(), strict=True)
            for text, label in pair}  # fmt: skip


WORLD = world()


def rows(texts: list[str]) -> str:
    return "\n".join(json.dumps({"context": t, "answer": WORLD[t]}) for t in texts)


def ok(*args: object, folder: Path | None = None) -> str:
    school = ["--school", str(folder)] if folder else []
    result = CliRunner().invoke(main, [*school, *map(str, args)])
    assert result.exit_code == 0, result.output
    return result.output


def reply(school: School, question: Question, text: str) -> Answer:
    document = Document(text)
    return Answer(str(uuid.uuid4()), question.id, "anna", Reply.ANSWER, document, 2.0, school.now())


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A school made by the command, with an exam of 40 texts and a pool of 56."""
    (tmp_path / "labels.txt").write_text("number\n\n colour \n")
    (tmp_path / "exam.jsonl").write_text(rows(list(WORLD)[:40]))
    (tmp_path / "pool.jsonl").write_text(rows(list(WORLD)[40:]))
    told = ok(
        "init", tmp_path / "school", "--task", "classification", "--labels",
        tmp_path / "labels.txt", "--exam", tmp_path / "exam.jsonl", "--seed", 5,
        "--set", "questions=16", "--set", "learner_settings.threads=1",
    )  # fmt: skip
    assert "begins with its labels alone" in told
    ok("pool", "add", tmp_path / "pool.jsonl", folder=tmp_path / "school")
    return tmp_path / "school"


def test_it_learns_its_labels_and_is_promoted(begun: Path) -> None:
    clock = [1_000_000.0]
    decisions = []
    with School.open(begun, clock=lambda: clock[0]) as school:
        before = school.learner(school.champion())
        for _ in range(2):
            for _ in range(16):
                question = school.next_question("anna")
                assert question is not None
                school.keep(reply(school, question, WORLD[question.context.text]))
            clock[0] += 8 * 86_400
            decisions.append(school.night().decision)
        assert Decision.PROMOTE in decisions
        items = school.examiner.marked()
        after = school.learner(school.champion())
        marks = [sum(m.mark(items)) / len(items) for m in (before, after)]
        assert marks[0] == pytest.approx(0.5)
        assert marks[1] > 0.9
        assert school.warehouse.queue(), "the night chose tomorrow's questions"


def test_an_answer_that_is_no_label_is_refused_until_it_is_added(begun: Path) -> None:
    with School.open(begun) as school:
        question = school.next_question("anna")
        assert question is not None
        with pytest.raises(AnswerError, match="'shape' is none of the 2 labels") as refused:
            school.keep(reply(school, question, "shape"))
        assert "nightschool labels add 'shape'" in str(refused.value)
        assert ok("labels", "add", "shape", folder=begun) == "3 labels: number, colour, shape.\n"
        assert ok("labels", "list", folder=begun) == "number\ncolour\nshape\n"
        school.keep(reply(school, question, " Shape. "))
        assert "Labels: number, colour, shape." in ok("ask", "--limit", 1, folder=begun)
        assert school.labels == ("number", "colour", "shape")
    with School.open(begun) as school:
        learner = school.learner(school.champion())
        assert learner.mark([_item("Ann wears a red hat.", "shape")]) == pytest.approx([1 / 3])


def _item(text: str, label: str) -> ExamItem:
    return ExamItem("i", Document(text), (Document(label),), "", "file")


def test_rows_of_the_original_are_taught_before_it_asks(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(rows(list(WORLD)[:20]))
    task = ClassificationTask(["Number", "colour"], rows=tmp_path / "rows.jsonl")
    init_school(tmp_path / "school", task, settings={"seed": 3})
    with School.open(tmp_path / "school") as school:
        said = school.learner(school.champion()).mark(
            [_item("Ida has 8 apples and takes 2 more.", "number")]
        )
        assert said[0] > 0.8
        assert school.warehouse.meta("original_note") == "the labelled rows of rows.jsonl"


def test_files_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("yes\n")
    with pytest.raises(ConfigError, match="names 1 labels; write at least two"):
        read_labels(tmp_path / "one.txt")
    with pytest.raises(ConfigError, match="one label a line"):
        read_labels(tmp_path / "none.txt")
    (tmp_path / "rows.jsonl").write_text('{"context": "Who?", "answer": "person"}')
    with pytest.raises(PoolError, match="'person', which is not among the labels"):
        list(read_rows(tmp_path / "rows.jsonl", ["yes", "no"]))
    result = CliRunner().invoke(main, ["init", str(tmp_path / "s"), "--task", "classification"])
    assert "needs --labels FILE" in result.output
    result = CliRunner().invoke(main, ["init", str(tmp_path / "s"), "--labels", "x"])
    assert "--labels is for --task classification" in result.output


def test_a_school_of_words_has_no_labels(school_folder: Path) -> None:
    with School.open(school_folder) as school:
        assert school.labels == ()
    for words in (["add", "x"], ["list"]):
        result = CliRunner().invoke(main, ["--school", str(school_folder), "labels", *words])
        assert result.exit_code == 1
        assert "has no labels: any text may be an answer" in result.output


def test_the_page_shows_the_labels_as_buttons(begun: Path) -> None:
    from starlette.testclient import TestClient

    from nightschool.web import create_app

    ok("labels", "add", "<b>odd</b>", folder=begun)
    with School.open(begun) as school:
        client = TestClient(create_app(school), base_url="http://127.0.0.1")
        page = client.get("/").text
    assert "&#34;number&#34;" in page
    assert "odd" in page
    assert "<b>odd" not in page
