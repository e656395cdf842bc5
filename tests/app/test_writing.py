"""Questions that the model writes itself: fenced, asked, and told of in the morning."""

from __future__ import annotations

import math
import uuid
from dataclasses import replace

import pytest

from nightschool.app import School, writing
from nightschool.app.chooser import Chooser
from nightschool.app.config import write_config
from nightschool.app.shift import NightShift
from nightschool.app.writing import declined
from nightschool.cli.render import morning_line, written_line
from nightschool.learners.bagofwords import BagOfWords
from nightschool.loop import teach
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    ConfigError,
    Context,
    Partition,
    Question,
    Reply,
    Said,
)

from ..conftest import make_school, world


class Teacher:
    """Answers every question of the pool, and one in two of the written ones."""

    person = "teacher"

    def __init__(self, oracle):
        self.oracle = oracle

    def answer(self, question: Question) -> Said:
        text = question.context.text
        if text.startswith("odd"):
            return Said(Reply.CANT_TELL, None, 1.0)
        shown = Context.of(text.removeprefix("even "))
        return self.oracle.answer(
            Question(question.id, shown, question.partition, "", 0.0, "v0", 0, 0)
        )


@pytest.fixture
def calls(monkeypatch) -> list[dict]:
    """The learner writes a twin of every text; what it was told is kept."""
    seen: list[dict] = []

    def write(self, pool, n, *, asked=(), declined=(), seed):
        seen.append({"pool": pool, "asked": asked, "declined": declined})
        texts = sorted(c.text for c in pool if c.source == "pool")[:n]
        return [
            Context.of(f"{'odd' if i % 2 else 'even'} {t}", "written") for i, t in enumerate(texts)
        ]

    monkeypatch.setattr(BagOfWords, "write", write, raising=False)
    return seen


def test_the_morning_tells_what_became_of_written_questions(tmp_path, oracle, calls):
    folder = make_school(tmp_path / "s", strategy="random", pool_sample=5)
    write_config(folder, {"written": 60, "questions": 40, "exam_share": 0.1, "candidates": 1})
    with School.open(folder) as school:
        first = school.night()
        assert "Written" not in morning_line(first, school.status(), ())
        written = school.status().written
        assert 0 < written.written < 60  # what falls on the exam's side is left out
        assert written.asked == 0
        teach(school, Teacher(oracle), 40)
        school.night()
        report = school.status().written
        own = [
            a
            for a in school.warehouse.answered(Partition.TRAINING)
            if a.question.context.source == "written"
        ]
        told = [a for a in own if a.answers[0].reply is Reply.ANSWER]
        assert (report.asked, report.answerable) == (len(own), len(told))
        assert 0 < len(told) < len(own)
        assert report.written > written.written
        assert report.taught[1] > report.taught[0] >= 0
        line = written_line(report)
        assert f"asked {len(own)}, answerable {len(told)}" in line
        assert "pool questions" in line
        assert line in morning_line(first, school.status(), ())
        assert school.status().as_dict()["written"]["asked"] == len(own)
        refused = {a.question.context.id for a in own} - {a.question.context.id for a in told}
        assert {c.id for c in calls[-1]["declined"]} >= refused
        assert not refused & {a.question.context.id for a in told}


def test_nothing_of_the_exam_is_asked_or_shown_to_the_writer(tmp_path, oracle, calls):
    folder = make_school(tmp_path / "s", pool_sample=5)
    write_config(folder, {"written": 60, "exam_share": 0.0})
    with School.open(folder) as school:
        school.night()
        teach(school, Teacher(oracle), 10)
        school.night()
        exam = {c.id for c in school.warehouse.contexts(Partition.EXAM)}
        seen = {c.id for call in calls for c in (*call["pool"], *call["asked"], *call["declined"])}
        assert seen
        assert not seen & exam
        assert len(calls[0]["pool"]) > 5  # words are cheap: more of the pool than is looked at
        asked = [q.context for q in school.warehouse.queue() if q.context.source == "written"]
        assert asked
        assert all(school.side(c) is Partition.TRAINING for c in asked)


def test_a_test_files_question_is_not_written_again(school_folder, monkeypatch):
    brought = [text for text, _, _ in world(300, 0)[:60]]

    def write(self, pool, n, **told):
        return [Context.of(text, "written") for text in brought]

    monkeypatch.setattr(BagOfWords, "write", write, raising=False)
    write_config(school_folder, {"written": 60})
    with School.open(school_folder) as school:
        sides = {school.side(Context.of(text)) for text in brought}
        assert sides == {Partition.TRAINING, Partition.EXAM}  # the hash alone would not tell
        learner = school.learner(school.warehouse.trainee())
        pool = school.warehouse.contexts(Partition.TRAINING)
        shift = NightShift(school)
        with shift.begin_night() as night:
            assert not shift._written(learner, pool, (), night)


def test_a_school_that_writes_nothing_tells_nothing(school_folder):
    with School.open(school_folder) as school:
        report = school.status().written
        assert (report.written, report.asked) == (0, 0)
        assert math.isnan(report.taught[0])


def test_a_learner_that_cannot_write_is_named(school_folder):
    write_config(school_folder, {"written": 5})
    with School.open(school_folder) as school, pytest.raises(ConfigError, match="writes no"):
        school.night()


def test_declined_is_what_nobody_answered():
    def asked(text: str, *replies: Reply) -> AnsweredQuestion:
        question = Question(text, Context.of(text), Partition.TRAINING, "", 0.0, "v0", 0, 0)
        answers = [Answer(str(uuid.uuid4()), text, "p", reply, None, 1.0, 1.0) for reply in replies]
        return AnsweredQuestion(question, tuple(answers))

    found = declined(
        [
            asked("told", Reply.ANSWER),
            asked("twice", Reply.SKIP),
            asked("twice", Reply.ANSWER),
            asked("skipped", Reply.SKIP),
            asked("unclear", Reply.CANT_TELL, Reply.BAD_QUESTION),
        ]
    )
    assert [c.text for c in found] == ["skipped", "unclear"]


def test_a_night_that_is_resumed_keeps_what_it_wrote_and_tells_it_once(tmp_path, calls):
    folder = make_school(tmp_path / "s", pool_sample=5)
    write_config(folder, {"written": 60, "exam_share": 0.0})
    with School.open(folder) as school:
        shift = NightShift(school)
        with shift.begin_night() as night:
            chosen = shift.choose(night)
            night.post(chosen, night.trainee())
            assert any(pick.context.source == "written" for pick in chosen)
            assert shift.choose(night) == chosen
            night.post(chosen, night.trainee())
        number = school.status().written.written
        assert number > 0
        writing.note(school.warehouse, night.number, 1)
        assert school.status().written.written == number


def test_what_was_written_and_not_asked_is_forgotten(tmp_path, calls, monkeypatch):
    def gave_way(self, picks, *_):
        return [replace(p, spare=p.context.source == "written") for p in picks]

    monkeypatch.setattr(Chooser, "_ask_again", gave_way)
    folder = make_school(tmp_path / "s", pool_sample=5)
    write_config(folder, {"written": 60, "exam_share": 0.0, "candidates": 2})
    with School.open(folder) as school:
        school.night()
        assert school.status().written.written > 0
        assert not school.warehouse.spares()
