"""Settling and figures: the API of a real school, and the page by keyboard in a browser."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from tests.conftest import make_school
from web_fakes import Server, new_id

from nightschool.app import School
from nightschool.types import Answer, Context, Document, Partition, Pick, Reply
from nightschool.types.people import Role
from nightschool.web import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TEXTS = ["The sky at dusk is", "A <b>bold</b> sea is", "The old moon is"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_school(tmp_path_factory.mktemp("settle") / "school", exam=False, gold_share=0)


@pytest.fixture
def school(folder: Path) -> Iterator[School]:
    with School.open(folder) as school:
        asked = {q.context.text: q for q in school.warehouse.queue()}
        new = [Context.of(t) for t in TEXTS if t not in asked]
        school.warehouse.add_contexts(new, lambda _: Partition.TRAINING)
        picks = [Pick(c, Partition.TRAINING, "test", 0.0) for c in new]
        school.warehouse.append(picks, school.warehouse.trainee())
        questions = {q.context.text: q for q in school.warehouse.queue()}
        for text in TEXTS:
            if text in questions:
                reply(school, questions[text].id, "anna", "red", "I saw it")
                reply(school, questions[text].id, "bo", "<i>blue</i>")
        for answer in school.warehouse.answers():
            if answer.settles:
                school.settling.reopen(answer.id, "ola")
        yield school


def reply(school: School, question: str, person: str, text: str, note: str = "") -> None:
    name = str(uuid.uuid4())
    document = Document(text)
    school.keep(Answer(name, question, person, Reply.ANSWER, document, 3.0, school.now(), note))


@pytest.fixture
def client(school: School) -> Iterator[TestClient]:
    with TestClient(create_app(school), base_url="http://127.0.0.1:8000") as client:
        yield client


def test_disputes_are_listed_settled_once_and_reopened(school: School, client: TestClient) -> None:
    listed = client.get("/api/settle").json()
    assert (listed["total"], listed["settled"], len(listed["open"])) == (3, 0, 3)
    first = listed["open"][0]
    assert {a["text"] for a in first["alternatives"]} == {"red", "<i>blue</i>"}
    [voter] = next(a for a in first["alternatives"] if a["text"] == "red")["voters"]
    assert (voter["person"], voter["note"]) == ("anna", "I saw it")
    assert 0.5 < voter["trust"] < 0.8  # less than a stranger: they agree about nothing
    one = client.get(f"/api/settle/{first['question_id']}").json()
    assert one["text"] == first["text"]
    assert client.get("/api/settle/q-nothing").status_code == 404
    assert len(client.get("/api/settle?most=1").json()["open"]) == 1
    assert client.get("/api/settle?most=0").status_code == 422

    sent = {"id": new_id(), "question_id": first["question_id"], "text": "green"}
    for _ in range(2):
        told = client.post("/api/settle", json=sent)
        assert (told.status_code, told.json()["answer_id"]) == (201, sent["id"])
    assert client.post("/api/settle", json={**sent, "text": "grey"}).status_code == 409
    for wrong in ({"text": " "}, {"reply": "skip", "text": ""}, {"text": "x" * 5000}, {"more": 1}):
        refused = client.post("/api/settle", json={**sent, "id": new_id(), **wrong})
        assert refused.status_code in (413, 422)
    assert school.warehouse.answer(sent["id"]).settles
    assert school.warehouse.answer(sent["id"]).person == "owner"
    assert client.get("/api/settle").json()["settled"] == 1
    back = {"answer_id": sent["id"]}
    assert client.post("/api/settle/undo", json=back).json() == {"undone": True}
    assert client.get("/api/settle").json()["total"] == 3


def test_an_answer_of_the_page_to_answer_on_cannot_settle(
    school: School, client: TestClient
) -> None:
    question = client.get("/api/settle").json()["open"][0]["question_id"]
    sent = {"id": new_id(), "question_id": question, "person": "eve", "reply": "answer",
            "text": "x", "settles": True}  # fmt: skip
    assert client.post("/api/answers", json=sent).status_code == 422


def test_figures_are_everybodys_for_the_owner_and_ones_own(client: TestClient) -> None:
    people = {p["person"]: p for p in client.get("/api/figures").json()["people"]}
    assert people["anna"]["answers"] == 3
    assert people["bo"]["seconds"] == 3.0
    assert client.get("/api/me?person=anna").json()["figures"] == people["anna"]
    assert client.get("/api/me").json()["figures"] is None


def test_a_teacher_sees_their_own_shares_by_night_only(school: School) -> None:
    for name, role in (("olga", Role.OWNER), ("anna", Role.TEACHER)):
        school.accounts.join(school.accounts.invite(role, "test", name), name, "four words here")
    app = create_app(school, accounts=school.accounts)
    anna = TestClient(app, base_url="http://127.0.0.1")
    anna.headers["authorization"] = f"Bearer {school.accounts.add_token('anna', 't', 'anna')}"
    assert school.figures.of("anna").agreement.n == 3
    assert "<dd>1.00</dd>" not in anna.get("/me").text  # a weight that is not told
    told = anna.get("/api/me").json()["figures"]
    assert (told["answers"], told["agreement"]["n"], told["weight"]) == (3, 0, None)


@pytest.mark.browser
def test_everything_is_settled_by_keyboard(school: School, browser: Browser) -> None:
    server = Server(school).start()  # type: ignore[arg-type]
    page = browser.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda m: troubles.append(m.text) if "Policy" in m.text else None)
    try:
        page.goto(f"{server.url}/settle")
        page.wait_for_selector("#alternatives button")
        assert page.text_content("#count") == "3 left"
        first = page.text_content("#asked")
        assert page.evaluate("document.activeElement.id") == "asked"
        shares = [*page.locator("#alternatives .p").all_inner_texts(), page.inner_text("#rest")]
        assert sum(int(re.search(r"(\d+) %", share)[1]) for share in shares if share) == 100
        assert "I saw it" in page.text_content("#alternatives")
        assert "<i>blue</i>" in page.text_content("#alternatives")  # shown, not obeyed
        chosen = page.text_content("#alternatives li:nth-child(2) .text")
        page.keyboard.press("2")
        page.wait_for_function("t => document.getElementById('asked').textContent !== t", arg=first)
        assert page.text_content("#count") == "2 left · 1 settled"
        assert page.text_content("#spoken") == f"Settled: {chosen}."
        page.keyboard.press("u")
        page.wait_for_function("t => document.getElementById('asked').textContent === t", arg=first)
        page.keyboard.press("t")
        page.keyboard.type("violet s 1 n")  # letters typed are no keys
        page.keyboard.press("Enter")
        page.wait_for_function("t => document.getElementById('asked').textContent !== t", arg=first)
        page.keyboard.press("n")
        page.wait_for_function(
            "() => document.getElementById('count').textContent.includes('2 set')"
        )
        page.keyboard.press("s")
        page.wait_for_selector("#dispute", state="hidden")
        assert "1 for later" in page.text_content("#state")
        assert troubles == []
    finally:
        page.close()
        server.stop()
    words = [a for a in school.warehouse.answers() if a.settles]
    assert [a.document.body if a.document else a.reply.value for a in words] == [
        "violet s 1 n",
        "cant_tell",
    ]
    assert json.dumps(school.settling.disputes().as_dict())
