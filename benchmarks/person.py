"""Somebody with a browser, for benchmarks/people.py; nothing to run here."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from nightschool.app.leases import SHORTEST

UNDO, TWICE, HANG_UP, LEAVE = 0.03, 0.03, 0.02, 0.01
"""How often, of all answers."""

AWAY = (45.0, 120.0)
"""Seconds for which somebody leaves."""


@dataclass
class Held:
    """A question that a person asked for and had before them, when (monotonic seconds)."""

    question: str
    person: str
    asked: float
    since: float
    until: float


@dataclass
class Diary:
    """What one person saw: calls (when they began, their seconds), questions, what was kept."""

    nexts: list[tuple[float, float]] = field(default_factory=list)
    answers: list[tuple[float, float]] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    did: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)


class Person:
    """Somebody with a browser: one connection, one question on the screen and one behind it."""

    def __init__(
        self, name: str, headers: dict[str, str], port: int, pace: tuple[float, float]
    ) -> None:
        self.name, self.port, self.pace = name, port, pace
        self.headers = {**headers, "Content-Type": "application/json"}
        self.random = random.Random(name)
        self.diary = Diary()
        self.screen: list[Held] = []
        self.line: http.client.HTTPConnection | None = None

    def live(self, until: float, stop: threading.Event) -> None:
        """Be asked and answer until that moment."""
        if "Cookie" in self.headers:
            self.sign()
        stop.wait(self.random.uniform(0, self.pace[1]))
        while time.monotonic() < until and not stop.is_set():
            try:
                self.turn(stop)
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                self.diary.errors.append(f"{type(error).__name__}: {error}")
                self.line = None
                stop.wait(1.0)

    def sign(self) -> None:
        """Get the mark that a page's writes carry beside the session's cookie."""
        line = self.connected()
        line.request("GET", "/api/session", headers=self.headers)
        reply = line.getresponse()
        mark = json.loads(reply.read())["csrf"]
        cookie = (reply.headers["Set-Cookie"] or "").partition(";")[0]
        self.headers |= {"Cookie": f"{self.headers['Cookie']}; {cookie}", "X-CSRFToken": mark}

    def turn(self, stop: threading.Event) -> None:
        """One question: fetch ahead, think, answer; or something else that people do."""
        while len(self.screen) < 2 and self.next():
            pass
        if not self.screen:
            self.diary.did["nothing to do"] += 1
            stop.wait(1.0)
            return
        if self.random.random() < LEAVE:
            self.leave(stop)
            return
        seconds = self.random.uniform(*self.pace)
        if stop.wait(seconds):
            return
        mine = self.screen.pop(0)
        name = str(uuid.uuid4())
        body = {"id": name, "question_id": mine.question, "reply": "answer", "text": "seven"}
        body["seconds"] = seconds
        if self.random.random() < HANG_UP:
            self.hang_up(body)
        mine.until = time.monotonic()
        told, took = self.call("POST", "/api/answers", body)
        self.diary.answers.append((mine.until, took))
        assert told["kept"], told
        self.diary.kept[name] = mine.question
        if self.random.random() < TWICE:
            again, _ = self.call("POST", "/api/answers", body)
            self.diary.did["sent twice"] += 1
            if again["new"]:
                self.diary.errors.append(f"{name} was kept twice")
        if self.random.random() < UNDO:
            self.call("POST", "/api/undo", {"answer_id": name})
            self.diary.undone.add(name)
            self.diary.did["undone"] += 1

    def next(self) -> bool:
        """Fetch one more question; False where there is none."""
        hold = ",".join(held.question for held in self.screen)
        began = time.monotonic()
        told, took = self.call("GET", f"/api/next?hold={hold}")
        self.diary.nexts.append((began, took))
        if told["question"] is None:
            return False
        now = time.monotonic()
        self.screen.append(Held(told["question"]["id"], self.name, began, now, float("inf")))
        self.diary.held.append(self.screen[-1])
        return True

    def leave(self, stop: threading.Event) -> None:
        """Close the browser for a while: what was on the screen is nobody's when its lease ends."""
        for held in self.screen:
            # The server gave it between these two moments.
            held.until = held.asked + SHORTEST
        self.screen.clear()
        self.diary.did["left"] += 1
        stop.wait(self.random.uniform(*AWAY))

    def hang_up(self, body: dict[str, Any]) -> None:
        """Send an answer and lose the line before the reply."""
        self.line = None
        line = self.connected()
        line.request("POST", "/api/answers", json.dumps(body), self.headers)
        line.close()
        self.line = None
        self.diary.did["hung up"] += 1

    def connected(self) -> http.client.HTTPConnection:
        """The line to the server."""
        if self.line is None:
            self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self.line.connect()
            self.line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.line

    def call(self, method: str, path: str, body: Any = None) -> tuple[Any, float]:
        """A reply as JSON, and the seconds until it was there."""
        data = json.dumps(body) if body is not None else None
        began = time.perf_counter()
        try:
            status, text = self.exchange(method, path, data)
        except (OSError, http.client.HTTPException):
            # The server closes a line that was silent for some seconds; a browser dials again.
            self.line = None
            status, text = self.exchange(method, path, data)
        took = time.perf_counter() - began
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {text[:200]!r}")
        return json.loads(text), took

    def exchange(self, method: str, path: str, data: str | None) -> tuple[int, bytes]:
        """Send a request over the line; status and body of the reply."""
        line = self.connected()
        line.request(method, path, data, self.headers)
        reply = line.getresponse()
        return reply.status, reply.read()
