"""A school from Python, as the field reads: `school.ask()`, `school.answer()`, `school.night()`.

    import nightschool

    with nightschool.connect("http://127.0.0.1:8377", token="ns_…") as school:
        while question := school.ask():
            school.answer(question, input(question.text))
        print(school.night()["decision"])

`nightschool.open("folder")` gives the same calls without a server.
"""

from __future__ import annotations

import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError
from types import TracebackType
from typing import Any, Self

import httpx2

from nightschool.types.errors import NightschoolError

RETRIES = (0.2, 1.0, 3.0, 10.0)
"""Seconds after each failure until a request is sent again; answers carry an id of their own."""

_AGAIN = frozenset({429, 502, 503, 504})


class SchoolError(NightschoolError):
    """What a school refused, in its own words; `code` is the HTTP status, 0 without a server."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Asked:
    """A question as a person sees it; `more` holds what its kind has beside the text."""

    id: str
    text: str
    kind: str = "text"
    version: str = ""
    more: Mapping[str, Any] = field(default_factory=dict, repr=False)
    at: float = field(default_factory=time.monotonic, repr=False, compare=False)


class Classroom(ABC):
    """What one can do with a school, over the network or in this process."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of the school."""

    @abstractmethod
    def ask(self) -> Asked | None:
        """The next question for this person, held for them; None when there is none left."""

    def questions(self) -> Iterator[Asked]:
        """One question after the other, until there is none left; reply to each before the next."""
        while (question := self.ask()) is not None:
            yield question

    def answer(
        self, question: Asked, text: str, *, seconds: float | None = None, note: str = ""
    ) -> str:
        """Keep an answer for good; its id. `seconds` default to the time since it was asked."""
        return self._reply(question, "answer", text, note, seconds)

    def skip(self, question: Asked, reply: str = "skip", *, note: str = "") -> str:
        """Leave a question: "skip", "cant_tell" or "bad_question"; the reply's id."""
        return self._reply(question, reply, "", note, None)

    @abstractmethod
    def undo(self) -> bool:
        """Take this person's last answer back; False when there is none."""

    @abstractmethod
    def status(self) -> dict[str, Any]:
        """How the school does."""

    @abstractmethod
    def night(self, *, wait: bool = True) -> dict[str, Any]:
        """Run a night now; its verdict, or where it stands when it is not waited for."""

    @abstractmethod
    def export(self, what: str = "examples", **filters: str) -> list[dict[str, Any]]:
        """Records with every column: "examples", "answers", "exam", or "own", one's own answers.

        `filters` choose among them (group="snow"), as in docs/exchange.md.
        """

    @abstractmethod
    def complete(self, prompt: str, **options: Any) -> str:
        """What the serving version writes after a text (max_tokens, temperature, seed, stop)."""

    @abstractmethod
    def _reply(
        self, question: Asked, reply: str, text: str, note: str, seconds: float | None
    ) -> str:
        """Keep a reply for good; its id."""


class Client(Classroom):
    """A school behind a server.

    A token says who calls, and what they may; in a school without accounts `person` names who
    answers. A request that failed on its way is sent again: nothing is kept twice.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        person: str = "",
        timeout: float = 30.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.person = person
        self._http = httpx2.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout, transport=transport
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def ask(self) -> Asked | None:
        """The next question for this person, held for them; None when there is none left."""
        found = self._call("GET", "/api/next", params=self._who())["question"]
        return asked(found) if found is not None else None

    def undo(self) -> bool:
        """Take this person's last answer back; False when there is none."""
        # Without an answer's id a second try could take back one more.
        return bool(self._call("POST", "/api/undo", json=self._who(), again=False)["undone"])

    def status(self) -> dict[str, Any]:
        """How the school does."""
        return self._call("GET", "/api/status")

    def night(self, *, wait: bool = True, every: float = 1.0) -> dict[str, Any]:
        """Run a night now; its verdict, or where it stands when it is not waited for.

        Raises SchoolError where the night ended without a verdict: the server's night.log says
        why.
        """
        before = self._call("POST", "/api/night", json={}, again=False)
        if not wait:
            return before
        return self.wait(before, every=every)

    def wait(self, before: Mapping[str, Any], *, every: float = 1.0) -> dict[str, Any]:
        """Wait for a night that `night(wait=False)` began; its verdict."""
        while (now := self._call("GET", "/api/night"))["running"]:
            time.sleep(every)
        if now["verdict"] is None or now["verdict"] == before["verdict"]:
            raise SchoolError("The night ended without a verdict; see night.log in its folder.")
        return dict(now["verdict"])

    def export(self, what: str = "examples", **filters: str) -> list[dict[str, Any]]:
        """Records with every column: "examples", "answers", "exam", or "own", one's own answers.

        `filters` choose among them (group="snow"), as in docs/exchange.md.
        """
        path, about = ("/api/me/export", self._who()) if what == "own" else ("/api/export", {})
        asked = {"format": "jsonl", "what": what, **about, **filters}
        lines = self._send("GET", path, params=asked).text.split("\n")
        return [json.loads(line) for line in lines if line]

    def complete(self, prompt: str, **options: Any) -> str:
        """What the serving version writes after a text (max_tokens, temperature, seed, stop)."""
        body = {"model": "nightschool", "prompt": prompt, **options}
        return str(self._call("POST", "/v1/completions", json=body)["choices"][0]["text"])

    def chat(self, content: str, **options: Any) -> str:
        """What the serving version replies to one message."""
        turns = [{"role": "user", "content": content}]
        body = {"model": "nightschool", "messages": turns, **options}
        told = self._call("POST", "/v1/chat/completions", json=body)
        return str(told["choices"][0]["message"]["content"])

    def metrics(self) -> str:
        """The school's numbers in Prometheus' text format."""
        return self._send("GET", "/metrics").text

    def _who(self) -> dict[str, str]:
        return {"person": self.person} if self.person else {}

    def _reply(
        self, question: Asked, reply: str, text: str, note: str, seconds: float | None
    ) -> str:
        body = {
            "id": str(uuid.uuid4()),
            "question_id": question.id,
            "reply": reply,
            "text": text,
            "seconds": time.monotonic() - question.at if seconds is None else seconds,
            "note": note,
            **self._who(),
        }
        self._call("POST", "/api/answers", json=body)
        return str(body["id"])

    def _call(self, method: str, path: str, *, again: bool = True, **more: Any) -> dict[str, Any]:
        told: dict[str, Any] = self._send(method, path, again=again, **more).json()
        return told

    def _send(self, method: str, path: str, *, again: bool = True, **more: Any) -> httpx2.Response:
        for wait in (*RETRIES, None) if again else (None,):
            try:
                reply = self._http.request(method, path, **more)
            except httpx2.TransportError as error:
                if wait is None:
                    url = self._http.base_url
                    raise SchoolError(f"The school at {url} cannot be reached: {error}.") from error
            else:
                if reply.is_success:
                    return reply
                if wait is None or reply.status_code not in _AGAIN:
                    raise SchoolError(_reason(reply), reply.status_code)
            time.sleep(wait)
        raise AssertionError("unreachable")


def asked(told: Mapping[str, Any]) -> Asked:
    """A question from the API's words."""
    own = ("id", "text", "kind", "version")
    more = {key: value for key, value in told.items() if key not in own}
    id, text, kind, version = (str(told[key]) for key in own)
    return Asked(id, text, kind, version, more)


def _reason(reply: httpx2.Response) -> str:
    try:
        error = reply.json()["error"]
    except (JSONDecodeError, KeyError, TypeError):
        return f"HTTP {reply.status_code}"
    return str(error["message"] if isinstance(error, dict) else error)
