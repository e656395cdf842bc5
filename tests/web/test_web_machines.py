"""For machines: chats, streams of events, scores, metrics, nights on demand, the access log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from web_fakes import VERDICT, FakeGenerator, FakeSchool, Runner, Server

from nightschool.types import LearnerError, Version
from nightschool.types.serving import Message, Prompt, Scored, ScoredToken
from nightschool.warehouse.night import night_lock
from nightschool.web import create_app
from nightschool.web.machines import Machines

BASE = "http://127.0.0.1:8000"


class Words(FakeGenerator):
    """A model whose tokens are words, numbered from a list; it always writes " two" and an end."""

    words = (" one", " and", " is", " two", " three", "<end>")
    template = True

    def spell(self, tokens: Sequence[int]) -> str:
        return "".join(self.words[t] for t in tokens).lstrip()

    def count(self, prompt: Prompt) -> int:
        return len(prompt.split()) if isinstance(prompt, str) else len(prompt)

    def complete(self, prompt: Prompt, **options: Any) -> Iterator[str]:
        yield from (" two", " three")[: options["max_tokens"]]

    def chat(self, messages: Sequence[Message]) -> Sequence[int] | None:
        if messages[0]["content"] == "<end>":
            raise LearnerError("A message holds the model's own mark '<end>'; leave it out.")
        return [0] * len(messages) if self.template else None

    def score(
        self, prompt: Prompt, *, max_tokens: int, temperature: float, seed: int, top: int
    ) -> Scored:
        text = prompt if isinstance(prompt, str) else self.spell(prompt)
        names = [w if i == 0 else f" {w}" for i, w in enumerate(text.split())]
        tokens = [
            ScoredToken(n, n, None if i == 0 else -0.5 * i, {n: -0.5 * i, "x": -9.0} if i else {})
            for i, n in enumerate(names)
        ]
        end = [ScoredToken(" two", " two", -0.25, {" two": -0.25}), ScoredToken("", "<end>", -1.0)]
        return Scored(tokens, end[:max_tokens], ended=max_tokens > 1)


@pytest.fixture
def words(school: FakeSchool) -> FakeSchool:
    def generator(version: Version) -> Words:
        return Words(version.id)

    school.generator = generator  # type: ignore[method-assign]
    return school


def ask(school: FakeSchool, path: str, **body: object) -> tuple[int, dict[str, Any]]:
    with TestClient(create_app(school), base_url=BASE) as client:
        reply = client.post(path, json=body)
        return reply.status_code, reply.json()


def test_what_lm_eval_asks_for(words: FakeSchool) -> None:
    """The request of lm-eval's local-completions for log likelihoods, in both of its forms."""
    asked = {"temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": True}
    for prompt in ([[0, 1, 0, 2, 3]], "one and one is two"):
        code, told = ask(words, "/v1/completions", model="v0", prompt=prompt, **asked)
        assert code == 200
        (choice,) = told["choices"]
        # lm-eval reads token_logprobs[context:-1]: the last one is the token that was written.
        probs = choice["logprobs"]
        assert probs["tokens"] == ["one", " and", " one", " is", " two", " two"]
        assert probs["token_logprobs"] == [None, -0.5, -1.0, -1.5, -2.0, -0.25]
        assert probs["top_logprobs"][0] is None
        assert probs["top_logprobs"][4] == {" two": -2.0, "x": -9.0}
        assert probs["text_offset"] == [0, 3, 7, 11, 14, 18]
        assert choice["text"] == "one and one is two two"
        assert told["usage"] == {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}


def test_echo_alone_and_what_was_written(words: FakeSchool) -> None:
    def choice(**body: object) -> dict[str, Any]:
        made: dict[str, Any] = ask(words, "/v1/completions", **body)[1]["choices"][0]
        return made

    assert choice(prompt="one is", max_tokens=0, echo=True)["text"] == "one is"
    assert choice(prompt=[0, 2], max_tokens=1, echo=True)["text"] == "one is two"
    alone = choice(prompt="one is", max_tokens=0, echo=True, logprobs=0)
    assert alone["logprobs"]["tokens"] == ["one", " is"]
    written = choice(prompt="one is", max_tokens=2, logprobs=1)
    assert (written["text"], written["finish_reason"]) == (" two", "stop")
    assert written["logprobs"]["tokens"] == [" two", "<end>"]
    stopped = choice(prompt="one is", max_tokens=2, logprobs=1, stop="wo")
    assert (stopped["text"], stopped["finish_reason"]) == (" t", "stop")
    assert stopped["logprobs"]["tokens"] == [" two"]


def test_chats_with_openais_own_client(server: Server) -> None:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    turns: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "seed"}]
    whole = client.chat.completions.create(model="nightschool", messages=turns, max_tokens=2)
    assert whole.choices[0].message.content == " v0.0 v0.1"
    assert (whole.choices[0].finish_reason, whole.usage) == ("length", None)
    stream = client.chat.completions.create(
        model="nightschool", messages=turns, max_completion_tokens=2, stream=True, n=2
    )
    chunks = list(stream)
    for index in (0, 1):
        deltas = [c.choices[0] for c in chunks if c.choices[0].index == index]
        assert "".join(d.delta.content or "" for d in deltas) == " v0.0 v0.1"
        assert [d.delta.role for d in deltas] == ["assistant", None, None]
        assert [d.finish_reason for d in deltas] == [None, None, "length"]
    # A single message is the prompt as it stands: the fake tells the seed for the prompt "seed".
    one = client.chat.completions.create(
        model="nightschool", messages=turns[1:], max_tokens=1, seed=5
    )
    assert one.choices[0].message.content == " 5"


def test_a_chat_by_the_models_own_template(words: FakeSchool) -> None:
    turns = [{"role": "user", "content": [{"type": "text", "text": "one"}]}] * 3
    told = ask(words, "/v1/chat/completions", messages=turns)[1]
    assert told["object"] == "chat.completion"
    assert told["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    with TestClient(create_app(words), base_url=BASE) as client:
        body = {"messages": turns, "stream": True, "stream_options": {"include_usage": True}}
        text = client.post("/v1/chat/completions", json=body).text
    assert '"choices": [], "usage": {"prompt_tokens": 3' in text.split("\n\n")[-3]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "<end>"}]}, "own mark"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "content"),
        ({"messages": [{"role": "user", "content": "x"}], "tools": [{}]}, "tools"),
        ({"messages": [{"role": "user", "content": "x"}], "logprobs": True}, "logprobs"),
    ],
)
def test_chats_that_are_refused(words: FakeSchool, body: dict[str, object], word: str) -> None:
    code, told = ask(words, "/v1/chat/completions", **body)
    assert code == 400
    assert word in told["error"]["message"]


def test_a_night_on_demand(school: FakeSchool, tmp_path: Path) -> None:
    school.folder = tmp_path
    runner = Runner()
    school.verdicts = [VERDICT]
    with TestClient(create_app(school, machines=Machines(night=runner)), base_url=BASE) as client:
        idle = {"running": False, "step": "", "verdict": VERDICT}
        assert client.get("/api/night").json() == idle
        assert "aria-disabled" not in client.get("/status").text
        began = client.post("/api/night")  # as a program asks that has nothing more to say
        assert (began.status_code, began.json()["running"]) == (202, True)
        assert runner.by == "owner"
        assert client.post("/api/night", json={}).status_code == 409
        assert client.get("/api/night").json()["running"] is True
        assert re.search("data-night aria-disabled", client.get("/status").text)
        runner.running = False
        with night_lock(school.folder):  # in a terminal
            assert client.get("/api/night").json()["running"] is True
            assert "A night is running: it begins." in client.get("/status").text
    code, told = ask(school, "/api/night")
    assert (code, "nightschool night" in told["error"]) == (409, True)


def test_metrics_can_be_read_by_prometheus(school: FakeSchool) -> None:
    school.verdicts = [VERDICT]
    school.champion_number = 3
    figures = {"leases": 2.0}
    app = create_app(school, machines=Machines(Runner(), figures=lambda: figures))
    with TestClient(app, base_url=BASE) as client:
        client.get("/api/questions/q0")
        client.get("/api/questions/secret-name")
        client.get("/v1/models/secret-name")
        client.get("/nowhere/secret-name")
        text = client.get("/metrics").text
    assert "secret-name" not in text
    found = {
        (s.name, *sorted(s.labels.values())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }
    assert found["nightschool_answers_total", "skip"] == 2
    assert found["nightschool_pool_contexts", "exam"] == 60
    assert found["nightschool_questions_waiting",] == 3
    assert found["nightschool_champion",] == 3
    assert found["nightschool_trainee",] == 7
    assert found["nightschool_nights_total",] == 1
    assert found["nightschool_exam_mark",] == 0.5
    assert found["nightschool_night_running",] == 0
    assert found["nightschool_leases",] == 2
    route = "/api/questions/{question_id}"
    assert found["nightschool_request_seconds_count", *sorted((route, "200", "GET"))] == 1
    assert found["nightschool_request_seconds_count", *sorted((route, "404", "GET"))] == 1
    model = "/v1/models/{name}"  # with the prefixes of all routers that it is in
    assert found["nightschool_request_seconds_count", *sorted((model, "404", "GET"))] == 1
    assert found["nightschool_request_seconds_count", *sorted(("(none)", "404", "GET"))] == 1
    assert found["process_resident_memory_bytes",] > 1e6


def test_the_log_names_routes_and_never_what_was_said(
    school: FakeSchool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="nightschool.access"):
        ask(school, "/v1/completions", prompt="a secret text")
        with TestClient(create_app(school), base_url=BASE) as client:
            client.get("/api/next?person=secret-name", headers={"host": "elsewhere"})
    lines = [vars(r) for r in caplog.records if r.name == "nightschool.access"]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("/v1/completions", 200),
        ("(none)", 403),  # the guard refused it before there was a route
    ]
    assert all(line["ms"] > 0 for line in lines)
    assert "secret" not in str(lines)


def test_asked_texts_are_offered_once_they_were_answered(words: FakeSchool) -> None:
    offered: list[str] = []
    app = create_app(words, machines=replace(Machines(), offer=offered.extend))
    turns = [{"role": "user", "content": "first"}, {"role": "assistant", "content": "reply"}]
    turns.append({"role": "user", "content": "last"})
    with TestClient(app, base_url=BASE) as client:
        client.post("/v1/completions", json={"prompt": ["one", "two"]})
        client.post("/v1/completions", json={"prompt": "marked", "logprobs": 1})
        client.post("/v1/completions", json={"prompt": [[0, 1]]})
        client.post("/v1/completions", json={"prompt": "streamed", "stream": True})
        client.post("/v1/chat/completions", json={"messages": turns})
        client.post("/v1/completions", json={"prompt": "refused", "model": "gpt-4"})
    assert offered == ["one", "two", "streamed", "last"]
