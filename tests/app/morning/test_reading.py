"""The morning of a real school, and the timeline of a real night."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from tests.integration.server import Server

from nightschool.app import School
from nightschool.app.morning import reading
from nightschool.app.morning.bits import bits, surprise
from nightschool.app.morning.estimates import difference, mean_of, wilson
from nightschool.cli.main import main
from nightschool.loop import teach
from nightschool.oracles import ScriptedOracle

NIGHT = """
import sys, time
from nightschool.learners import bagofwords
fit = bagofwords.BagOfWords.fit
def slow(self, *args, **kwargs):
    time.sleep(3.0)  # so that the whole is long against the starting and ending of an interpreter
    return fit(self, *args, **kwargs)
bagofwords.BagOfWords.fit = slow
from nightschool.cli import run
sys.argv[1:] = ["-s", sys.argv[1], "night"]
run()
"""

SERVE = """
import sys
from nightschool.app import nights
nights.nice_prefix = lambda: []
night = sys.argv.pop(1)
nights.night_command = lambda folder, *_: [sys.executable, "-c", night, str(folder)]
from nightschool.cli import run
run()
"""


def test_the_timelines_of_a_server_and_of_its_night_add_up_to_their_wall_clocks(
    school_folder: Path, oracle: ScriptedOracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with School.open(school_folder) as school:
        teach(school, oracle, 20)
    time.sleep(0.05)  # the system dates the birth of a process by some hundredths of a second
    server = Server(school_folder, how=("-c", SERVE, NIGHT))
    began = time.time()
    server.start()
    assert server.get("/api/next?person=anna")["question"]
    asked = time.time()
    server.post("/api/night", {})
    started = time.time()  # at the latest
    assert server.process is not None
    (night,) = psutil.Process(server.process.pid).children()
    while night.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.005)
    walls = {"night": time.time() - started}
    server.stop()
    walls["serve"] = time.time() - began
    with School.open(school_folder) as school:
        slices = {s.process: s for s in school.warehouse.timelines.since(began)}
        for name, wall in walls.items():
            assert sum(slices[name].parts.values()) == pytest.approx(slices[name].wall)
            assert slices[name].wall >= 0.98 * wall, name
            assert slices[name].wall <= wall + (started - asked) + 0.05, name
            assert not slices[name].open
        assert {"loading", "waiting", "asking", "showing"} <= set(slices["serve"].parts)
        found = slices["night"]
        assert found.night == 1
        assert asked - 0.05 <= found.began <= started
        assert found.parts["training"] >= 3.0
        assert {"loading", "curating", "examining", "choosing", "posting"} <= set(found.parts)

        morning = school.morning.read()
        assert sum(morning.day.parts.values()) == pytest.approx(86400.0)
        assert morning.growth is None  # nobody answered in a process whose time was kept
        ours = found.parts["training"]
        assert morning.day.parts["training"] == pytest.approx(ours, rel=0.01)
        (night,) = morning.nights
        (verdict,) = school.warehouse.verdicts()
        assert night.after is not None
        assert night.after.value == verdict.after
        assert night.after.low < verdict.after < night.after.high
        assert night.answers == len(school.warehouse.trained())
        effort = morning.effort
        assert (effort.answers, effort.given, effort.seconds) == (20, 20, 40.0)
        spells = school.warehouse.digest.spells(0.0, 1.5)  # of 2 seconds each
        assert [end - begin for begin, end in spells] == pytest.approx([1.5] * 20)
        before = night.before
        assert before is not None
        assert morning.effort.examined == 40.0
        assert morning.effort.gain is None  # a gain a minute from 40 seconds would be made up
        monkeypatch.setattr(reading, "ENOUGH", 30.0)
        effort = school.morning.read().effort
        assert effort.gain is not None
        gained = (night.after.value - before.value) / (40.0 / 60.0)
        assert effort.gain.value == pytest.approx(gained)
        assert morning.bits.told is not None
        assert morning.target.answers is None
        assert morning.lead is None
        json.dumps(morning.as_dict(), allow_nan=False)

    run = CliRunner().invoke(main, ["-s", str(school_folder), "report"])
    assert run.exit_code == 0, run.output
    assert "Night 1" in run.output
    html = school_folder.parent / "morning.html"
    asked = ["-s", str(school_folder), "report", "--html", str(html), "--only", "nights"]
    told = CliRunner().invoke(main, asked)
    assert json.loads(told.output.partition("\n")[2])[0]["night"] == 1
    assert "uPlot" in html.read_text()
    for names in morning.commands.values():
        if "--only" in names[0]:
            part = names[0].rpartition(" ")[2]
            assert part in morning.as_dict()
    wrong = CliRunner().invoke(main, ["-s", str(school_folder), "report", "--only", "nothing"])
    assert "it has at, status, nights" in wrong.output


def test_intervals() -> None:
    # Newcombe 1998, table II (a): 56/70 - 48/80 is 0.2, from 0.0524 to 0.3339.
    first, second = wilson(56 / 70, 70), wilson(48 / 80, 80)
    assert first is not None
    assert second is not None
    found = difference(first, second)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert wilson(math.nan, 5) is None
    assert wilson(0.5, 0) is None
    assert mean_of([1.0]) is None
    mean = mean_of([1.0, 3.0])
    assert mean is not None
    assert (mean.low, mean.value, mean.high) == pytest.approx((-10.706, 2.0, 14.706), abs=1e-3)


def test_bits() -> None:
    told = surprise([0.5, 0.25, 1.0, math.nan, 0.0])
    assert told is not None
    assert told.value == pytest.approx((1 + 2 + 0 + 10) / 4)
    assert bits([0.5, 0.5], 4, 0.0).most == pytest.approx(2.0)
    free = bits([0.5, 0.5], 0, 0.0)
    assert free.most is None
    assert "open text" in free.why
    assert bits([0.5, 0.5], 4, 0.0, probabilities=False).told is None
