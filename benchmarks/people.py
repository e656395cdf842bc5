"""A hundred people answer at once: does one server keep up, and does it keep its promises?

    python benchmarks/people.py --out out/people --minutes 10

`nightschool serve` serves a school with an account and a token for each person. In a process of
their own, people are asked and answer over HTTP as the page does it: one question before them,
one fetched ahead, and from --fastest to --slowest seconds (drawn evenly) for an answer. Some take
an answer back and give another, some send one twice, some hang up before they hear that it was
kept and send it again, some leave without a word and come back after a minute or more.

Printed: latency of the next question and of an answer in milliseconds as people see it, whether
any question was held by two people at one moment (from what each was given and when, by their
clocks), whether an acknowledged answer is missing in the log or in it twice, and the server's
memory and CPU.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from nightschool.app import School
from nightschool.app.config import write_config
from nightschool.app.leases import SHORTEST
from nightschool.app.plans import WordsPlan
from nightschool.types import Context
from nightschool.types.people import Role

UNDO, TWICE, HANG_UP, LEAVE = 0.03, 0.03, 0.02, 0.01
"""How often, of all answers."""

SLOW = 0.1
"""Seconds after which somebody notices."""

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

    def __init__(self, name: str, token: str, port: int, pace: tuple[float, float]) -> None:
        self.name, self.port, self.pace = name, port, pace
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.random = random.Random(name)
        self.diary = Diary()
        self.screen: list[Held] = []
        self.line: http.client.HTTPConnection | None = None

    def live(self, until: float, stop: threading.Event) -> None:
        """Be asked and answer until that moment."""
        stop.wait(self.random.uniform(0, self.pace[1]))
        while time.monotonic() < until and not stop.is_set():
            try:
                self.turn(stop)
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                self.diary.errors.append(f"{type(error).__name__}: {error}")
                self.line = None
                stop.wait(1.0)

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


def main() -> None:
    """Build a school, serve it, let people answer, count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out/people"))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--fastest", type=float, default=2.0)
    parser.add_argument("--slowest", type=float, default=6.0)
    parser.add_argument("--pool", type=int, default=30_000)
    parser.add_argument("--questions", type=int, default=40, help="a night's")
    parser.add_argument("--keep", action="store_true", help="do not build the school anew")
    options = parser.parse_args()
    folder = options.out / "school"
    if not (options.keep and folder.is_dir()):
        build(folder, options.pool, options.questions)
    tokens = accounts(folder, options.people)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    server = serve(folder, port, options.out / "serve.log")
    pace = (options.fastest, options.slowest)
    people = [Person(name, token, port, pace) for name, token in tokens.items()]
    try:
        wait_for(people[0])
        report = answer(people, server, 60 * options.minutes)
    finally:
        server.terminate()
        server.wait()
    report |= check(folder, people)
    print(table(people))
    for name, value in report.items():
        print(f"{name}: {value}")
    (options.out / "people.json").write_text(json.dumps(report, indent=1, default=str))


def build(folder: Path, pool: int, questions: int) -> None:
    """A starter school with a large pool and a full queue."""
    shutil.rmtree(folder, ignore_errors=True)
    WordsPlan("random", 77, answers=200).build(folder)
    write_config(folder, {"questions": questions, "night_at": ""})
    with School.open(folder) as school:
        school.add_contexts(
            Context.of(f"Mia has {i} marbles and finds {i % 7} more. How many? ")
            for i in range(pool)
        )
        school.refill()


def accounts(folder: Path, n: int) -> dict[str, str]:
    """An account and a token for each person; none of them can sign in with a password."""
    tokens = {}
    with School.open(folder) as school:
        there = {account.person for account in school.accounts.all()}
        for i in range(n):
            name = f"person{i:03d}"
            if name not in there:
                secret = school.accounts.invite(Role.TEACHER, "bench", name)
                found = school.accounts.invitation(secret)
                assert found is not None
                school.accounts.store.join(found.token, name, "!", school.now())
            tokens[name] = school.accounts.add_token(name, "bench", "bench")
    return tokens


def serve(folder: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """The server as people start it."""
    command = [sys.executable, "-m", "nightschool", "--school", str(folder), "serve"]
    with log.open("wb") as out:
        return subprocess.Popen([*command, "--port", str(port)], stdout=out, stderr=out)


def wait_for(person: Person) -> None:
    """Wait until the server answers."""
    for _ in range(600):
        try:
            person.call("GET", "/api/status")
            return
        except (OSError, http.client.HTTPException, RuntimeError):
            person.line = None
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def answer(people: list[Person], server: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
    """Everybody answers for so long; the server's memory and CPU meanwhile."""
    stop = threading.Event()
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=p.live, args=(until, stop), daemon=True) for p in people]
    watched = psutil.Process(server.pid)
    before = watched.cpu_times()
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < until and server.poll() is None:
        time.sleep(min(5.0, max(0.1, until - time.monotonic())))
        memory.append(watched.memory_info().rss / 2**20)
    stop.set()
    for thread in threads:
        thread.join(35)
    after = watched.cpu_times()
    cpu = (after.user + after.system - before.user - before.system) / seconds
    own = resource.getrusage(resource.RUSAGE_SELF)
    marks = [memory[min(len(memory) - 1, int(share * len(memory)))] for share in (0.1, 0.5, 1.0)]
    return {
        "server RSS in MiB at 10 %, 50 %, 100 % of the time": [round(m, 1) for m in marks],
        "server CPU, share of a core": round(cpu, 3),
        "people's CPU, share of a core": round((own.ru_utime + own.ru_stime) / seconds, 3),
    }


def check(folder: Path, people: list[Person]) -> dict[str, Any]:
    """What the log says about what people were promised."""
    kept = {name: question for p in people for name, question in p.diary.kept.items()}
    undone = {name for p in people for name in p.diary.undone}
    with School.open(folder) as school:
        log = school.warehouse.answers(retracted=True)
        counting = {a.id for a in school.warehouse.answers()}
        damage = school.warehouse.verify()
    times = Counter(a.id for a in log)
    by_question: Counter[str] = Counter(a.question_id for a in log if a.id in counting)
    twice = sum(n > 1 for n in by_question.values())
    did = sum((p.diary.did for p in people), Counter[str]())
    errors = [error for p in people for error in p.diary.errors]
    return {
        "acknowledged answers": len(kept),
        "of them lost": sum(times[name] == 0 for name in kept),
        "in the log twice": sum(count > 1 for count in times.values()),
        "taken back, and counting all the same": len(undone & counting),
        "questions with two answers (one taken back, or late)": twice,
        "questions held by two people at one moment": len(shared(people)),
        "what people did": dict(did),
        f"calls slower than {SLOW:.1f} s, by the second in which they began": slow(people),
        "errors": errors[:5] or "none",
        "doctor": damage or "clean",
    }


def slow(people: list[Person]) -> dict[int, int]:
    """How many calls were slow, by the second of the run: a stall shows as many in one."""
    calls = [(p, call) for p in people for call in (*p.diary.nexts, *p.diary.answers)]
    first = min((began for _, (began, _) in calls), default=0.0)
    seconds = Counter(int(began - first) for _, (began, took) in calls if took > SLOW)
    return dict(sorted(seconds.items()))


def shared(people: list[Person]) -> list[tuple[Held, Held]]:
    """Pairs of people who had one question before them at one moment."""
    by_question: dict[str, list[Held]] = {}
    for person in people:
        for held in person.diary.held:
            by_question.setdefault(held.question, []).append(held)
    found = []
    for rows in by_question.values():
        rows.sort(key=lambda held: held.since)
        for i, first in enumerate(rows):
            for second in rows[i + 1 :]:
                if first.person != second.person and second.since < first.until:
                    found.append((first, second))
    return found


def table(people: list[Person]) -> str:
    """Latency in milliseconds, as people saw it."""
    lines = ["| latency in ms | n | median | p99 | worst |", "|---|---|---|---|---|"]
    for name in ("nexts", "answers"):
        ordered = sorted(1000 * took for p in people for _, took in getattr(p.diary, name))
        p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
        cells = f"{statistics.median(ordered):.1f} | {p99:.1f} | {ordered[-1]:.1f}"
        title = "next question" if name == "nexts" else "answer kept"
        lines.append(f"| {title} | {len(ordered)} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
