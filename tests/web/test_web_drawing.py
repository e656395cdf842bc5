"""Drawings over the API: what is kept, what is refused and why, and pictures on their way out."""

from __future__ import annotations

import base64
import io
import json
import struct
import tracemalloc
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from web_fakes import FakeSchool, a_caption, a_question, an_experiment, new_id

from nightschool.types import AnswerError, decode_picture, encode_picture
from nightschool.web import create_app
from nightschool.web.drawings import MOST_STROKES, checked

SEVEN = np.full((32, 32), 255, np.uint8)
SEVEN[4:8, 6:26] = 0
PNG = encode_picture(SEVEN)
STROKES = json.dumps(
    {
        "width": 256,
        "height": 256,
        "strokes": [{"tool": "pen", "width": 14, "points": [[1, 2, 0, 0.5], [3.5, 4, 16, 0.5]]}],
    }
)


def written(form: str, size: tuple[int, int] = (8, 8)) -> bytes:
    file = io.BytesIO()
    Image.new("L", size, 255).save(file, form)
    return file.getvalue()


def bomb(side: int) -> bytes:
    """A small PNG that claims a gigantic picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000)))
    )


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def body(**changes: object) -> dict[str, object]:
    sent: dict[str, object] = {
        "id": new_id(),
        "question_id": "q0",
        "person": "anna",
        "reply": "answer",
        "picture": b64(PNG),
        "strokes": STROKES,
    }
    return {**sent, **changes}


@pytest.fixture
def school() -> FakeSchool:
    return FakeSchool([a_caption(0, "a big seven"), a_caption(1, "two threes")])


@pytest.fixture
def client(school: FakeSchool) -> Iterator[TestClient]:
    with TestClient(create_app(school), base_url="http://127.0.0.1:8000") as client:
        yield client


def test_a_caption_is_shown_in_words(client: TestClient) -> None:
    told = client.get("/api/next", params={"person": "anna"}).json()["question"]
    assert told == {
        "id": "q0",
        "kind": "caption",
        "version": "v0",
        "caption": "a big seven",
        "text": "Draw: a big seven",
    }


def test_a_drawing_is_kept_as_picture_and_strokes(client: TestClient, school: FakeSchool) -> None:
    reply = client.post("/api/answers", json=body())
    assert (reply.status_code, reply.json()) == (201, {"kept": True, "new": True})
    (kept,) = school.answers.values()
    assert kept.document is not None
    assert kept.document.kind == "drawing"
    assert json.loads(kept.document.body) == {"caption": "a big seven", "height": 32, "width": 32}
    assert kept.document.parts == {"picture": PNG, "strokes": STROKES.encode()}


def test_a_retry_of_a_drawing_is_recognised(client: TestClient, school: FakeSchool) -> None:
    sent = body()
    client.post("/api/answers", json=sent)
    reply = client.post("/api/answers", json=sent)
    assert (reply.status_code, reply.json()) == (200, {"kept": True, "new": False})
    other = {**sent, "picture": b64(written("PNG"))}
    assert client.post("/api/answers", json=other).status_code == 409
    assert len(school.answers) == 1


def test_a_picture_alone_is_enough(client: TestClient, school: FakeSchool) -> None:
    assert client.post("/api/answers", json=body(strokes="")).status_code == 201
    (kept,) = school.answers.values()
    assert kept.document is not None
    assert list(kept.document.parts) == ["picture"]


@pytest.mark.parametrize("reply", ["skip", "cant_tell", "bad_question"])
def test_a_caption_may_be_left(client: TestClient, school: FakeSchool, reply: str) -> None:
    sent = body(reply=reply, picture="", strokes="")
    assert client.post("/api/answers", json=sent).status_code == 201
    (kept,) = school.answers.values()
    assert kept.document is None


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"picture": ""}, "base64"),
        ({"picture": b64(PNG)[:-1]}, "base64"),
        ({"picture": b64(PNG) + "\n"}, "base64"),
        ({"picture": "data:image/png;base64," + b64(PNG)}, "base64"),
        ({"picture": "é" * 8}, "base64"),
        ({"picture": b64(PNG[:60])}, "cannot be read"),
        ({"picture": b64(b"no picture at all")}, "cannot be read"),
        ({"picture": b64(written("GIF"))}, "PNG"),
        ({"picture": b64(written("TIFF"))}, "PNG"),
        ({"picture": b64(bomb(60_000))}, "too large"),
        ({"picture": b64(bomb(5_000))}, "5000 x 5000"),
        ({"picture": b64(PNG + bytes(4 << 20))}, "4,194,304"),
        ({"text": "seven"}, "not by a text"),
        ({"reply": "skip"}, "takes no drawing"),
        ({"strokes": "{"}, "JSON"),
        ({"strokes": "[1]"}, "strokes"),
        ({"strokes": STROKES.replace("pen", "spray")}, "tool"),
        ({"strokes": STROKES.replace("[1, 2, 0, 0.5]", "[1, 2, 0]")}, "points"),
        ({"strokes": STROKES.replace("[1, 2, 0, 0.5]", "[1, 2, 0, NaN]")}, "strokes"),
        ({"strokes": STROKES.replace("256", "-1")}, "width"),
        ({"strokes": STROKES + " " * MOST_STROKES}, "1,048,576"),
    ],
)
def test_refusals_say_what_is_wrong_with_a_drawing(
    client: TestClient, school: FakeSchool, changes: dict[str, object], word: str
) -> None:
    reply = client.post("/api/answers", json=body(**changes))
    assert reply.status_code == 422
    assert word in reply.json()["error"]
    assert not school.answers


@pytest.mark.parametrize(
    ("stroke", "piece"),
    [
        ('{"tool": "pen", "width": 1, "points": [#]}', "[]"),
        ("#", "{}"),
        ("#", '{"tool": "pen", "width": 1, "points": []}'),
    ],
)
def test_many_bad_strokes_cost_no_more_than_one(stroke: str, piece: str) -> None:
    many = ",".join([piece] * (1_000_000 // (len(piece) + 1)))
    sent = f'{{"width": 256, "height": 256, "strokes": [{stroke.replace("#", many)}]}}'
    tracemalloc.start()
    try:
        with pytest.raises(AnswerError, match="strokes"):
            checked(sent)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(sent)


@pytest.mark.parametrize("question", [a_question(0, "One and one is"), an_experiment(0)])
def test_other_questions_take_no_drawing(question: object) -> None:
    school = FakeSchool([question])  # type: ignore[list-item]
    client = TestClient(create_app(school), base_url="http://127.0.0.1:8000")
    reply = client.post("/api/answers", json=body())
    assert (reply.status_code, "takes no drawing" in reply.json()["error"]) == (422, True)


def test_the_largest_drawing_comes_in_and_nothing_larger(
    client: TestClient, school: FakeSchool
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2040, 2040)).astype(np.uint8)
    large = encode_picture(noise)
    assert 4_100_000 < len(large) <= 4 << 20
    point = "[1.5, 2.5, 0, 0.5], "
    strokes = STROKES.replace("[1, 2, 0, 0.5], ", point * 50_000)
    assert 1_000_000 < len(strokes) <= MOST_STROKES
    sent = body(picture=b64(large), strokes=strokes)
    assert client.post("/api/answers", json=sent).status_code == 201
    reply = client.post("/api/answers", json=body(picture="A" * (10 << 20)))
    assert (reply.status_code, "too long" in reply.json()["error"]) == (413, True)


def test_a_school_of_texts_keeps_its_smaller_limit() -> None:
    client = TestClient(
        create_app(FakeSchool.of("One and one is")), base_url="http://127.0.0.1:8000"
    )
    assert client.post("/api/answers", json=body(picture="A" * (2 << 20))).status_code == 413


@pytest.mark.parametrize(
    ("form", "kind"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
def test_a_picture_comes_out_as_it_came_in(client: TestClient, form: str, kind: str) -> None:
    sent = body(picture=b64(written(form)))
    assert client.post("/api/answers", json=sent).status_code == 201
    reply = client.get(f"/api/pictures/{sent['id']}")
    assert (reply.status_code, reply.headers["content-type"]) == (200, kind)
    assert reply.content == written(form)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")


def test_pictures_that_are_not_there(client: TestClient) -> None:
    skipped = body(reply="skip", picture="", strokes="")
    client.post("/api/answers", json=skipped)
    for name in ("nix", skipped["id"]):
        reply = client.get(f"/api/pictures/{name}")
        assert (reply.status_code, str(name) in reply.json()["error"]) == (404, True)


def test_undo_gives_the_strokes_back_or_names_the_picture(client: TestClient) -> None:
    drawn, uploaded = body(), body(question_id="q1", strokes="")
    for sent in (drawn, uploaded):
        client.post("/api/answers", json=sent)
    told = client.post("/api/undo", json={"person": "anna"}).json()
    path = told["answer"]["picture"]
    assert (told["question"]["caption"], told["answer"]["strokes"]) == ("two threes", "")
    assert (decode_picture(client.get(path).content) == SEVEN).all()  # also when it was taken back
    told = client.post("/api/undo", json={"person": "anna"}).json()
    assert (told["answer"]["strokes"], told["answer"]["picture"]) == (STROKES, "")
    assert told["answer"]["text"] == ""
