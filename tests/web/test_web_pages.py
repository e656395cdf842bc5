"""The two pages and the status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from web_fakes import VERDICT, FakeSchool

from nightschool.web import create_app
from nightschool.web.report import duration, ledger, percent, state, view
from nightschool.web.standalone import standalone

WEB = Path(sys.modules["nightschool.web"].__file__ or "").parent
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_the_page_has_no_inline_script_or_style(client: TestClient) -> None:
    for path in ("/", "/status"):
        html = client.get(path).text
        # A block of data (JSON) is no script: no browser runs it.
        html = re.sub(r'<script type="application/json" id="\w+">', "", html)
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", html)


def test_every_file_that_is_named_is_there(client: TestClient) -> None:
    named = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/").text))
    assert len(named) >= 3
    for path in named:
        reply = client.get(path)
        assert reply.status_code == 200
        if path.endswith(".js"):
            assert "javascript" in reply.headers["content-type"]
            for name in re.findall(r'from "\./([^"]+)"', reply.text):
                assert (WEB / "static" / name).is_file()


def test_hostile_texts_are_escaped(school: FakeSchool) -> None:
    school.name = EVIL
    school.verdicts = [{**VERDICT, "reason": EVIL, "champion": EVIL}]
    client = TestClient(create_app(school), base_url="http://127.0.0.1:8000")
    for path in ("/", "/status"):
        html = client.get(path).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;alert" in html


def test_the_morning_tells_everything(client: TestClient) -> None:
    html = client.get("/status").text
    for told in ("Too few items to tell.", "50.0 %", "55.0 %", "v7", "31", "1 min 32 s", "kept"):
        assert told in html
    for told in ("45–55", "50–60", "2 min 50 s", "of at most 2.00", "1 min 0 s", "people 33.3 %"):
        assert told in html


def test_who_serves_comes_before_the_marks_and_seconds_make_no_gain(school: FakeSchool) -> None:
    why = "7 exam items, 20 are needed to compare (42.8 → 70.8 points)."
    school.verdicts = [{**VERDICT, "reason": f"v0 still serves: {why}"}]
    morning = school.morning.read().as_dict()
    morning["effort"] |= {"gain": None, "examined": 40.0, "enough": 300.0}
    found = view(morning)
    assert (found["headline"], found["reason"]) == ("Night 1: v0 still serves", why)
    assert found["state"][-1] == (
        "of 40 answers: 25 learned (in 23 examples), 9 about exam items, 2 without an answer, "
        "4 outweighed or in dispute; 45 more were taken back"
    )
    assert found["rows"][0]["reason"] == why
    assert found["tiles"][2]["value"] == "–"
    assert "from 5 min 0 s of people’s time on; 40.0 s so far" in found["tiles"][2]["lines"][0]
    assert found["tiles"][1]["lines"] == [
        "2.0 s an answer, each person’s own",
        "with 45 taken back",
    ]
    morning["effort"]["examined"] = 0.0  # an exam, of the model as it was brought
    assert "0.0 s so far" in view(morning)["tiles"][2]["lines"][0]
    morning["effort"]["examined"] = None
    assert view(morning)["tiles"][2]["lines"] == ["no exam yet"]
    nights = {"low": 21.5, "middle": None, "high": None}
    morning["target"] |= {"nights": nights}
    perhaps = view(morning)["tiles"][5]
    assert (perhaps["value"], perhaps["lines"]) == ("perhaps never", ["22 nights at the earliest"])


def test_a_new_school_has_a_morning(school: FakeSchool) -> None:
    school.verdicts = []
    client = TestClient(create_app(school), base_url="http://127.0.0.1:8000")
    assert "No night yet." in client.get("/status").text


def test_every_number_of_the_morning_names_its_command(client: TestClient) -> None:
    html = client.get("/status").text
    opened = re.findall(r'popovertarget="([^"]+)"', html)
    assert len(opened) == len(set(opened)) >= 11
    for name in opened:
        assert re.search(rf'popover id="{name}">.*?<code>nightschool [a-z]', html)
    tiles = html[html.index('class="tiles"') : html.index("</dl>")]
    assert tiles.count("<dt>") == tiles.count("popovertarget=") == 6


def test_the_morning_tells_of_questions_that_the_model_wrote(school: FakeSchool) -> None:
    told = {
        **school.status().as_dict(),
        "written": {"written": 1200, "asked": 30, "answerable": 28},
    }
    assert "1,200 written by the model, 30 asked, 28 of them answerable" in state(told)
    assert not any("written" in fact for fact in state({**told, "written": {"written": 0}}))


def test_the_report_is_one_file_that_fetches_nothing(school: FakeSchool) -> None:
    school.verdicts = [{**VERDICT, "reason": EVIL}]
    html = standalone(EVIL, school.morning.read().as_dict())
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", html)
    assert "url(" not in html.lower().replace("url(#", "")
    assert "default-src 'none'" in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_page_and_the_api_give_the_same_points(client: TestClient) -> None:
    html = client.get("/status").text
    shown = json.loads(re.search(r'id="data">(.*?)</script>', html)[1])  # type: ignore[index]
    given = client.get("/api/morning").json()
    assert shown == {key: given[key] for key in ("nights", "growth", "target")}


def test_slight_states_are_shown_together_and_nothing_is_lost() -> None:
    rows = ledger({"training": 100.0, "posting": 0.4, "keeping": 0.5, "idle": 899.1})
    assert [(row["state"], row["told"]) for row in rows[:2]] == [
        ("training", "1 min 40 s"),
        ("other", "0.9 s"),
    ]
    assert rows[-1]["state"] == "idle"
    assert [row["bar"] for row in rows] == [100.0, 0.9, None]  # one scale: that of the steps
    assert sum(row["width"] for row in rows) == pytest.approx(1000.0, abs=0.01)


def test_status_as_json(client: TestClient) -> None:
    assert client.get("/api/status").json()["bank"] == 31


def test_a_browser_finds_an_icon(client: TestClient) -> None:
    assert client.get("/favicon.ico").content[:4] == b"\0\0\1\0"
    assert '<link rel="icon" href="/favicon.ico"' in client.get("/status").text


def test_a_path_that_is_not_there(client: TestClient) -> None:
    reply = client.get("/nowhere")
    assert (reply.status_code, "/nowhere" in reply.json()["error"]) == (404, True)
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/docs", "/redoc"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "–"), (0.04, "0.0 s"), (59.94, "59.9 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told
    assert percent(0.625) == "62.5 %"
    assert percent(None) == "–"


def test_the_web_loads_without_torch() -> None:
    code = "import sys, nightschool.web; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
