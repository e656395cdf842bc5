"""Each kind of question has its kind of answer; nothing else is kept."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from nightschool.app import School
from nightschool.types import (
    Answer,
    AnswerError,
    Context,
    Document,
    Experiment,
    Reply,
    Trajectory,
    caption_document,
    drawing_document,
    encode_picture,
)

from ..conftest import make_school

PICTURE = encode_picture(np.full((8, 8), 255, np.uint8))
TRIAL = Experiment("arm", np.zeros(1), np.zeros(1), np.zeros((2, 1)))
WHOLE = Trajectory("arm", np.zeros((3, 1)), np.zeros((2, 1)))


def school_of(tmp_path, kind, document):
    school = School.open(make_school(tmp_path / "s"))
    school.warehouse.set_meta("kind", kind)
    school.warehouse._log.write(lambda c: c.exec_driver_sql("DELETE FROM contexts"))
    school.config = school.config.__class__(learner="bagofwords", exam_partition=0.0)
    school.add_contexts([Context(document)])
    return school


def reply(question, document, kind=Reply.ANSWER):
    return Answer(str(uuid.uuid4()), question.id, "anna", kind, document, 1.0, 0.0)


def test_a_caption_is_answered_by_its_drawing(tmp_path):
    with school_of(tmp_path, "caption", caption_document("a dot")) as school:
        question = school.next_question("anna")
        for wrong in (Document("a dot"), WHOLE.document(), drawing_document("a line", PICTURE)):
            with pytest.raises(AnswerError):
                school.keep(reply(question, wrong))
        answer = reply(question, drawing_document("a dot", PICTURE, b"[]"))
        assert school.keep(answer)
        kept = school.answer_with_id(answer.id)
        assert kept.document.parts["picture"] == PICTURE
        assert school.answer_with_id("nobody") is None


def test_an_experiment_is_answered_by_its_trajectory(tmp_path):
    with school_of(tmp_path, "experiment", TRIAL.document()) as school:
        question = school.next_question("anna")
        short = Trajectory("arm", np.zeros((2, 1)), np.zeros((1, 1)))
        for wrong in (Document("it moved"), short.document()):
            with pytest.raises(AnswerError):
                school.keep(reply(question, wrong))
        assert school.keep(reply(question, WHOLE.document()))
        long = Document("x" * ((4 << 20) + 1), "trajectory")
        with pytest.raises(AnswerError, match="characters"):
            school.keep(reply(question, long))


def test_words_are_answered_by_words(school_folder):
    with School.open(school_folder) as school:
        question = school.next_question("anna")
        with pytest.raises(AnswerError, match="text is answered by a text"):
            school.keep(reply(question, drawing_document("a dot", PICTURE)))
        with pytest.raises(AnswerError, match="carries no text"):
            school.keep(reply(question, Document("four"), Reply.SKIP))
