from __future__ import annotations

import datetime
from types import SimpleNamespace

import pytest
import tzlocal
from apscheduler.schedulers.background import BackgroundScheduler

from nightschool.app.config import Config
from nightschool.app.nights import NightProcess, schedule, step_of
from nightschool.warehouse.night import night_lock


@pytest.fixture
def berlin(monkeypatch):
    """A machine in Berlin, which has summer time."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    tzlocal.reload_localzone()
    yield
    monkeypatch.undo()
    tzlocal.reload_localzone()


def test_the_night_keeps_its_hour_through_summer_time(berlin, monkeypatch):
    made = []
    start = BackgroundScheduler.start
    monkeypatch.setattr(BackgroundScheduler, "start", lambda s: (made.append(s), start(s)))
    stop = schedule(Config(night_at="03:30"), lambda: None)
    try:
        (job,) = made[0].get_jobs()
        for month in (1, 7):
            day = datetime.datetime(2027, month, 10, tzinfo=datetime.UTC)
            due = job.trigger.get_next_fire_time(None, day)
            offset = datetime.timedelta(hours=1 if month == 1 else 2)
            assert (due.hour, due.minute, due.utcoffset()) == (3, 30, offset)
    finally:
        stop()


def test_no_night_is_started_beside_one_of_a_terminal(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: started.append(1))
    night = NightProcess(tmp_path, Config())
    with night_lock(tmp_path):
        assert not night.start("ann")
        assert not started
        assert night_lock(tmp_path).held()
    assert not night_lock(tmp_path).held()
    assert night.start("ann")


@pytest.mark.parametrize(
    ("done", "step"), [([], "curate"), (["load", "curate", "seal"], "fit"), (["post"], "post")]
)
def test_a_night_is_at_the_step_after_the_last_that_ended(done, step):
    night = SimpleNamespace(number=2, finished=None)
    spans = {2: [SimpleNamespace(name=name) for name in done]}
    assert step_of(SimpleNamespace(nights=lambda: [night], spans=spans.get)) == step
    night.finished = 1.0
    assert step_of(SimpleNamespace(nights=lambda: [night], spans=spans.get)) == ""
