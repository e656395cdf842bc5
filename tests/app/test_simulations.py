"""Runs in processes of their own: what is complete stays, what was cut off starts anew."""

from __future__ import annotations

import os
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from nightschool.app import simulations
from nightschool.app.simulations import complete, one, one_thread, read, rehearse, run_all
from nightschool.oracles import ScriptedOracle
from nightschool.types import ConfigError, LockedError, ObservationError
from nightschool.warehouse.locks import FileLock

from ..conftest import make_school


def halves(school, version):
    """Any version is right half of the time."""
    return {"all": 0.5}


@dataclass(frozen=True)
class Tiny:
    """A school of the NumPy learner, with a night that takes no time."""

    nights: int = 1
    answers: int = 2
    broken: str = ""

    def build(self, folder, progress=None):
        if self.broken == "mend":
            raise ConfigError("The pool is empty.")
        if self.broken == "bug":
            raise ZeroDivisionError("by zero")
        make_school(folder, exam=False, learner_settings={"steps": 1})
        return halves

    def oracle(self, school):
        return ScriptedOracle()


def test_a_run_is_complete_with_its_last_morning(tmp_path):
    assert not complete(tmp_path, "a", Tiny())
    assert one(tmp_path, "a", Tiny()) == ""
    assert complete(tmp_path, "a", Tiny())
    assert [m["answers"] for m in read(tmp_path, "a")] == [0, 2]
    assert not list(tmp_path.glob("school-*"))


def test_a_torn_last_line_is_no_morning(tmp_path):
    one(tmp_path, "a", Tiny())
    path = tmp_path / "a.jsonl"
    path.write_text(path.read_text()[:-20])
    assert len(read(tmp_path, "a")) == 1
    assert not complete(tmp_path, "a", Tiny())


def test_runs_of_other_settings_are_not_taken_for_these(tmp_path):
    one(tmp_path, "a", Tiny())
    with pytest.raises(ConfigError, match=r"answers was 2, is now 3.*--out"):
        complete(tmp_path, "a", Tiny(answers=3))


def test_what_fails_is_told_and_a_bug_is_kept_whole(tmp_path):
    assert one(tmp_path, "a", Tiny(broken="mend")) == "The pool is empty."
    reason = one(tmp_path, "b", Tiny(broken="bug"))
    assert reason.startswith("ZeroDivisionError: by zero (see ")
    assert "Traceback" in (tmp_path / "b.error.txt").read_text()
    assert not (tmp_path / "a.error.txt").exists()


def test_strategies_are_tried_on_a_few_contexts_first():
    rehearse(Tiny(), ["random", "bald"])
    with pytest.raises(ObservationError, match=r"'information' cannot choose .* 'bagofwords'"):
        rehearse(Tiny(), ["random", "information"])


def test_runs_side_by_side(tmp_path):
    done, seen = tmp_path / "done.jsonl", []
    one(tmp_path, "done", Tiny())
    before = done.stat().st_mtime_ns
    (tmp_path / "half.jsonl").write_text(done.read_text().split("\n")[0] + "\n")
    plans = {"done": Tiny(), "half": Tiny(), "lost": Tiny(broken="mend")}
    runs = run_all(plans, tmp_path, processes=1, watch=lambda *told: seen.append(told))
    assert runs.failures == {"lost": "The pool is empty."}
    assert [len(runs.mornings[name]) for name in ("done", "half")] == [2, 2]
    assert done.stat().st_mtime_ns == before
    assert {("done", 2, 2), ("half", 2, 2), ("lost", 2, 2)} <= set(seen)
    again = run_all({n: plans[n] for n in ("done", "half")}, tmp_path)
    assert again.mornings == runs.mornings


@pytest.mark.parametrize("rehearsal", [None, (Tiny(), ["random"])])
def test_a_process_that_crashes_is_told_with_its_cure(tmp_path, monkeypatch, rehearsal):
    class Crashes:
        def submit(self, work, *args):
            future = Future()
            future.set_exception(BrokenProcessPool())
            return future

    @contextmanager
    def leashed(processes):
        yield Crashes()

    monkeypatch.setattr(simulations, "leashed", leashed)
    with pytest.raises(ConfigError, match=r"ended abruptly.*fewer --processes"):
        run_all({"a": Tiny()}, tmp_path, rehearsal=rehearsal)


def test_one_command_at_a_time_writes_to_a_folder(tmp_path):
    with (
        FileLock(tmp_path / "simulations.lock", "busy"),
        pytest.raises(LockedError, match="already run"),
    ):
        run_all({"a": Tiny()}, tmp_path)


def test_threads_are_set_only_for_those_begun_meanwhile(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with one_thread():
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("3", "1")
    assert "MKL_NUM_THREADS" not in os.environ
