"""The Python client and the opened folder: the same calls, over a network and without."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import httpx2
import pytest
import uvicorn

import nightschool
from nightschool.app import School
from nightschool.app.logs import set_up
from nightschool.client import RETRIES, Classroom, Client, SchoolError
from nightschool.types.people import Role
from nightschool.web import create_app
from nightschool.web.machines import Machines

from ..conftest import make_school


class Nights:
    """Runs the school's nights in a thread of this process."""

    def __init__(self, school: School) -> None:
        self.school = school
        self.thread = threading.Thread(target=self.school.night)

    @property
    def running(self) -> bool:
        return self.thread.is_alive()

    def start(self, by: str) -> bool:
        self.thread = threading.Thread(target=self.school.night)
        self.thread.start()
        return True


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = make_school(tmp_path_factory.mktemp("client") / "school")
    with School.open(folder) as school:
        yield school


@pytest.fixture(scope="module")
def url(school: School) -> Iterator[str]:
    app = create_app(school, accounts=school.accounts, machines=Machines(Nights(school)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def tokens(school: School) -> dict[Role, str]:
    accounts = school.accounts
    made = {}
    for role in (Role.OWNER, Role.TEACHER):
        name = f"the {role.value}"
        accounts.join(accounts.invite(role, "test"), name, "a long password of mine")
        made[role] = accounts.add_token(name, "client", name)
    return made


def a_day(room: Classroom) -> list[str]:
    """What every classroom can do by day; the ids of 12 answers that count."""
    ids = []
    for _ in range(12):
        question = room.ask()
        assert question is not None
        assert question.text.endswith("It is")
        ids.append(room.answer(question, "green", note="why not"))
    ids.append(room.skip(next(room.questions()), "cant_tell"))
    assert room.undo() is True
    assert room.status()["answers"] == 12
    own = {row["id"]: row for row in room.export("own")}
    assert own.keys() == set(ids)
    assert [own[id]["reply"] for id in ids] == ["answer"] * 12 + ["cant_tell"]
    assert [own[id]["retracted"] for id in ids] == [""] * 12 + ["undo"]
    assert {own[id]["note"] for id in ids[:12]} == {"why not"}
    assert all(0 < own[id]["seconds"] < 10 for id in ids)
    return ids[:12]


def test_a_day_and_a_night_over_the_network(
    url: str, school: School, tokens: dict[Role, str]
) -> None:
    with nightschool.connect(url, tokens[Role.TEACHER]) as teacher:
        kept = school.answer_with_id(a_day(teacher)[0])
        assert kept is not None
        assert kept.person == "the teacher"
        for call in (teacher.night, lambda: teacher.export("answers")):
            with pytest.raises(SchoolError, match="teacher may not") as refused:
                call()
            assert refused.value.code == 403
    with nightschool.connect(url, tokens[Role.OWNER]) as owner:
        verdict = owner.night(every=0.05)
        assert (verdict["night"], verdict["serves"]) == (1, school.champion().id)
        assert owner.export("own") == [], "their own, not everybody's"
        groups = {row["group"] for row in owner.export()}
        assert len(groups) > 1
        group = min(groups)
        assert {row["group"] for row in owner.export("answers", group=group)} == {group}
        with pytest.raises(SchoolError, match="half a character"):
            owner.export("answers", person="\0")
        with pytest.raises(SchoolError, match="does not complete texts"):
            owner.complete("The sky is")
        assert "nightschool_nights_total 1.0" in owner.metrics()
    for token, told in ((None, "Sign in first"), ("ns_old", "not good here")):
        with nightschool.connect(url, token) as stranger, pytest.raises(SchoolError) as refused:
            stranger.ask()
        assert refused.value.code == 401
        assert told in str(refused.value)
        assert "nightschool people token" in str(refused.value)


def test_the_same_calls_without_a_server(tmp_path: Path) -> None:
    with nightschool.open(make_school(tmp_path / "school"), person="anna") as school:
        room: Classroom = school
        a_day(room)
        verdict = room.night()
        assert (verdict["night"], room.status()["answers"]) == (1, 12)
        assert len(room.export("own")) == 13
        assert {row["answer"] for row in room.export()} == {"green"}
        left = sum(1 for asked in school.questions() if room.skip(asked, "bad_question"))
        assert left > 0
        assert room.ask() is None


def test_what_fails_on_its_way_is_sent_again_and_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    sent: list[dict] = []
    troubles: list[int] = [0, 503, 429, 200]

    def server(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.content))
        code = troubles.pop(0)
        if not code:
            raise httpx2.ReadError("the line was cut", request=request)
        return httpx2.Response(code, json={"error": "busy"})

    question = nightschool.client.Asked("q1", "One and one is")
    with Client("http://x", person="anna", transport=httpx2.MockTransport(server)) as school:
        name = school.answer(question, "two", seconds=1.5)
        assert [body["id"] for body in sent] == [name] * 4
        assert (sent[0]["person"], sent[0]["seconds"]) == ("anna", 1.5)
        assert slept == list(RETRIES[:3])
        for call in (school.undo, school.night):  # a second one would do more than was asked
            troubles[:] = [0]
            with pytest.raises(SchoolError, match="cannot be reached"):
                call()
        troubles[:] = [422]
        with pytest.raises(SchoolError, match="busy"):
            school.skip(question)
        troubles[:] = [0] * 5
        with pytest.raises(SchoolError, match="http://x"):
            school.answer(question, "two")
        assert troubles == []


def test_importing_it_loads_neither_torch_nor_the_school() -> None:
    code = (
        "import sys, nightschool; nightschool.connect('http://x');"
        "from nightschool.cli import main;"
        "heavy = {'torch', 'transformers', 'sqlalchemy', 'matplotlib', 'pyarrow'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_logs_are_one_json_a_line_and_hide_what_variables_held() -> None:
    import logging

    before = logging.getLogger().handlers[:]
    stream = StringIO()
    try:
        set_up("json", stream)
        logging.getLogger("nightschool.access").info("request", extra={"route": "/", "ms": 1.5})
        logging.getLogger("other").info("too little to say")
        secret = "what somebody wrote"  # noqa: F841
        try:
            raise ValueError("it broke")
        except ValueError:
            logging.getLogger("nightschool.web").exception("%s failed", "POST")
    finally:
        logging.getLogger().handlers = before
        logging.getLogger().setLevel(logging.WARNING)
        logging.getLogger("nightschool").setLevel(logging.NOTSET)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["route"], first["ms"]) == ("request", "/", 1.5)
    assert first["level"] == "info"
    assert first["logger"] == "nightschool.access"
    assert first["timestamp"].endswith("Z")
    assert second["event"] == "POST failed"
    assert "it broke" in json.dumps(second)
    assert "what somebody wrote" not in stream.getvalue()
