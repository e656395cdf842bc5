"""`teach`: one oracle, one trial at a time; and a cure where there is nothing to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.cli import main
from nightschool.cli.serve import interrupt_on_term

from ..stranger.lab import PACKAGE, install, make_spring_school

SLOW = """
import sys, time
from pathlib import Path
import spring
from nightschool.cli import main

begin, marks = spring.Spring.begin, Path(sys.argv[1])

def began(self, start, seed):
    (marks / "began").touch()
    return begin(self, start, seed)

spring.Spring.begin = began
spring.Spring.step = lambda self, action: time.sleep(60)
spring.Spring.stop = lambda self: (marks / "stopped").touch()
main(["--school", sys.argv[2], "teach"])
"""


@pytest.fixture(autouse=True)
def installed(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")


@pytest.fixture
def signals():
    """Puts back what a command does to the handlers of this process."""
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def teach(folder, *args, code=0):
    result = CliRunner().invoke(main, ["--school", str(folder), "teach", *map(str, args)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.usefixtures("signals")
def test_where_the_oracle_answers_already_a_second_teach_is_refused(tmp_path):
    folder = make_spring_school(tmp_path / "s", questions=1)
    with School.open(folder) as school, school.warehouse.oracle_lock():
        told = teach(folder, code=1)
        assert "oracle is answering already (serve, or another teach)" in told
        assert f"process {os.getpid()} holds" in told
        assert school.warehouse.queue_left() == 0
    assert "Questions put to system: 1 (1 answer)." in teach(folder)


@pytest.mark.usefixtures("signals")
def test_a_school_without_an_oracle_draws_no_questions(school_folder):
    assert "people answer" in teach(school_folder, code=1)
    with School.open(school_folder) as school:
        assert school.warehouse.queue_left() == 0


@pytest.mark.usefixtures("signals")
def test_where_nothing_waits_the_cure_is_told(tmp_path):
    init_school(tmp_path / "s", settings={"learner": "bagofwords", "oracle": "arithmetic"})
    told = teach(tmp_path / "s")
    assert "Nothing waits: add contexts with `nightschool pool add FILE`" in told
    assert "or let a night choose with `nightschool night`." in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_teach_that_is_ended_in_a_trial_stops_the_system(tmp_path, number):
    folder = make_spring_school(tmp_path / "s", questions=1)
    path = (str(PACKAGE), os.environ.get("PYTHONPATH", ""))
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(tmp_path), str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while not (tmp_path / "began").exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert (tmp_path / "began").exists()
        time.sleep(0.2)
        process.send_signal(number)
        process.wait(10)
        assert (tmp_path / "stopped").exists()
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("signals")
def test_what_was_ignored_from_the_start_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    interrupt_on_term()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
