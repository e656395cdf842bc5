"""The page's API: what comes in, what is kept, and what a refusal says."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient
from web_fakes import FakeSchool, new_id

from nightschool.types import Reply, WarehouseError


def body(**changes: object) -> dict[str, object]:
    sent: dict[str, object] = {
        "id": new_id(),
        "question_id": "q0",
        "person": "anna",
        "reply": "answer",
        "text": " two",
        "seconds": 1.5,
        "note": "",
    }
    return {**sent, **changes}


def test_next_shows_the_context_and_not_why_it_was_chosen(client: TestClient) -> None:
    told = client.get("/api/next", params={"person": "anna"}).json()
    assert told == {
        "question": {"id": "q0", "text": "One and one is", "kind": "text", "version": "v0"}
    }


@pytest.mark.parametrize("hold", [["q0,q1"], ["q0", "q1"], ["q0,q1,"]])
def test_what_the_client_holds_does_not_come_again(client: TestClient, hold: list[str]) -> None:
    told = client.get("/api/next", params={"person": "anna", "hold": hold}).json()
    assert told["question"]["id"] == "q2"


def test_an_empty_queue_is_no_error(client: TestClient) -> None:
    reply = client.get("/api/next?person=anna&hold=q0,q1,q2")
    assert (reply.status_code, reply.json()) == (200, {"question": None})


@pytest.mark.parametrize("query", ["", "person=", "person=%20", "person=" + "a" * 65])
def test_next_needs_a_name(client: TestClient, query: str) -> None:
    reply = client.get(f"/api/next?{query}")
    assert reply.status_code == 422
    assert "person" in reply.json()["error"]


def test_an_answer_is_kept_verbatim(client: TestClient, school: FakeSchool) -> None:
    sent = body(text="  two\nlines é😀 ", note="sum", person=" anna ")
    reply = client.post("/api/answers", json=sent)
    assert (reply.status_code, reply.json()) == (201, {"kept": True, "new": True})
    (kept,) = school.answers.values()
    assert kept.document is not None
    assert kept.document.body == "  two\nlines é😀 "
    assert (kept.id, kept.person, kept.note, kept.seconds) == (sent["id"], "anna", "sum", 1.5)


def test_a_retry_is_recognised(client: TestClient, school: FakeSchool) -> None:
    sent = body()
    client.post("/api/answers", json=sent)
    reply = client.post("/api/answers", json=sent)
    assert (reply.status_code, reply.json()) == (200, {"kept": True, "new": False})
    assert len(school.answers) == 1


@pytest.mark.parametrize("kind", ["skip", "cant_tell", "bad_question"])
def test_other_replies_carry_no_text(client: TestClient, school: FakeSchool, kind: str) -> None:
    assert client.post("/api/answers", json=body(reply=kind, text="")).status_code == 201
    (kept,) = school.answers.values()
    assert (kept.reply, kept.document) == (Reply(kind), None)


def test_the_same_id_for_another_answer_conflicts(client: TestClient) -> None:
    sent = body()
    client.post("/api/answers", json=sent)
    reply = client.post("/api/answers", json={**sent, "text": "three"})
    assert reply.status_code == 409
    assert sent["id"] in reply.json()["error"]


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"question_id": "nix"}, 404, "nix"),
        ({"text": " "}, 422, "empty"),
        ({"text": "x" * 201}, 413, "201"),
        ({"id": "7"}, 422, "id"),
        ({"reply": "maybe"}, 422, "reply"),
        ({"seconds": -1}, 422, "seconds"),
        ({"person": "\t"}, 422, "person"),
        ({"text": "a\0b"}, 422, "text"),
        ({"surprise": 1}, 422, "surprise"),
        ({"note": "n" * 2001}, 422, "note"),
    ],
)
def test_refusals_name_value_and_reason(
    client: TestClient, school: FakeSchool, changes: dict[str, object], code: int, word: str
) -> None:
    reply = client.post("/api/answers", json=body(**changes))
    assert reply.status_code == code
    assert word in reply.json()["error"]
    assert not school.answers


@pytest.mark.parametrize("raw", ["", "{", "[]", '"x"', '{"text": "\\ud800"}', "\xff"])
def test_a_broken_body_is_refused_in_words(client: TestClient, raw: str) -> None:
    kind = {"content-type": "application/json"}
    reply = client.post("/api/answers", content=raw.encode("latin-1"), headers=kind)
    assert reply.status_code in (400, 422)
    assert isinstance(reply.json()["error"], str)


def test_half_a_character_cannot_be_stored(client: TestClient) -> None:
    raw = json.dumps(body(text="\ud83d"))
    reply = client.post("/api/answers", content=raw, headers={"content-type": "application/json"})
    assert reply.status_code == 422
    assert "half a character" in reply.json()["error"]


def test_seconds_must_be_a_number(client: TestClient) -> None:
    raw = json.dumps(body(seconds=float("nan")))
    reply = client.post("/api/answers", content=raw, headers={"content-type": "application/json"})
    assert reply.status_code == 422
    assert "seconds" in reply.json()["error"]


def test_undo_by_name_may_be_sent_twice(client: TestClient, school: FakeSchool) -> None:
    first, second = body(), body(question_id="q1")
    for sent in (first, second):
        client.post("/api/answers", json=sent)
    undo = {"person": "anna", "answer_id": second["id"]}
    assert client.post("/api/undo", json=undo).json()["undone"] is True
    assert client.post("/api/undo", json=undo).json()["undone"] is False
    assert [a.id for a in school.counting] == [first["id"]]


def test_undo_without_a_name_takes_the_last_back(client: TestClient) -> None:
    client.post("/api/answers", json=body(note="why"))
    told = client.post("/api/undo", json={"person": "anna"}).json()
    assert told["question"]["id"] == "q0"
    assert (told["answer"]["text"], told["answer"]["note"]) == (" two", "why")
    assert client.post("/api/undo", json={"person": "anna"}).json()["undone"] is False


def test_a_question_by_its_id(client: TestClient) -> None:
    assert client.get("/api/questions/q1").json()["question"]["text"] == "Two and two is"
    reply = client.get("/api/questions/q9")
    assert (reply.status_code, "q9" in reply.json()["error"]) == (404, True)


def test_a_store_in_trouble_asks_to_try_again(client: TestClient, school: FakeSchool) -> None:
    def full(_: object, member: bool = False) -> bool:
        raise WarehouseError("The disk is full.")

    school.keep = full  # type: ignore[method-assign]
    reply = client.post("/api/answers", json=body())
    assert (reply.status_code, reply.json()) == (503, {"error": "The disk is full."})


def test_everybody_is_told_of_their_own_work_only(client: TestClient, school: FakeSchool) -> None:
    school.yesterday.lessons["anna"] = {"night": 3, "parts": []}
    assert client.get("/api/yesterday?person=anna").json()["lesson"]["night"] == 3
    assert client.get("/api/yesterday?person=bob").json() == {"lesson": None}
    client.post("/api/answers", json=body())
    assert client.get("/api/today?person=anna&since=0").json() == {"replies": 1}
    assert client.get("/api/today?person=bob&since=0").json() == {"replies": 0}
    assert client.get("/api/today?person=anna&since=31000000000").json() == {"replies": 0}
    for query in ("person=anna", "person=anna&since=nan", "person=anna&since=-1", "since=0"):
        assert client.get(f"/api/today?{query}").status_code == 422
