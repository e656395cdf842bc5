"""The server as a process: killed under load, and while a night trains."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import uuid
from itertools import pairwise

import pytest

from nightschool.app import School
from nightschool.app.morning.day import day

from ..conftest import make_school
from .server import Server

CLIENTS = 20
CUT = (OSError, http.client.HTTPException)
"""What a client sees of a server that is killed: no connection, or half a reply."""


@pytest.fixture
def server(tmp_path):
    made = Server(make_school(tmp_path / "school", questions=200))
    made.start()
    yield made
    if made.process.poll() is None:
        made.kill()


def client(server, number, acknowledged, stop):
    """Answers as a page does: its own ids, and it retries until the server says "kept"."""
    person = f"p{number}"
    while not stop.is_set():
        try:
            question = server.get(f"/api/next?person={person}")["question"]
        except CUT:
            time.sleep(0.05)
            continue
        if question is None:
            return
        name = str(uuid.uuid4())
        body = {"id": name, "question_id": question["id"], "person": person}
        body |= {"reply": "answer", "text": f"from {person}", "seconds": 1.0}
        while True:
            try:
                server.post("/api/answers", body)
                acknowledged.append((name, question["id"]))
                break
            except urllib.error.HTTPError as error:
                raise AssertionError(error.read()) from error
            except CUT:
                if stop.is_set():
                    return
                time.sleep(0.05)


def test_no_acknowledged_answer_is_missing_when_the_server_is_killed(server):
    acknowledged: list[tuple[str, str]] = []
    stop = threading.Event()
    clients = [
        threading.Thread(target=client, args=(server, i, acknowledged, stop))
        for i in range(CLIENTS)
    ]
    for thread in clients:
        thread.start()
    for kills in range(3):
        enough = 15 * (kills + 1)
        deadline = time.monotonic() + 30
        while len(acknowledged) < enough and time.monotonic() < deadline:
            time.sleep(0.01)
        server.kill()
        server.start()
    time.sleep(0.5)
    stop.set()
    for thread in clients:
        thread.join(30)
        assert not thread.is_alive()
    server.kill()
    with School.open(server.folder) as school:
        kept = [a.id for a in school.warehouse.answers()]
        lives = school.warehouse.timelines.since(0.0)
    assert all(life.open for life in lives)
    assert all(one.ended <= next.began for one, next in pairwise(lives)), "counted twice"
    assert (len(lives), day(lives, [], time.time() + 100.0).cut) == (4, 4)
    assert len(acknowledged) >= 45
    assert {name for name, _ in acknowledged} <= set(kept)
    assert len(kept) == len(set(kept))
    asked = [question for _, question in acknowledged]
    assert len(asked) == len(set(asked)), "two people were given one question"


def test_a_night_runs_while_people_answer_and_its_promotion_is_served(server):
    import sys
    from subprocess import run

    from nightschool.oracles import ScriptedOracle
    from nightschool.types import Context, Document, Partition, Question

    from ..conftest import world

    oracle = ScriptedOracle({Context.of(c).id: a for c, a, _ in world(300, 0)})
    for _ in range(80):
        question = server.get("/api/next?person=anna")["question"]
        record = Question("", Context.of(question["text"]), Partition.TRAINING, "", 0.0, "", 0, 0)
        said = oracle.answer(record).document or Document("none")
        body = {"id": str(uuid.uuid4()), "question_id": question["id"], "person": "anna"}
        server.post("/api/answers", body | {"reply": "answer", "text": said.body, "seconds": 1})
    command = [sys.executable, "-m", "nightschool", "--school", str(server.folder), "night"]
    done = run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    status = server.get("/api/status")
    assert status["champion"] == "v1", done.stdout
    assert status["answers"] == 80


def test_ctrl_c_ends_the_server_and_frees_the_lock(server):
    assert server.stop() in (0, 130, -2)
    server.start()


def test_the_schedule_starts_a_night_as_a_process(tmp_path):
    from nightschool.app.nights import NightProcess, schedule

    folder = make_school(tmp_path / "s")
    with School.open(folder) as school:
        asked: list[str] = []
        night = NightProcess(folder, school.config, "--log-format", "json", note=asked.append)
        assert night.start("anna")
        assert not night.start("bert"), "two nights at once"
        assert asked == ["anna"], "who began one, and nobody who did not"
        deadline = time.monotonic() + 60
        while night.running and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [v.night for v in school.warehouse.verdicts()] == [1]
        told = (folder / "night.log").read_text()
        assert "Night 1" in told
        (line,) = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
        assert (line["event"], line["night"]) == ("night ended", 1)
        stop = schedule(school.config, night.start)
        stop()


def test_a_night_that_is_stopped_is_resumed_by_the_next(tmp_path, oracle):
    from nightschool.app.nights import NightProcess
    from nightschool.loop import teach

    folder = make_school(tmp_path / "s")
    with School.open(folder) as school:
        teach(school, oracle, 20)
        night = NightProcess(folder, school.config)
        night.start(environment={"NIGHTSCHOOL_FAULT": "fit.step:5"})
        night._process.wait(60)
        assert school.warehouse.verdicts() == []
        night.start()
        night._process.wait(60)
        assert [v.night for v in school.warehouse.verdicts()] == [1]
