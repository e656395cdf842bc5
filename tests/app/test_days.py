"""By day an oracle answers what a night has chosen, and nothing else."""

from __future__ import annotations

import threading
import time

import pytest

from nightschool.app import School
from nightschool.app.days import begin_days
from nightschool.types import Document, LockedError, OracleError, Reply, Said, Trajectory

from ..conftest import make_school
from ..stranger.lab import install, make_spring_school


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.02)
    assert condition()


class Flaky:
    """An oracle that fails the first times it is asked."""

    person = "flaky"

    def __init__(self, *trouble):
        self.trouble = list(trouble)

    def answer(self, question):
        if self.trouble:
            raise self.trouble.pop(0)
        return Said(Reply.ANSWER, Document("yes"), 0.1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A school with a body, three of whose experiments wait."""
    folder = tmp_path_factory.mktemp("days")
    with pytest.MonkeyPatch.context() as patch:
        install(patch, folder)
        make_spring_school(folder / "s", questions=3)
    return folder / "s"


@pytest.fixture
def spring(made, monkeypatch, tmp_path):
    install(monkeypatch, tmp_path)
    with School.open(made) as school:
        school.backup(tmp_path / "s")
    with School.open(tmp_path / "s") as school:
        school.refill()
        yield school


class Slow:
    """Makes one call of a system wait until it is let go; counts the stops."""

    def __init__(self, system, call, monkeypatch):
        self.entered, self.go, self.stops = threading.Event(), threading.Event(), 0
        act = getattr(system, call)

        def slow(*args):
            self.entered.set()
            self.go.wait(10)
            return act(*args)

        monkeypatch.setattr(system, call, slow)
        monkeypatch.setattr(system, "stop", self.stop)

    def stop(self):
        self.stops += 1


def free(school):
    """Whether nobody lets this school's oracle answer."""
    try:
        with school.warehouse.oracle_lock():
            return True
    except LockedError:
        return False


def test_what_a_night_has_chosen_is_answered_and_the_pool_is_left_alone(tmp_path, caplog):
    with School.open(make_school(tmp_path / "s", oracle="script")) as school:
        school.oracle = Flaky(OSError("the cable is out"), OracleError("the arm is lost"))
        school.night()
        waiting = school.warehouse.queue_left()
        stop = begin_days(school, pause=0.01)
        until(lambda: school.warehouse.queue_left() == 0)
        time.sleep(0.1)
        stop()
        assert len(school.warehouse.answers()) == waiting
        assert "the cable is out" in caplog.text
        assert "the arm is lost (It is asked again later.)" in caplog.text
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


def test_closing_ends_a_trial_between_two_steps_and_keeps_what_was_done(spring, monkeypatch):
    slow = Slow(spring.system, "step", monkeypatch)
    stop = begin_days(spring, pause=0.01)
    assert slow.entered.wait(5)
    threading.Timer(0.2, slow.go.set).start()
    stop()
    assert slow.stops == 1
    [answer] = spring.warehouse.answers()
    trajectory = Trajectory.of(answer.document)
    assert trajectory.ended == "halted: the school is closing"
    assert len(trajectory.actions) == 1
    assert free(spring)


def test_a_system_whose_trial_does_not_end_is_stopped_over_its_head(spring, monkeypatch):
    slow = Slow(spring.system, "begin", monkeypatch)
    stop = begin_days(spring, pause=0.01, closing=0.1)
    assert slow.entered.wait(5)
    stop()
    assert slow.stops == 1, "the process would end with the system in motion"
    assert not free(spring), "the trial still goes on"
    slow.go.set()
    until(lambda: free(spring))
    assert spring.warehouse.answers() == []
    assert spring.warehouse.queue_left() == 3, "the question was used up"


@pytest.mark.parametrize("how", ["raises", "hangs"])
def test_a_stop_that_fails_is_logged_and_closing_goes_on(spring, monkeypatch, caplog, how):
    slow = Slow(spring.system, "begin", monkeypatch)

    def broken():
        if how == "raises":
            raise OSError("brake")
        slow.go.wait(10)

    monkeypatch.setattr(spring.system, "stop", broken)
    stop = begin_days(spring, pause=0.01, closing=0.1)
    assert slow.entered.wait(5)
    began = time.monotonic()
    stop()
    assert time.monotonic() - began < 3
    assert "make sure that it is safe" in caplog.text
    slow.go.set()
    until(lambda: free(spring))


def test_an_oracle_without_a_body_that_takes_its_time_does_not_hold_closing_up(tmp_path):
    go, entered = threading.Event(), threading.Event()

    class Thinker(Flaky):
        def answer(self, question):
            entered.set()
            go.wait(10)
            return Said(Reply.CANT_TELL, None, 0.1)

    with School.open(make_school(tmp_path / "s", oracle="script")) as school:
        school.oracle = Thinker()
        school.refill()
        stop = begin_days(school, pause=0.01, closing=0.1)
        assert entered.wait(5)
        stop()
        go.set()
        until(lambda: free(school))
        assert len(school.warehouse.answers()) == 1


def test_a_school_that_closes_before_its_body_is_there_begins_no_trial(tmp_path):
    go, entered = threading.Event(), threading.Event()

    class Late(School):
        @property
        def oracle(self):
            entered.set()
            go.wait(10)
            return Flaky()

    with Late.open(make_school(tmp_path / "s", oracle="script")) as school:
        school.refill()
        stop = begin_days(school, pause=0.01, closing=0.1)
        assert entered.wait(5)
        stop()
        go.set()
        until(lambda: free(school))
        assert school.warehouse.answers() == []


def test_an_oracle_that_answers_elsewhere_is_left_alone(spring, caplog):
    with spring.warehouse.oracle_lock():
        stop = begin_days(spring, pause=0.01)
        time.sleep(0.2)
        stop()
    assert spring.warehouse.answers() == []
    assert "answering already (serve, or another teach)" in caplog.text
    assert "begin `nightschool serve` anew" in caplog.text
    stop = begin_days(spring, pause=0.01)
    assert not free(spring)
    until(lambda: spring.warehouse.queue_left() == 0)
    stop()
    assert free(spring)
