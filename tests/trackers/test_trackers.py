"""Nights in the field's own trackers: the real packages, with stores on this machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightschool.app import School, parts
from nightschool.app.config import change_config
from nightschool.app.trackers.mlflow import MlflowTracker
from nightschool.app.trackers.reporting import Trackers, night_report
from nightschool.loop import teach
from nightschool.types import Answer, Decision, Reply

from ..conftest import make_school


@pytest.fixture
def school(tmp_path, monkeypatch, oracle):
    """A school with a day of answers, told to report to two trackers and one that is not there."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    for name in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID"):
        monkeypatch.delenv(name, raising=False)
    folder = make_school(tmp_path / "school")
    change_config(folder, "trackers", "mlflow, trackio, nowhere")
    with School.open(folder) as school:
        teach(school, oracle, 30)
        yield school


def test_a_night_is_a_run_in_each_tracker_and_a_missing_one_is_told(school, capsys):
    verdict = school.night()
    assert verdict.decision is Decision.PROMOTE
    version = school.warehouse.version(verdict.challenger)

    from mlflow.tracking import MlflowClient

    client = MlflowClient()
    [experiment] = [e for e in client.search_experiments() if e.name == "school"]
    [run] = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.tags["verdict"] == "promote"
    assert run.data.tags["version"] == run.data.tags["serves"] == version.id
    assert run.data.params["manifest"] == version.manifest
    assert run.data.params["seed"] == str(version.seed)
    assert '"bagofwords"' in run.data.params["recipe"]
    told = run.data.metrics
    assert told["exam/champion"] == pytest.approx(verdict.before)
    assert told["exam/trainee"] == pytest.approx(verdict.after)
    assert (told["answers"], told["exam/items"]) == (30, verdict.items)
    assert told["seconds/fit"] > 0

    import trackio

    [kept] = trackio.Api().runs("school")
    own = run.data.tags["school"]
    assert kept.name == f"night-1-{own}"
    assert kept.config["manifest"] == version.manifest
    assert kept.config["verdict"] == "promote"

    # What is not there breaks no night; it is told until a night is reported everywhere.
    [warning] = [w for w in school.status().warnings if "not reported" in w]
    assert "Night 1 was not reported to nowhere: No part of kind trackers" in warning
    assert "mlflow" not in warning.partition(";")[0].partition("installed")[0]

    # A school with a folder of the same name has runs of its own: this one's stay.
    ours = night_report(school.name, school.warehouse, verdict)
    MlflowTracker(school.folder).report(replace(ours, id="another"))
    runs = client.search_runs([experiment.experiment_id])
    assert {r.data.tags["school"] for r in runs} == {own, "another"}
    client.delete_run(next(r.info.run_id for r in runs if r.data.tags["school"] == "another"))

    # A night that was resumed is reported again, and is one run all the same.
    school.trackers._names.remove("nowhere")
    assert school.trackers.report(verdict) == {}
    assert len(client.search_runs([experiment.experiment_id])) == 1
    assert len(list(trackio.Api().runs("school"))) == 1
    assert not [w for w in school.status().warnings if "not reported" in w]


def test_a_tracker_that_fails_breaks_no_night_and_is_told_by_the_next(school, monkeypatch):
    told, full = [], [True]

    class Full:
        def __init__(self, folder):
            assert folder == school.folder / "trackers" / "nowhere"

        def report(self, night):
            if full:
                raise OSError("the disk is full")
            told.append(night.verdict.night)

    school.trackers._names[:] = ["nowhere"]
    find = parts.find
    monkeypatch.setattr(parts, "find", lambda *a: Full if a[0] == "trackers" else find(*a))
    assert school.night().night == 1
    assert any("nowhere: OSError('the disk is full')" in w for w in school.status().warnings)
    full.clear()
    school.night()
    assert told == [2, 1]
    assert not any("nowhere" in w for w in school.status().warnings)


def test_a_night_that_was_killed_before_it_was_told_is_told_with_the_next(school, monkeypatch):
    told = []

    class Diary:
        def __init__(self, folder):
            pass

        def report(self, night):
            told.append((night.verdict.night, night.answers))

    school.trackers._names[:] = ["diary"]
    find = parts.find
    monkeypatch.setattr(parts, "find", lambda *a: Diary if a[0] == "trackers" else find(*a))
    with monkeypatch.context() as killed:
        killed.setattr(Trackers, "report", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            school.night()
    question = school.next_question("ann")
    school.keep(Answer("a", question.id, "ann", Reply.SKIP, None, 1.0, school.now()))
    school.night()
    school.night()
    assert told == [(1, 30), (2, 31), (3, 31)]


def raise_interrupt(self, verdict):
    raise KeyboardInterrupt
