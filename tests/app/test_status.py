from __future__ import annotations

import json
import uuid

import pytest
from click.testing import CliRunner

from nightschool.app import School
from nightschool.app.config import change_config, write_config
from nightschool.app.shift import NightShift
from nightschool.app.status import unanswered
from nightschool.cli.main import main
from nightschool.types import Answer, ConfigError, Document, Partition, Reply

from ..conftest import make_school


def test_a_broken_night_is_told_until_the_next_one_ends_well(tmp_path):
    folder = make_school(tmp_path / "s")
    write_config(folder, {"strategy": "bold"})
    with School.open(folder) as school, pytest.raises(ConfigError):
        school.night()
    with School.open(folder) as school:
        (told,) = [w for w in school.status().warnings if "broke" in w]
        assert told.startswith("Night 1 broke: ConfigError: No part of kind strategies is called")
        assert told.endswith("it is resumed by the next `nightschool night`.")
    change_config(folder, "strategy", "bald")
    with School.open(folder) as school:
        school.night()
        assert not [w for w in school.status().warnings if "broke" in w]


def test_a_night_without_answers_or_that_was_interrupted_says_so(tmp_path, monkeypatch):
    folder = make_school(tmp_path / "s")

    def night():
        return CliRunner().invoke(main, ["-s", str(folder), "night"])

    told = night().output
    assert "v0 still serves: there was nothing new to learn." in told
    assert "Nobody answered before night 1: it had nothing new to learn. Answer questions" in told
    with School.open(folder) as school:
        assert unanswered(school.warehouse)
        assert [line.verdict for line in school.versions.every()] == [None]  # nothing is new
        question = school.next_question("anna")
        school.keep(Answer("a", question.id, "anna", Reply.SKIP, None, 1.0, school.now(), ""))
        assert not unanswered(school.warehouse)
    with monkeypatch.context() as killed:
        killed.setattr(NightShift, "fit", interrupted)
        stopped = night()
    said = "Night 2 was interrupted in its step 'fit'; the next `nightschool night` goes on"
    assert (stopped.exit_code, said in stopped.output) == (130, True)
    assert "Abort" not in stopped.output
    with School.open(folder) as school:
        assert any(said in warning for warning in school.status().warnings)
    assert "Nobody answered" not in night().output


def interrupted(*_):
    raise KeyboardInterrupt


def test_an_answered_question_that_the_file_asks_too_was_not_skipped(tmp_path):
    settings = {"exam_share": 1.0, "exam_share_late": 1.0}
    with School.open(make_school(tmp_path / "s", exam=False, **settings)) as school:
        for text in ("green", None, None):
            question = school.next_question("anna")
            assert question.partition is Partition.EXAM
            document = Document(text) if text else None
            reply = Reply.ANSWER if text else Reply.SKIP
            at = school.now()
            school.keep(
                Answer(str(uuid.uuid4()), question.id, "anna", reply, document, 1.0, at, "")
            )
            school.status()  # what was counted before must not be told again
            if text:
                shared = question.context.text
        assert school.status().skipped_exam == 2
        file = tmp_path / "exam.jsonl"
        file.write_text(json.dumps({"context": shared, "answer": "green"}))
        school.examiner.add(file)
        status = school.status()
        assert (status.bank, status.exam_file, status.skipped_exam) == (1, 1, 2)
        school.undo("anna")
        assert school.status().skipped_exam == 1
