"""Every route names its right, and each role is turned away from each route that it may not call.

The table is written by hand: who adds a route decides here who may call it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient
from web_fakes import FakeSchool

from nightschool.app import School, passwords
from nightschool.app.init import init_school
from nightschool.types.people import Role
from nightschool.web import create_app, openapi

ROUTES = """
GET / look
GET /api/audit manage
GET /api/expected/{question_id} answer
GET /api/experiments read
GET /api/experiments/{answer_id} read
GET /api/export read
GET /api/figures manage
GET /api/invitations manage
GET /api/me answer
GET /api/me/export answer
GET /api/morning look
GET /api/next answer
GET /api/night look
GET /api/people manage
GET /api/pictures/{answer_id} look
GET /api/questions/{question_id} answer
GET /api/session -
GET /api/settle manage
GET /api/settle/{question_id} manage
GET /api/status look
GET /api/today answer
GET /api/tokens look
GET /api/versions look
GET /api/versions/{version} read
GET /api/versions/{version}/said read
GET /api/warehouse/answers read
GET /api/warehouse/contexts read
GET /api/warehouse/records/{record} read
GET /api/yesterday answer
GET /experiments read
GET /favicon.ico -
GET /join/{link} -
GET /login -
GET /me look
GET /metrics look
GET /openapi.json look
GET /people manage
GET /settle manage
GET /status look
GET /v1/models use
GET /v1/models/{name} use
GET /versions look
GET /versions/{version} read
GET /warehouse read
GET /warehouse/{record} read
POST /api/answers answer
POST /api/invitations manage
POST /api/invitations/cancel manage
POST /api/join -
POST /api/night manage
POST /api/password look
POST /api/people/disable manage
POST /api/people/enable manage
POST /api/people/erase manage
POST /api/people/role manage
POST /api/people/sign_out manage
POST /api/people/withdraw manage
POST /api/rollback manage
POST /api/session -
POST /api/session/end -
POST /api/settle manage
POST /api/settle/undo manage
POST /api/tokens look
POST /api/tokens/revoke look
POST /api/undo answer
POST /api/versions/{version}/promote manage
POST /v1/chat/completions use
POST /v1/completions use
"""

EXPECTED = {
    (method.lower(), path): right
    for method, path, right in (line.split() for line in ROUTES.split("\n") if line)
}

MAY = {
    "owner": {"-", "answer", "look", "read", "use", "manage"},
    "teacher": {"-", "answer", "look"},
    "viewer": {"-", "look", "read", "use"},
    "stranger": {"-"},
}

PASSWORD = "four words of salt"


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TestClient]]:
    """A real school, and a machine of each role at its door."""
    folder: Path = tmp_path_factory.mktemp("rights") / "school"
    init_school(folder, settings={"learner": "bagofwords", "seed": 7})
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patched, School.open(folder) as school:
        patched.setattr(passwords, "_hasher", lambda: cheap)
        app = create_app(school, accounts=school.accounts)
        made = {}
        for name in MAY:
            client = TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False)
            if name != "stranger":
                person = f"one {name}"  # `owner` itself is nobody's name
                link = school.accounts.invite(Role(name), "serve", person)
                school.accounts.join(link, person, PASSWORD)
                token = school.accounts.add_token(person, "test", person)
                client.headers["authorization"] = f"Bearer {token}"
            made[name] = client
        yield made


def call(client: TestClient, method: str, path: str) -> int:
    """The code of a call, with what is named in the path made up."""
    place = path.replace("{", "").replace("}", "")
    return client.request(method, place, **({"json": {}} if method == "post" else {})).status_code


def test_every_route_names_the_right_that_is_written_here(clients: dict[str, TestClient]) -> None:
    rights = openapi.rights(clients["owner"].app)  # raises for a route without one
    found = {place: right.value if right else "-" for place, right in rights.items()}
    assert found == EXPECTED


def test_a_route_without_a_right_is_found() -> None:
    app = create_app(FakeSchool.of("One and one is"))

    @app.get("/api/forgotten")
    def forgotten() -> None:
        """Whoever wrote this thought of no right."""

    with pytest.raises(LookupError, match="/api/forgotten names no right"):
        openapi.rights(app)


@pytest.mark.parametrize("name", MAY)
def test_a_role_is_turned_away_from_what_it_may_not_call(
    clients: dict[str, TestClient], name: str
) -> None:
    refused = {p: r for p, r in EXPECTED.items() if r not in MAY[name]}
    codes = {place: call(clients[name], *place) for place in refused}
    turned = {403} if name != "stranger" else {401, 303}
    assert {place: code for place, code in codes.items() if code not in turned} == {}
    assert bool(refused) == (name != "owner")


@pytest.mark.parametrize("name", MAY)
def test_a_role_is_let_in_to_what_it_may_see(clients: dict[str, TestClient], name: str) -> None:
    mine = [place for place, r in EXPECTED.items() if r in MAY[name] and place[0] == "get"]
    codes = {place: call(clients[name], *place) for place in mine}
    turned = (401, 403, 500)
    assert {place: code for place, code in codes.items() if code in turned} == {}
    assert len(mine) > (2 if name == "stranger" else 12)
