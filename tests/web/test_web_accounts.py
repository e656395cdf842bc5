"""The door of a school with accounts: sessions, tokens, links, forged and too many requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from argon2 import PasswordHasher
from starlette.testclient import TestClient
from web_fakes import FakeSchool, new_id

from limits import parse
from nightschool.app import passwords
from nightschool.app.accounts import Accounts
from nightschool.types import ConfigError
from nightschool.types.people import Role
from nightschool.warehouse import Warehouse
from nightschool.warehouse.audit import Audit
from nightschool.web import create_app, rates, run
from nightschool.web.trail import sentence

PASSWORD = "four words of salt"
HOME = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    with Warehouse.create(tmp_path / "s") as warehouse:
        made = Accounts(warehouse.accounts)
        made.join(made.owner_link("serve"), "anna", PASSWORD)
        for person, role in (("bert", Role.TEACHER), ("berta", Role.TEACHER), ("vera", "viewer")):
            made.join(made.invite(Role(role), "anna", person), person, PASSWORD)
        yield made


@pytest.fixture
def app(school: FakeSchool, accounts: Accounts) -> Any:
    return create_app(school, accounts=accounts)


Come = Callable[..., TestClient]


@pytest.fixture
def come(app: Any, accounts: Accounts) -> Come:
    """A client of a person: as a browser does, with session and mark; as a machine; or neither."""

    def made(person: str = "", machine: bool = False) -> TestClient:
        client = TestClient(app, base_url=HOME, follow_redirects=False)
        if machine:
            token = accounts.add_token(person, "script", person)
            client.headers["authorization"] = f"Bearer {token}"
        elif person:
            mark(client)
            body = {"person": person, "password": PASSWORD}
            assert client.post("/api/session", json=body).status_code == 200
        return client

    return made


def mark(client: TestClient) -> None:
    client.headers["x-csrftoken"] = client.get("/api/session").json()["csrf"]


def sent(**more: Any) -> dict[str, Any]:
    return {"id": new_id(), "question_id": "q0", "reply": "answer", "text": " two", **more}


def test_a_stranger_is_led_to_the_door_and_back(come: Come) -> None:
    stranger = come()
    for path in ("/", "/status", "/people", "/me", "/nowhere", "/status?a=1&b=/x"):
        reply = stranger.get(path)
        assert reply.status_code == 303
        assert reply.headers["location"].startswith("/login?next=")
    assert stranger.get("/status?a=1&b=/x").headers["location"] == (
        "/login?next=/status%3Fa%3D1%26b%3D/x"
    )
    assert [stranger.get(p).status_code for p in ("/login", "/static/session.js")] == [200, 200]


def test_a_stranger_is_told_so_by_the_api(come: Come) -> None:
    stranger = come()
    reply = stranger.get("/api/status")
    assert (reply.status_code, reply.json()["code"]) == (401, "signed_out")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert stranger.post("/api/answers", json=sent()).status_code == 401
    error = stranger.post("/v1/completions", json={"prompt": "a"}).json()["error"]
    assert error["type"] == "invalid_request_error", "as OpenAI's clients read it"
    assert "csrf" in stranger.get("/api/session").json()


def test_a_session_is_a_cookie_that_no_script_reads(come: Come, app: Any) -> None:
    client = TestClient(app, base_url=HOME)
    mark(client)
    body = {"person": "Anna", "password": PASSWORD}
    cookie = client.post("/api/session", json=body).headers["set-cookie"].lower()
    assert cookie.startswith("nightschool-")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie, "it would not come back over http"
    told = client.get("/api/session").json()
    assert (told["person"], told["role"], told["accounts"]) == ("anna", "owner", True)
    far = {"origin": HOME.replace("http", "https")}
    cookie = client.post("/api/session", json=body, headers=far).headers["set-cookie"].lower()
    assert "secure" in cookie


def test_signing_out_ends_the_session_itself(come: Come) -> None:
    client = come("bert")
    cookies = dict(client.cookies)
    assert client.get("/api/me").json()["person"] == "bert"
    client.post("/api/session/end", json={})
    client.cookies.update(cookies)  # a copy that somebody took of it
    assert client.get("/api/me").status_code == 401


def test_a_wrong_password_says_nothing_of_the_name(come: Come) -> None:
    client = come()
    told = [
        client.post("/api/session", json={"person": p, "password": "not this one"})
        for p in ("anna", "nobody")
    ]
    assert [r.status_code for r in told] == [403, 403]
    assert told[0].json() == told[1].json()
    assert "set-cookie" not in told[0].headers


def test_an_owner_shuts_somebody_out_at_once(come: Come) -> None:
    owner, teacher, machine = come("anna"), come("bert"), come("bert", machine=True)
    assert [c.get("/api/me").status_code for c in (teacher, machine)] == [200, 200]
    owner.post("/api/people/disable", json={"person": "bert"})
    assert [c.get("/api/me").status_code for c in (teacher, machine)] == [401, 401]
    body = {"person": "bert", "password": PASSWORD}
    assert teacher.post("/api/session", json=body).status_code == 403
    told = {p["person"]: p["disabled"] for p in owner.get("/api/people").json()["people"]}
    assert told == {"anna": False, "bert": True, "berta": False, "vera": False}


def test_the_last_owner_cannot_leave(come: Come) -> None:
    owner = come("anna")
    for path, more in (("role", {"role": "teacher"}), ("disable", {})):
        reply = owner.post(f"/api/people/{path}", json={"person": "anna", **more})
        assert (reply.status_code, "last owner" in reply.json()["error"]) == (409, True)


def test_a_link_is_used_once(come: Come) -> None:
    owner, guest = come("anna"), come()
    path = owner.post("/api/invitations", json={"role": "viewer"}).json()["path"]
    link = path.removeprefix("/join/")
    assert "invited to look" in guest.get(path).text
    mark(guest)
    body = {"link": link, "person": "gina", "password": PASSWORD}
    assert guest.post("/api/join", json=body).json() == {"person": "gina", "role": "viewer"}
    assert guest.get("/api/status").status_code == 200
    assert guest.post("/api/join", json={**body, "person": "second"}).status_code == 409
    assert "used before or is over" in come().get(path).text


def test_open_invitations_are_listed_without_what_opens_them(come: Come) -> None:
    owner = come("anna")
    path = owner.post("/api/invitations", json={"person": "carl"}).json()["path"]
    (listed,) = owner.get("/api/invitations").json()["invitations"]
    assert (listed["person"], listed["role"]) == ("carl", "teacher")
    assert path.removeprefix("/join/") not in owner.get("/people").text
    assert owner.post("/api/invitations/cancel", json={"id": listed["id"]}).json()["cancelled"]
    assert "is over" in come().get(path).text


def test_a_browser_must_show_the_pages_mark(come: Come) -> None:
    client = come("bert")
    del client.headers["x-csrftoken"]
    reply = client.post("/api/answers", json=sent())
    assert (reply.status_code, reply.json()["code"]) == (403, "csrf")
    other = come("berta").headers["x-csrftoken"]
    assert (
        client.post("/api/answers", json=sent(), headers={"x-csrftoken": other}).status_code == 403
    )
    mark(client)
    assert client.post("/api/answers", json=sent()).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [{b"x-csrftoken": b"\xe9"}, {b"cookie": b"\xff=1"}, {b"cookie": b'a="unended; b;;='}],
)
def test_broken_marks_are_no_failure(come: Come, headers: dict[bytes, bytes]) -> None:
    reply = come("bert").post("/api/answers", json=sent(), headers=list(headers.items()))
    assert reply.status_code in (401, 403)


@pytest.mark.parametrize("twice", ["x-csrftoken", "cookie"])
def test_a_mark_that_comes_twice_is_no_failure(come: Come, twice: str) -> None:
    client = come("bert")
    headers = [(twice.encode(), b"a=1"), (twice.encode(), b"\xe9")]
    reply = client.post("/api/answers", json=sent(), headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (403, "csrf")


def test_a_links_secret_is_in_no_log(
    come: Come, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    accounts.invitation = lambda _: 1 / 0  # type: ignore[assignment]
    with caplog.at_level("ERROR", "nightschool"):
        assert come().get("/join/ThisIsTheSecret").status_code == 500
    assert "/join/{link} failed" in caplog.text
    assert "ThisIsTheSecret" not in caplog.text


def test_a_machine_needs_no_mark_but_its_token(come: Come) -> None:
    machine = come("bert", machine=True)
    assert machine.post("/api/answers", json=sent()).status_code == 201
    machine.headers["authorization"] += "x"
    assert machine.post("/api/answers", json=sent()).status_code == 401


def test_a_machine_makes_neither_tokens_nor_passwords(come: Come) -> None:
    machine = come("anna", machine=True)
    new = {"old": PASSWORD, "new": "another password"}
    assert machine.post("/api/password", json=new).status_code == 409
    assert machine.post("/api/tokens", json={"name": "more"}).status_code == 409


def test_a_machine_lets_nobody_in_and_nobody_out_for_good(come: Come, accounts: Accounts) -> None:
    machine, bert = come("anna", machine=True), {"person": "bert"}
    for path, body in (
        ("/api/invitations", {"person": "carl"}),
        ("/api/invitations", {"person": "anna", "renew": True}),
        ("/api/people/role", {**bert, "role": "owner"}),
        ("/api/people/enable", bert),
        ("/api/people/erase", bert),
    ):
        reply = machine.post(path, json=body)
        assert (reply.status_code, "A token" in reply.json()["error"]) == (409, True), path
    assert accounts.invitations() == []
    assert machine.post("/api/people/disable", json=bert).status_code == 200


def test_tokens_are_shown_once_and_ended_by_their_person_or_an_owner(come: Come) -> None:
    bert = come("bert")
    secret = bert.post("/api/tokens", json={"name": "mine"}).json()["token"]
    (mine,) = bert.get("/api/tokens").json()["tokens"]
    assert secret not in bert.get("/api/tokens").text + bert.get("/me").text
    for other in ("berta", "vera"):
        client = come(other)
        assert client.get("/api/tokens?everybody=true").json()["tokens"] == []
        assert not client.post("/api/tokens/revoke", json={"id": mine["id"]}).json()["revoked"]
    machine = come()
    machine.headers["authorization"] = f"Bearer {secret}"
    assert machine.get("/api/me").json()["person"] == "bert"
    assert come("anna").post("/api/tokens/revoke", json={"id": mine["id"]}).json()["revoked"]
    assert machine.get("/api/me").status_code == 401


def test_who_answers_is_who_signed_in(come: Come, school: FakeSchool) -> None:
    bert = come("bert")
    first = sent(person="berta")
    assert bert.post("/api/answers", json=first).status_code == 201
    assert school.answers[first["id"]].person == "bert"
    asked: list[str] = []
    school.next_question = lambda person, hold=(), member=False: asked.append(person)  # type: ignore[assignment]
    bert.get("/api/next?person=berta")
    bert.get("/api/next")
    assert asked == ["bert", "bert"]


def test_an_answer_belongs_to_who_gave_it(come: Come, school: FakeSchool) -> None:
    bert, berta = come("bert"), come("berta")
    first = sent()
    bert.post("/api/answers", json=first)
    assert berta.post("/api/answers", json=first).status_code == 409, "another's id again"
    named = {"answer_id": first["id"]}
    for client in (berta, come("anna")):
        reply = client.post("/api/undo", json=named)
        assert (reply.status_code, "not yours" in reply.json()["error"]) == (422, True)
    assert berta.post("/api/undo", json={"person": "bert"}).json()["undone"] is False
    assert school.undone == []
    assert bert.post("/api/undo", json=named).json()["undone"] is True


def test_the_page_keeps_each_persons_things_apart(come: Come) -> None:
    def key(person: str) -> str:
        return come(person).get("/").text.partition('data-school="')[2][:12]

    assert len({key("anna"), key("bert"), key("berta")}) == 3
    assert key("bert") == key("bert")


def test_a_viewer_is_led_to_what_there_is_to_see(come: Come) -> None:
    assert come("vera").get("/").headers["location"] == "/status"


def test_guessing_passwords_is_slowed_down(come: Come) -> None:
    client = come()
    body = {"person": "anna", "password": "guess number one"}
    codes = [client.post("/api/session", json=body).status_code for _ in range(11)]
    assert codes == [403] * 10 + [429]
    late = client.post("/api/session", json={**body, "password": PASSWORD})
    assert late.status_code == 429, "even the right one"
    assert int(late.headers["retry-after"]) > 0
    body["person"] = "bert"
    codes = [client.post("/api/session", json=body).status_code for _ in range(10)]
    assert codes == [403] * 10
    late = client.post("/api/session", json={"person": "vera", "password": PASSWORD})
    assert late.status_code == 429, "whatever name is tried from there"


def test_many_may_sign_in_from_one_address(come: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "BY_ADDRESS", parse("2/minute"))
    client = come()
    people = ("anna", "bert", "berta", "vera")
    bodies = [{"person": person, "password": PASSWORD} for person in people]
    assert [client.post("/api/session", json=b).status_code for b in bodies[:1]] == [200]
    # Each comes with a fresh browser, as behind a proxy.
    assert [come().post("/api/session", json=b).status_code for b in bodies] == [200] * 4


def test_a_name_is_guessed_at_slowly_from_many_addresses() -> None:
    counted = rates.Rates()
    names = ("anna", " ANNA", "Anna\u0020")
    waits = [
        counted.sign_in({"client": (f"10.0.{i // 200}.{i % 200}", 1)}, names[i % 3])
        for i in range(101)
    ]
    assert waits[:100] == [0.0] * 100
    assert waits[100] > 0
    assert counted.sign_in({"client": ("10.0.0.1", 1)}, "bert") == 0.0


def test_an_address_is_where_somebody_comes_from() -> None:
    told = {
        "127.0.0.1": "loopback",
        "127.9.8.7": "loopback",
        "::1": "loopback",
        "::ffff:127.0.0.1": "loopback",
        "::ffff:10.0.0.1": "10.0.0.1",
        "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
        "testclient": "testclient",
        "": "",
    }
    assert {name: rates.address({"client": (name, 1)}) for name in told} == told


def test_only_a_proxy_that_is_named_is_believed(
    school: FakeSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[uvicorn.Config] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: made.append(self.config))
    run(school, port=0, say=lambda _: None)
    run(school, port=0, proxies=["10.0.0.1"], say=lambda _: None)
    assert [config.proxy_headers for config in made] == [False, True]
    assert made[1].forwarded_allow_ips == ["10.0.0.1"]
    with pytest.raises(ConfigError, match="no address"):
        run(school, port=0, proxies=["*"], say=lambda _: None)


def test_links_cannot_be_guessed_either(come: Come) -> None:
    client = come()
    body = {"link": "x" * 43, "person": "mallory", "password": PASSWORD}
    codes = [client.post("/api/join", json=body).status_code for _ in range(11)]
    assert codes == [409] * 10 + [429]


def test_a_fast_teacher_is_not_slowed_down_but_a_flood_is(
    come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ten answers a second, as many questions, and as much again for the page.
    assert rates.REQUESTS.amount / rates.REQUESTS.get_expiry() >= 40
    monkeypatch.setattr(rates, "REQUESTS", parse("5/minute"))
    machine, other = come("bert", machine=True), come("berta", machine=True)
    replies = [machine.get("/api/me") for _ in range(6)]
    assert [r.status_code for r in replies] == [200] * 5 + [429]
    assert (replies[-1].json()["code"], other.get("/api/me").status_code) == ("rate", 200)
    shown = machine.get("/me", headers={"accept": "text/html"})
    assert (shown.status_code, int(shown.headers["retry-after"]) > 0) == (429, True)
    assert "<h1>That did not work</h1>" in shown.text
    assert "try again in" in shown.text


def test_without_an_owner_a_server_is_for_this_machine_only(
    school: FakeSchool, tmp_path: Path
) -> None:
    with Warehouse.create(tmp_path / "new") as warehouse:
        accounts = Accounts(warehouse.accounts)
        with pytest.raises(ConfigError, match="no owner yet"):
            run(school, "0.0.0.0", 0, accounts=accounts, allow_remote=True)
    with pytest.raises(ConfigError, match="--no-accounts"):
        run(school, "0.0.0.0", 0, allow_remote=True)


def test_a_fresh_server_prints_its_owners_link_once(
    school: FakeSchool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
    with Warehouse.create(tmp_path / "new") as warehouse:
        accounts = Accounts(warehouse.accounts)
        said: list[str] = []
        run(school, port=0, accounts=accounts, say=said.append)
        link = said[-2].rpartition("/join/")[2]
        assert said[-2].startswith("Become its owner here, once")
        assert accounts.join(link, "anna", PASSWORD).account.role is Role.OWNER
        run(school, port=0, accounts=accounts, say=said.append)
        assert "/join/" not in said[-2]


def test_a_person_is_told_on_a_page_what_is_not_for_them(come: Come) -> None:
    page = {"accept": "text/html"}
    reply = come("bert").get("/people", headers=page)
    assert (reply.status_code, "signed in as bert, a teacher" in reply.text) == (403, True)
    reply = come("bert").get("/<b>nowhere", headers=page)
    assert (reply.status_code, "&lt;b&gt;nowhere" in reply.text) == (404, True)
    for path in ("/warehouse?night=soon", "/warehouse?show=all", "/warehouse/1"):
        reply = come("anna").get(path, headers=page)
        assert reply.status_code in (404, 422)
        assert 'href="/"' in reply.text, path


def test_what_was_changed_is_told_in_sentences(
    come: Come, accounts: Accounts, school: FakeSchool
) -> None:
    school.warehouse = SimpleNamespace(audit=Audit(accounts.store._log))  # type: ignore[attr-defined]
    accounts.add_token("anna", "a <b>script", "anna")
    accounts.set_role("bert", Role.VIEWER, "anna")
    accounts.invite(Role.TEACHER, "terminal")
    accounts.invite(Role.TEACHER, "serve")
    for n in (0, 1, 0):
        school.warehouse.audit.note("bert", "question settled", f"q{n}", "answer")
    school.warehouse.audit.note("bert", "settling taken back", "an answer erased since")
    page = come("anna").get("/people").text
    told = re.findall("<li><span>(.*?)</span>", page)
    assert told.pop(0) == "bert took back what was settled of a question"
    assert told.pop(0) == "bert settled 3 questions"
    asked = [school.question(f"q{n}").context for n in (0, 1, 0)]
    links = [f'<a href="/warehouse/{c.id:016x}">{c.text}</a>' for c in asked]
    assert re.findall('<a href="/warehouse/.*?</a>', page) == links
    assert told[0].startswith("the server invited somebody as a teacher")
    assert told[1].startswith("somebody in the terminal invited somebody as a teacher")
    assert told[2].startswith("anna made bert a viewer")
    assert told[3].startswith("anna made a token: “a &lt;b&gt;script”")
    strange = {"at": 1.0, "person": "anna", "action": "fly", "subject": "kite", "detail": "high"}
    assert sentence(strange) == {"at": 1.0, "told": "anna fly kite", "rest": "high"}


def test_the_door_of_a_school_without_an_owner_says_how_to_get_one(
    school: FakeSchool, tmp_path: Path, come: Come
) -> None:
    with Warehouse.create(tmp_path / "fresh") as warehouse:
        app = create_app(school, accounts=Accounts(warehouse.accounts))
        page = TestClient(app, base_url=HOME).get("/login").text
    assert "<code>nightschool people link</code>" in page
    assert "<form" not in page
    owned = come().get("/login").text
    assert ("people link" in owned, "<form" in owned) == (False, True)


def test_without_accounts_whoever_is_here_is_the_owner(client: TestClient) -> None:
    told = client.get("/api/session").json()
    assert (told["person"], told["role"], told["accounts"], told["csrf"]) == (
        "",
        "owner",
        False,
        "",
    )
    assert client.get("/people").status_code == 200
    assert client.get("/me").status_code == 200
    assert client.get("/login").status_code == 404
