"""The two pages and the status."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from web_fakes import VERDICT, FakeSchool, FakeStatus

from nightschool.web import create_app
from nightschool.web.report import curves, duration, percent, view

WEB = Path(sys.modules["nightschool.web"].__file__ or "").parent
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_the_page_has_no_inline_script_or_style(client: TestClient) -> None:
    for path in ("/", "/status"):
        html = client.get(path).text
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


def test_the_status_page_tells_everything(client: TestClient) -> None:
    html = client.get("/status").text
    for told in ("Too few items to tell.", "50.0 %", "55.0 %", "v7", "31", "1 min 32 s", "kept"):
        assert told in html
    assert "<polyline" in html


def test_a_new_school_has_a_status_page(school: FakeSchool) -> None:
    school.verdicts = []
    client = TestClient(create_app(school), base_url="http://127.0.0.1:8000")
    assert "No night yet." in client.get("/status").text
    assert view({})["curves"] == []


def test_the_status_page_tells_of_questions_that_the_model_wrote(school: FakeSchool) -> None:
    report = {"written": 1200, "asked": 30, "answerable": 28}
    report |= {"taught": [0.25, 0.75], "taught_by_pool": [0.5, 0.6]}
    told = {**school.status().as_dict(), "written": report}
    school.status = lambda: FakeStatus(told)  # type: ignore[method-assign]
    client = TestClient(create_app(school), base_url="http://127.0.0.1:8000")
    html = client.get("/status").text
    assert "1,200" in html
    assert "30 asked, 28 of them answerable, learned from 25.0 % to 75.0 %" in html
    assert "50.0 % to 60.0 %" in html
    assert view({"written": {**report, "taught": [None, None]}})["written"]["taught"] == ""
    low = view({"written": {**report, "taught_by_pool": [0.0, 0.6]}})["written"]["taught"]
    assert "0.0 % to 60.0 %" in low
    assert view({"written": {"written": 0}})["written"] is None


def test_status_as_json(client: TestClient) -> None:
    assert client.get("/api/status").json()["bank"] == 31


def test_a_path_that_is_not_there(client: TestClient) -> None:
    reply = client.get("/nowhere")
    assert (reply.status_code, "/nowhere" in reply.json()["error"]) == (404, True)
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "–"), (0.04, "0.0 s"), (59.94, "59.9 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told
    assert percent(0.625) == "62.5 %"
    assert percent(None) == "–"


def test_curves_leave_out_nights_without_an_exam() -> None:
    nights = [
        {**VERDICT, "night": 1, "before": None, "after": None},
        {**VERDICT, "night": 2, "before": 0.0, "after": 1.0},
        {**VERDICT, "night": 4, "before": 1.0, "after": 1.0},
    ]
    champion, trainee = curves(nights)
    assert champion.points == "8.0,172.0 632.0,8.0"
    assert trainee.points == "8.0,8.0 632.0,8.0"
    assert curves(nights[:1]) == []


def test_the_web_loads_without_torch() -> None:
    code = "import sys, nightschool.web; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
