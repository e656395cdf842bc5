"""By day an oracle answers what a night has chosen, and nothing else."""

from __future__ import annotations

import time

import pytest

from nightschool.app import School
from nightschool.app.days import begin_days
from nightschool.types import Document, Reply, Said

from ..conftest import make_school


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.02)
    assert condition()


class Flaky:
    """An oracle that fails the first time it is asked."""

    person = "flaky"

    def __init__(self):
        self.asked = 0

    def answer(self, question):
        self.asked += 1
        if self.asked == 1:
            raise OSError("the cable is out")
        return Said(Reply.ANSWER, Document("yes"), 0.1)


def test_what_a_night_has_chosen_is_answered_and_the_pool_is_left_alone(tmp_path, caplog):
    with School.open(make_school(tmp_path / "s", oracle="script")) as school:
        school.oracle = Flaky()
        school.night()
        waiting = school.warehouse.queue_left()
        stop = begin_days(school, pause=0.01)
        until(lambda: school.warehouse.queue_left() == 0)
        time.sleep(0.1)
        stop()
        assert len(school.warehouse.answers()) == waiting
        assert "the cable is out" in caplog.text
        school.night()
        left = school.warehouse.queue_left()
        assert left == waiting
        time.sleep(0.1)
        assert school.warehouse.queue_left() == left, "it went on after it was stopped"


def test_where_people_answer_nothing_happens(school_folder):
    with School.open(school_folder) as school:
        school.night()
        begin_days(school, pause=0.01)()
        assert school.warehouse.answers() == []
        with pytest.raises(Exception, match="no oracle of its own"):
            _ = school.oracle
