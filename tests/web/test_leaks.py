"""Nobody is shown what belongs to another school or another person."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from nightschool.app import School, passwords
from nightschool.app.init import init_school
from nightschool.types import Answer, Context, Document, Reply
from nightschool.types.people import Right, Role
from nightschool.web import create_app
from nightschool.web.door import cookie_name
from nightschool.web.openapi import rights

HOME = "http://127.0.0.1:8000"
SECRET = "sesquipedalian"
"""What berta answered, and nobody else may read."""


def a_school(folder: Path, topic: str) -> School:
    init_school(folder, settings={"learner": "bagofwords", "questions": 8, "seed": 3})
    school = School.open(folder)
    school.add_contexts(Context.of(f"The {topic} number {n} is") for n in range(40))
    for person, role in (("olga", Role.OWNER), ("bert", Role.TEACHER), ("berta", Role.TEACHER)):
        accounts = school.accounts
        link = accounts.invite(role, "olga", person) if accounts.has_owner() else None
        accounts.join(link or accounts.owner_link("serve"), person, "four words of salt")
    return school


def client_of(school: School, person: str, app: Any = None) -> TestClient:
    client = TestClient(app or create_app(school, accounts=school.accounts), base_url=HOME)
    token = school.accounts.add_token(person, "script", person)
    client.headers["authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def schools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[School, School]]:
    """Two schools with the same people; in the first berta answered and left a note."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    with a_school(tmp_path / "one", "apple") as one, a_school(tmp_path / "two", "comet") as two:
        for school in (one, two):
            school.night()
        asked = one.next_question("berta")
        assert asked is not None
        name = str(uuid.uuid4())
        document = Document(SECRET)
        one.keep(Answer(name, asked.id, "berta", Reply.ANSWER, document, 2.0, one.now(), SECRET))
        yield one, two


def test_a_teacher_reads_nothing_of_another_teacher(schools: tuple[School, School]) -> None:
    """Every route that can be read is asked with berta's own ids, by name and by guess."""
    one, _ = schools
    [kept] = one.warehouse.answers()
    app = create_app(one, accounts=one.accounts)
    bert, berta, olga = (client_of(one, who, app) for who in ("bert", "berta", "olga"))
    seen = f"{one.question(kept.question_id).context.id:016x}"
    names = (kept.id, kept.question_id, seen, "berta", "../nightschool.toml", "..%2Flog.db")
    read = 0
    for (method, path), right in rights(app).items():
        if method != "get" or right is None:
            continue
        for name in names if "{" in path else [""]:
            at = "/".join(name if part.startswith("{") else part for part in path.split("/"))
            reply = bert.get(at, params={"person": "berta"})
            assert reply.status_code < 500, at
            assert SECRET not in reply.text, at
            assert "partition_key" not in reply.text, at
            assert reply.headers["cache-control"] == "no-store", at
            if right in (Right.READ, Right.USE, Right.MANAGE):
                # A path that the router takes for another one leads nowhere at all.
                assert reply.status_code in ((403, 404) if "." in at else (403,)), at
            read += reply.status_code == 200
    assert read > 8, "he could hardly read anything, so nothing was tested"
    # The same sweep does find it for whoever may see it.
    found = [olga.get(p).text for p in ("/api/warehouse/answers", f"/api/warehouse/records/{seen}")]
    assert all(SECRET in text for text in found)
    assert "berta" not in bert.get("/api/me").text
    assert berta.get("/api/me").json()["person"] == "berta"


def test_a_teacher_changes_nothing_of_another_teacher(schools: tuple[School, School]) -> None:
    one, _ = schools
    [kept] = one.warehouse.answers()
    bert = client_of(one, "bert")
    assert bert.post("/api/undo", json={"person": "berta"}).json()["undone"] is False
    refused = bert.post("/api/undo", json={"answer_id": kept.id, "person": "berta"})
    assert refused.status_code == 422, refused.text
    assert SECRET not in refused.text
    forged = {"id": kept.id, "question_id": kept.question_id, "reply": "answer", "text": "mine"}
    told = bert.post("/api/answers", json={**forged, "person": "berta"})
    assert told.status_code in (409, 422)
    assert SECRET not in told.text
    new = bert.get("/api/next", params={"person": "berta"}).json()["question"]
    sent = {"id": str(uuid.uuid4()), "question_id": new["id"], "reply": "answer", "text": "red"}
    assert bert.post("/api/answers", json={**sent, "person": "berta"}).status_code == 201
    assert one.warehouse.answer(sent["id"]).person == "bert", "it was kept in another's name"
    assert [a.id for a in one.warehouse.answers() if a.person == "berta"] == [kept.id]
    # What examines and why a question was chosen stays unsaid to those who answer it.
    assert not {"partition", "strategy", "score", "guess"} & set(new)


def test_a_key_of_one_school_opens_no_other(schools: tuple[School, School]) -> None:
    one, two = schools
    token = one.accounts.add_token("olga", "script", "olga")
    session = one.accounts.sign_in("olga", "four words of salt")
    assert session is not None
    with TestClient(create_app(two, accounts=two.accounts), base_url=HOME) as stranger:
        for headers in (
            {"authorization": f"Bearer {token}"},
            {"cookie": f"{cookie_name(two.folder)}={session.secret}"},
            {"cookie": f"{cookie_name(one.folder)}={session.secret}"},
        ):
            assert stranger.get("/api/status", headers=headers).status_code == 401
            assert stranger.get("/api/people", headers=headers).status_code == 401
    # Ids of the other school's records name nothing here.
    [kept] = one.warehouse.answers()
    seen = f"{one.question(kept.question_id).context.id:016x}"
    olga = client_of(two, "olga")
    for path in (
        f"/api/pictures/{kept.id}",
        f"/api/experiments/{kept.id}",
        f"/api/warehouse/records/{seen}",
    ):
        reply = olga.get(path)
        assert reply.status_code == 404, path
        assert SECRET not in reply.text
    everything = olga.get("/api/warehouse/contexts").text
    assert "comet" in everything
    assert "apple" not in everything


@pytest.mark.parametrize(
    "path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "....//app.py", "/etc/passwd"]
)
def test_no_path_leads_out_of_the_static_files(client: TestClient, path: str) -> None:
    reply = client.get(f"/static/{path}", follow_redirects=False)
    assert reply.status_code in (403, 404)
    assert "import" not in reply.text
