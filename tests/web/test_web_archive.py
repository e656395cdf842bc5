"""Versions and the warehouse as pages and as an API, on a real school behind its door."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient
from tests.conftest import make_school, world
from web_fakes import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

from nightschool.app import School, passwords
from nightschool.loop import teach
from nightschool.oracles import ScriptedOracle
from nightschool.types import Answer, Context, Decision, Document, Partition, Reply, Retract
from nightschool.types.people import Role
from nightschool.web import create_app

HOSTILE = '<img src=x onerror="alert(1)"> & \u2028 100%'


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """Two nights; then a hostile answer with a note, of which one more was taken back."""
    folder = make_school(tmp_path_factory.mktemp("archive") / "s")
    oracle = ScriptedOracle({Context.of(c).id: a for c, a, _ in world(300, 0)}, seconds=2.0)
    with School.open(folder) as school:
        for _ in range(2):
            teach(school, oracle, 20)
            school.night()
        question = school.next_question("anna")
        assert question is not None
        for text in (HOSTILE, "second thoughts"):
            name = str(uuid.uuid4())
            said = Document(text)
            school.keep(
                Answer(name, question.id, "anna", Reply.ANSWER, said, 3.0, 9e8, "why not, Ärger")
            )
        school.withdraw(name, "anna", Retract.UNDO)
        yield school


@pytest.fixture(scope="module")
def client(school: School) -> Iterator[TestClient]:
    with TestClient(create_app(school), base_url="http://127.0.0.1:8000") as client:
        yield client


def got(client: TestClient, path: str) -> Any:
    reply = client.get(path)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_a_page_follows_the_other_until_all_was_seen(school: School, client: TestClient) -> None:
    seen: list[str] = []
    before = ""
    while True:
        page = got(client, f"/api/warehouse/answers?n=7{before}")["answers"]
        if not page:
            break
        seen += [row["id"] for row in page]
        before = f"&before={page[-1]['seq']}"
    assert seen == [a.id for a in reversed(school.warehouse.answers())]
    ids: list[str] = []
    after = ""
    while page := got(client, f"/api/warehouse/contexts?n=100&after={after}")["contexts"]:
        ids += [row["id"] for row in page]
        after = ids[-1]
    contexts = [c for side in Partition for c in school.warehouse.contexts(side)]
    assert ids == sorted(f"{c.id:016x}" for c in contexts)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("person=anna", 1),
        ("person=anna&state=any", 2),
        ("state=retracted", 1),
        ("text=100%25", 1),
        ("text=1_0%25", 0),
        ("text=WHY%20NOT", 1),
        ("text=%C3%A4RGER", 1),
        ("text=%C3%A4_ger", 0),
        ("person=script&reply=skip", 0),
        ("person=script&night=0", 20),
        ("person=script&strategy=nobody", 0),
        ("source=nowhere", 0),
    ],
)
def test_filters_hold_for_answers_and_for_their_contexts(
    client: TestClient, query: str, count: int
) -> None:
    rows = got(client, f"/api/warehouse/answers?n=500&{query}")["answers"]
    assert len(rows) == count
    contexts = got(client, f"/api/warehouse/contexts?n=500&{query}")["contexts"]
    assert {row["id"] for row in contexts} == {row["record"] for row in rows}


def test_a_record_tells_its_whole_life(school: School, client: TestClient) -> None:
    rows = got(client, "/api/warehouse/answers?n=500&partition=training&person=script&night=1")
    row = rows["answers"][-1]
    life = got(client, f"/api/warehouse/records/{row['record']}")
    assert life["context"] == row["context"]
    assert [(q["version"], q["replied"]) for q in life["questions"]] == [("v1", 1)]
    assert [a["id"] for a in life["answers"]] == [row["id"]]
    (example,) = life["examples"]
    assert (example["answers"], example["answer"]) == ([row["id"]], row["text"])
    assert example["versions"] == ["v2"]  # asked after the first night, learned in the second
    assert (example["before_version"], example["left_out"]) == ("v1", [])
    assert 0 <= example["before"] <= 1
    held = school.warehouse.manifest(school.warehouse.version("v2").manifest)
    assert example["segment"] in {s.sha256 for s in held.segments}
    item = got(client, "/api/versions/v2")["items"][0]
    exams = got(client, f"/api/warehouse/records/{item['id']}")["exams"]
    shown = client.get(f"/warehouse/{item['id']}").text
    assert "it examines the model, which never learns from it" in shown
    marks = {(s["night"], s["version"]): s["marks"]["answer"] for s in exams}
    assert marks[2, "v2"] == item["after"]
    assert marks[2, "v1"] == item["before"]


def test_an_answer_taken_back_is_left_out_but_still_told(client: TestClient) -> None:
    gone = got(client, "/api/warehouse/answers?state=retracted")["answers"][0]
    life = got(client, f"/api/warehouse/records/{gone['record']}")
    told = {a["text"]: a["retracted"] and a["retracted"]["why"] for a in life["answers"]}
    assert told == {HOSTILE: None, "second thoughts": "undo"}


def test_versions_say_what_was_won_and_lost(school: School, client: TestClient) -> None:
    listed = got(client, "/api/versions")["versions"]
    assert [v["id"] for v in listed] == ["v2", "v1", "v0"]
    assert [v["serves"] for v in listed] == [v.id == school.champion().id for v in
                                             reversed(school.warehouse.versions())]  # fmt: skip
    page = got(client, "/api/versions/v2")
    assert (page["against"], page["parent"], page["exam_night"]) == ("v1", "v1", 2)
    assert page["manifest"]["hash"] == school.warehouse.version("v2").manifest
    exact = {}
    for result in school.warehouse.results(2):
        if result.by_item:  # others only report
            exact[result.version] = {m.item: m.value for m in result.marks if m.name == "exact"}
    items = {i["id"]: i for i in page["items"]}
    assert set(items) == set(exact["v2"])
    won = {i for i in items if exact["v2"][i] > exact["v1"][i]}
    lost = {i for i in items if exact["v2"][i] < exact["v1"][i]}
    assert {i for i in items if items[i]["change"] == "won"} == won != set()
    assert {i for i in items if items[i]["change"] == "lost"} == lost
    said = got(client, "/api/versions/v2/said")["said"]
    assert set(said) == won | lost
    for item, (before, after) in said.items():
        accepted = items[item]["accepted"]
        assert (before in accepted, after in accepted) == (item in lost, item in won)
    assert got(client, "/api/versions/v2?against=v0")["against"] == "v0"


def test_pages_are_rendered_and_what_people_wrote_is_only_text(client: TestClient) -> None:
    paths = ["/versions", "/versions/v2", "/versions/v0", "/warehouse", "/warehouse?show=contexts"]
    gone = got(client, "/api/warehouse/answers?person=anna")["answers"][0]
    for path in [*paths, "/warehouse?state=any&text=%3Cimg", f"/warehouse/{gone['record']}"]:
        reply = client.get(path)
        assert reply.status_code == 200
        assert "<img src=x" not in reply.text
    assert "&lt;img src=x" in reply.text


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/versions/v9", 404), ("/api/versions/v9", 404), ("/api/versions/v9/said", 404),
        ("/warehouse/ffffffffffffffff", 404), ("/api/warehouse/records/0000000000000001", 404),
        ("/api/warehouse/answers?reply=maybe", 422), ("/api/warehouse/answers?night=x", 422),
        ("/api/warehouse/answers?text=%00", 422), ("/api/warehouse/answers?before=-1", 422),
        ("/api/warehouse/contexts?after=ffffffffffffffff", 422),
        ("/api/export?format=docx", 422), ("/api/export?partition=exam", 422),
        ("/api/export?state=any", 422), ("/warehouse/nothing", 422),
        ("/versions/%00", 422), ("/api/me?person=%00", 422), ("/api/me/export?person=%00", 422),
        ("/api/next?person=anna&hold=%00", 422),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(client: TestClient, path: str, code: int) -> None:
    reply = client.get(path)
    assert (reply.status_code, "error" in reply.json()) == (code, True)


def test_a_selection_is_downloaded(client: TestClient) -> None:
    reply = client.get("/api/export?text=snow")
    assert reply.headers["content-disposition"] == 'attachment; filename="examples.jsonl"'
    rows = [json.loads(line) for line in reply.text.split("\n") if line]
    assert rows
    assert all("snow" in row["prompt"] for row in rows)
    reply = client.get("/api/export?what=answers&format=parquet&person=anna")
    assert pq.read_table(io.BytesIO(reply.content))["answer"].to_pylist() == [HOSTILE]


def test_a_version_that_was_held_back_shows_why_before_it_may_serve(
    school: School, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = school.versions.page("v2")
    assert page.line.verdict is not None
    verdict = replace(page.line.verdict, decision=Decision.KEEP, reason="v1 still serves: too few.")
    held = replace(page, line=replace(page.line, verdict=verdict, serves=False))
    monkeypatch.setattr(type(school.versions), "page", lambda *_: held)
    html = client.get("/versions/v2").text
    for told in (
        "Night 2: v1 still serves: too few.",
        "Held back so far.",
        "nightschool versions v2",
    ):
        assert told in html
    assert 'class="main" data-decide' not in html  # no invitation
    assert html.partition('id="texts"')[0].count("rows to learn from") == 1
    monkeypatch.undo()
    for wrong in ("1", "v9", "Vee"):
        page = client.get(f"/versions/{wrong}", headers={"accept": "text/html"})
        assert (page.status_code, "versions are written like v1" in page.text) == (404, True)


def test_a_decision_needs_a_reason_and_is_recorded(school: School, client: TestClient) -> None:
    before = school.champion().id
    other = "v1" if before != "v1" else "v2"
    path = f"/api/versions/{other}/promote"
    assert client.post(path, json={"reason": "  "}).status_code == 422
    assert client.post(path, json={}).status_code == 422
    assert school.champion().id == before
    assert client.post(path, json={"reason": "a try"}).json() == {"serves": other}
    entry = school.warehouse.audit.entries(1)[0]
    assert (entry.action, entry.subject, entry.detail) == ("promote", other, "a try")
    assert got(client, f"/api/versions/{other}")["reigns"][-1]["reason"] == "a try"
    pages = ("/versions", f"/versions/{other}", "/status")
    for html in (client.get(page).text for page in pages):
        assert re.search(r"Let serve by owner on \d+ \w+ \d{4}: a try\.", html)
    assert f"<h1>{other} serves, by hand</h1>" in html
    assert f"Night 2 had said: {school.status().verdicts[-1].reason[:9]}" in html
    assert not [v["id"] for v in got(client, "/api/versions")["versions"]
                if v["decided"] and v["id"] != other]  # fmt: skip
    assert client.post("/api/rollback", json={"reason": "enough"}).status_code == 200
    assert school.warehouse.audit.entries(1)[0].action == "roll back"
    assert client.post("/api/versions/v9/promote", json={"reason": "x"}).status_code == 404


def test_only_whom_it_concerns_sees_records(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    app = create_app(school, accounts=school.accounts)
    pages = {}
    for role in Role:
        name = f"a-{role.value}"
        school.accounts.join(school.accounts.invite(role, "test", name), name, "x" * 20)
        token = school.accounts.add_token(name, "test", name)
        guest = TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False)
        guest.headers["authorization"] = f"Bearer {token}"
        for path in ("/warehouse", "/api/export", "/versions/v2", "/api/warehouse/answers"):
            assert (guest.get(path).status_code == 200) == (role is not Role.TEACHER)
        pages[role] = guest.get("/versions").text
        if role is not Role.TEACHER:
            # Whose an answer is and how long it took is told to an owner only.
            asked = school.question(school.newest_answers(1)[0].question_id)
            life = f"{asked.context.id:016x}"
            for path in (
                "/warehouse",
                f"/warehouse/{life}",
                "/api/warehouse/answers",
                f"/api/warehouse/records/{life}",
                "/api/export?what=answers&format=jsonl",
                "/api/export?what=answers&format=csv",
            ):
                told = guest.get(path).text
                assert "why not" in told
                assert ("anna" in told) == (role is Role.OWNER), path
                timed = re.search(r"3\.0 s|seconds\W+3\.0|,3\.0,", told)
                assert bool(timed) == (role is Role.OWNER), path
            code = guest.get("/api/warehouse/answers?person=anna").status_code
            assert code == (200 if role is Role.OWNER else 422)
        buttons = guest.get("/versions/v2").text.count("data-decide=")
        assert buttons == (1 if role is Role.OWNER else 0)
    assert 'href="/versions/v2"' in pages[Role.VIEWER]
    assert 'href="/versions/v2"' not in pages[Role.TEACHER]


@pytest.mark.browser
def test_records_are_found_and_a_version_is_let_serve_by_keyboard(
    school: School, browser: Browser
) -> None:
    school.promote("v1", "owner", "so that another may")
    server = Server(school).start()  # type: ignore[arg-type]
    page = browser.new_page()
    page.set_default_timeout(8000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda m: troubles.append(m.text) if "Policy" in m.text else None)
    try:
        page.goto(f"{server.url}/warehouse")
        page.focus("[name=text]")
        page.keyboard.type("onerror")
        page.keyboard.press("Enter")
        page.wait_for_url("**/warehouse?text=onerror&show=answers*")  # empty filters left out
        assert page.locator(".records li").count() == 1
        assert page.text_content(".records .answer") == HOSTILE
        assert page.get_attribute(".records time", "datetime") == "1998-07-09T16:00:00.000Z"
        page.focus(".records a")
        page.keyboard.press("Enter")
        page.wait_for_selector(".life")
        assert HOSTILE in (page.text_content(".life") or "")

        page.goto(f"{server.url}/versions/v2")
        page.focus("#ask")
        page.keyboard.press("Enter")
        page.wait_for_selector("#ask", state="hidden")
        won = page.locator(".items.better li").first.locator(".said")
        before, after = won.all_text_contents()
        assert before != after != ""
        page.focus("[data-decide]")
        page.keyboard.press("Enter")
        page.wait_for_selector("#decide[open]")
        page.keyboard.press("Enter")  # without a reason nothing is decided
        assert page.locator("#decide[open]").count() == 1
        page.keyboard.type("it is better")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1 .tag")  # it serves
        assert school.champion().id == "v2"
        assert school.warehouse.champions()[-1].reason == "it is better"
        assert troubles == []
    finally:
        page.close()
        server.stop()
