"""Completions in OpenAI's form, and the champion that changes underneath."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from starlette.testclient import TestClient
from web_fakes import FakeGenerator, FakeSchool, Server

from nightschool.types import Version
from nightschool.web.serving import Serving, UnknownModel


def ask(client: TestClient, **body: object) -> tuple[int, dict]:
    reply = client.post("/v1/completions", json={"model": "nightschool", "prompt": "x", **body})
    return reply.status_code, reply.json()


def test_models_are_listed_without_loading_one(client: TestClient, school: FakeSchool) -> None:
    listed = client.get("/v1/models").json()
    assert [m["id"] for m in listed["data"]] == ["nightschool", "v0"]
    assert client.get("/v1/models/v0").json()["id"] == "v0"
    assert client.get("/v1/models/v9").status_code == 404
    assert school.loads == []


def test_a_completion(client: TestClient) -> None:
    code, told = ask(client, max_tokens=3)
    assert code == 200
    assert (told["object"], told["model"]) == ("text_completion", "v0")
    assert told["choices"] == [
        {"index": 0, "text": " v0.0 v0.1 v0.2", "logprobs": None, "finish_reason": "length"}
    ]


def test_stop_ends_it(client: TestClient) -> None:
    for stop in (".2", ["nix", ".2"]):
        choice = ask(client, max_tokens=9, stop=stop)[1]["choices"][0]
        assert (choice["text"], choice["finish_reason"]) == (" v0.0 v0.1", "stop")


def test_every_choice_has_a_seed_of_its_own(client: TestClient) -> None:
    told = ask(client, prompt=["seed", "seed"], n=2, max_tokens=1, seed=5)[1]
    assert [c["text"] for c in told["choices"]] == [" 5", " 6", " 7", " 8"]
    assert [c["index"] for c in told["choices"]] == [0, 1, 2, 3]


def test_without_a_seed_each_request_draws_one(client: TestClient) -> None:
    texts = {ask(client, prompt="seed", max_tokens=1)[1]["choices"][0]["text"] for _ in range(5)}
    assert len(texts) > 1


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"model": "gpt-4"}, 404, "gpt-4"),
        ({"prompt": [1, 2]}, 400, "tokens"),
        ({"prompt": [[1, 2]]}, 400, "tokens"),
        ({"prompt": []}, 400, "1 to 64"),
        ({"prompt": ["x"] * 33, "n": 2}, 400, "1 to 64"),
        ({"prompt": None}, 400, "prompt"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"temperature": 3}, 400, "temperature"),
        ({"stop": ["a"] * 5}, 400, "stop"),
        ({"stop": ""}, 400, "stop"),
        ({"prompt": ["a", 1]}, 400, "tokens"),
        ({"logprobs": 1}, 400, "logprobs"),
        ({"logprobs": 9}, 400, "logprobs"),
        ({"logprobs": 1, "stream": True}, 400, "stream"),
        ({"stream_options": {"include_usage": True}}, 400, "stream"),
        ({"top_p": 0.5}, 400, "top_p"),
        ({"wings": 2}, 400, "wings"),
        ({"prompt": "refuse"}, 400, "cannot be completed"),
        ({"prompt": "lost"}, 503, "disk is full"),
        ({"prompt": "lost", "stream": True}, 503, "disk is full"),
        ({"prompt": "boom"}, 500, "log"),
        ({"prompt": "boom", "stream": True}, 500, "log"),
    ],
)
def test_errors_have_openais_form(
    client: TestClient, body: dict[str, object], code: int, word: str
) -> None:
    got, told = ask(client, **body)
    assert got == code
    assert set(told["error"]) == {"message", "type", "param", "code"}
    assert word in told["error"]["message"]


def test_options_that_change_nothing_are_taken(client: TestClient) -> None:
    more = {"echo": False, "top_p": 1, "user": "u", "logit_bias": {}, "max_tokens": None}
    code, told = ask(client, **more)
    assert code == 200
    assert told["choices"][0]["text"].count("v0") == 16


def test_the_guard_speaks_openais_form_too(client: TestClient) -> None:
    reply = client.post("/v1/completions", content=b"{}", headers={"content-type": "text/plain"})
    assert (reply.status_code, reply.json()["error"]["type"]) == (415, "invalid_request_error")
    assert client.get("/v1/nowhere").json()["error"]["message"].endswith("/v1/nowhere.")


def test_a_stream_is_events_and_ends_with_done(client: TestClient) -> None:
    body = {"model": "v0", "prompt": ["a", "b"], "max_tokens": 2, "stream": True}
    reply = client.post("/v1/completions", json=body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    *events, done, rest = reply.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    chunks = [json.loads(e.removeprefix("data: "))["choices"][0] for e in events]
    assert [(c["index"], c["text"], c["finish_reason"]) for c in chunks] == [
        (0, " v0.0", None), (0, " v0.1", None), (0, "", "length"),
        (1, " v0.0", None), (1, " v0.1", None), (1, "", "length"),
    ]  # fmt: skip


def test_no_request_fails_while_the_champion_changes(server: Server) -> None:
    server.school.pause = 0.002
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    end = time.monotonic() + 4
    seen: set[str] = set()

    def whole() -> None:
        while time.monotonic() < end:
            told = client.completions.create(model="nightschool", prompt="x", max_tokens=5)
            assert told.choices[0].text == "".join(f" {told.model}.{i}" for i in range(5))
            seen.add(told.model)

    def streamed() -> None:
        while time.monotonic() < end:
            listed = [m.id for m in client.models.list().data]
            stream = client.completions.create(
                model=listed[-1], prompt="x", max_tokens=40, stream=True
            )
            chunks = list(stream)
            assert len({c.model for c in chunks}) == 1
            text = "".join(c.choices[0].text for c in chunks)
            assert text == "".join(f" {chunks[0].model}.{i}" for i in range(40))

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(job) for job in (whole, whole, streamed, streamed)]
        while time.monotonic() < end - 1:
            time.sleep(0.7)
            server.school.champion_number += 1
    for job in jobs:
        job.result()
    assert len(seen) >= 3
    assert server.school.loads == sorted(set(server.school.loads))  # each was loaded once


def test_the_page_is_not_held_up_by_the_model(server: Server) -> None:
    server.school.pause = 0.2
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    with ThreadPoolExecutor(12) as pool:
        jobs = [
            pool.submit(client.completions.create, model="nightschool", prompt="x", max_tokens=2)
            for _ in range(12)
        ]
        time.sleep(0.2)
        began = time.monotonic()
        client.models.list()
        assert time.monotonic() - began < 0.15
        assert [j.result().choices[0].finish_reason for j in jobs] == ["length"] * 12


def test_who_hangs_up_frees_the_model(server: Server) -> None:
    server.school.pause = 0.02
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    for _ in range(4):
        stream = client.completions.create(
            model="nightschool", prompt="x", max_tokens=4000, stream=True
        )
        next(iter(stream))
        stream.close()
    began = time.monotonic()
    client.completions.create(model="nightschool", prompt="x", max_tokens=1)
    assert time.monotonic() - began < 3


def test_one_load_however_many_ask_at_once(school: FakeSchool) -> None:
    real = school.generator

    def slow(version: Version) -> FakeGenerator:
        time.sleep(0.1)
        return real(version)

    school.generator = slow  # type: ignore[method-assign]
    serving = Serving(school)
    with ThreadPoolExecutor(8) as pool:
        served = list(pool.map(lambda _: serving.get(), range(8)))
    serving.close()
    assert len({id(s) for s in served}) == 1
    assert school.loads == ["v0"]


def wait_for(condition: object, seconds: float = 3.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.01)


def test_a_promotion_is_followed_in_the_background(school: FakeSchool) -> None:
    serving = Serving(school, every=0.02, grace=0.3)
    assert serving.get().version.id == "v0"
    school.champion_number = 1
    wait_for(lambda: serving.get().version.id == "v1")
    assert serving.get("v0").version.id == "v0"  # for those that had just looked it up

    def forgotten() -> bool:
        try:
            serving.get("v0")
        except UnknownModel:
            return True
        return False

    wait_for(forgotten)
    serving.close()


def test_a_champion_that_does_not_load_leaves_the_old_one_serving(
    school: FakeSchool, caplog: pytest.LogCaptureFixture
) -> None:
    serving = Serving(school, every=0.02)
    serving.get()
    real, tried = school.generator, threading.Event()

    def broken(version: Version) -> FakeGenerator:
        tried.set()
        raise OSError("weights are gone")

    school.generator = broken  # type: ignore[method-assign]
    school.champion_number = 1
    assert tried.wait(3)
    assert serving.get().version.id == "v0"
    school.generator = real  # type: ignore[method-assign]
    wait_for(lambda: serving.get().version.id == "v1")
    serving.close()
    assert "weights are gone" in caplog.text
