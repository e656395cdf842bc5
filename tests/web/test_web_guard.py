"""The door: names, origins, sizes and headers."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from web_fakes import FakeSchool, new_id

from nightschool.types import ConfigError
from nightschool.web import create_app, run
from nightschool.web.guard import is_loopback

SENT = {"question_id": "q0", "person": "a", "reply": "skip"}


def post(client: TestClient, **headers: str) -> int:
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return client.post("/api/answers", json={"id": new_id(), **SENT}, headers=named).status_code


@pytest.mark.parametrize("path", ["/", "/status", "/api/status", "/static/answer.js", "/nowhere"])
def test_every_reply_has_the_safe_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "LocalHost:8000", "[::1]:8000"]
)
def test_our_own_names_are_let_in(client: TestClient, host: str) -> None:
    assert client.get("/api/status", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1",
        "127.0.0.1:9",
        "127.0.0.1.evil.example:8000",
        "x@127.0.0.1:8000",
        "127.0.0.1:8000/x",
        "192.168.1.5:8000",
        "[::1",
        "",
    ],
)
def test_other_names_are_turned_away(client: TestClient, host: str) -> None:
    reply = client.get("/", headers={"host": host})
    assert reply.status_code == 403
    assert "127.0.0.1:8000" in reply.json()["error"]
    assert "content-security-policy" in reply.headers


def test_names_may_be_allowed(school: FakeSchool) -> None:
    app = create_app(school, hosts=["school.lan", "tunnel:9000"], any_address=True)
    client = TestClient(app, base_url="http://127.0.0.1:8000")

    def code(host: str) -> int:
        return client.get("/api/status", headers={"host": host}).status_code

    allowed = ["school.lan:8000", "tunnel:9000", "192.168.1.5:8000"]
    assert [code(h) for h in allowed] == [200, 200, 200]
    assert [code(h) for h in ("school.lan:1", "tunnel:8000", "evil.example:8000")] == [403] * 3


def test_writes_only_from_our_own_pages(client: TestClient) -> None:
    assert post(client) == 201  # a client that is no browser
    assert post(client, origin="http://127.0.0.1:8000") == 201
    for origin in ("http://evil.example", "null", "http://127.0.0.1:3000", ""):
        assert post(client, origin=origin) == 403, origin


def test_another_sites_page_cannot_even_take_a_question(client: TestClient) -> None:
    def code(site: str) -> int:
        return client.get("/api/next?person=a", headers={"sec-fetch-site": site}).status_code

    assert [code(s) for s in ("same-origin", "none")] == [200, 200]
    assert [code(s) for s in ("cross-site", "same-site")] == [403, 403]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_comes_in(client: TestClient, kind: str) -> None:
    reply = client.post("/api/answers", content=b"{}", headers={"content-type": kind})
    assert (reply.status_code, "application/json" in reply.json()["error"]) == (415, True)


@pytest.mark.parametrize("name", ["origin", "sec-fetch-site"])
def test_nothing_at_all_comes_in_from_programs_only(client: TestClient, name: str) -> None:
    value = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}[name]
    assert client.post("/api/undo").status_code == 422  # read, and found wanting
    assert client.post("/api/undo", headers={name: value}).status_code in (403, 415)


def test_a_body_has_a_limit_told_or_not(client: TestClient) -> None:
    kind = {"content-type": "application/json"}
    big = b'"' + b"x" * (2 << 20) + b'"'
    assert client.post("/api/answers", content=big, headers=kind).status_code == 413
    told_nothing = (big[i : i + 65536] for i in range(0, len(big), 65536))
    assert client.post("/api/answers", content=told_nothing, headers=kind).status_code == 413


def test_a_failure_is_logged_and_told_without_details(
    client: TestClient, school: FakeSchool, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: str) -> object:
        raise RuntimeError("secret detail")

    school.question = broken  # type: ignore[assignment,method-assign]
    reply = client.get("/api/questions/q0")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert "secret detail" in caplog.text
    assert "content-security-policy" in reply.headers
    # A person's browser gets a page with a way on; it names nothing of a school to a stranger.
    school.status = broken  # type: ignore[assignment,method-assign]
    client.app.state.rights = None  # type: ignore[attr-defined]
    page = client.get("/status", headers={"accept": "text/html"})
    assert (page.status_code, 'href="/"' in page.text) == (500, True)
    asked = {"accept": "text/html", "host": "evil.example"}
    page = client.get("/", headers=asked)
    assert (page.status_code, "evil.example" in page.text) == (403, True)
    assert school.name not in page.text


def test_remote_addresses_need_permission(school: FakeSchool) -> None:
    for host in ("0.0.0.0", "192.168.1.5", "::", "school.lan"):
        with pytest.raises(ConfigError, match="--allow-remote"):
            run(school, host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback("10.0.0.1")
