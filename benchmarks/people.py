"""A hundred people answer at once: does one server keep up, and does it keep its promises?

    python benchmarks/people.py --out out/people --minutes 10      # 11 minutes; --minutes 3: 4

Claims, with 100 people on 2 cores: no question is held by more people than it is asked of, no
answer is lost or kept twice, p99 of the next question and of an answer under 100 ms, memory flat.

`nightschool serve` serves a school with an account for each person; a part of them sign in and have
a session's cookie, as in a browser, the others a token. One question in ten is gold (--gold) and
one in five is asked of three people (--overlap). In a process of their own, people are asked and
answer over HTTP as the page does it: one question before them, one fetched ahead, and from
--fastest to --slowest seconds (drawn evenly) for an answer. Some take an answer back and give
another, some send one twice, some hang up before they hear that it was kept and send it again,
some leave without a word and come back after a minute or more.

Printed: latency of the next question and of an answer in milliseconds as people see it, whether
any question was held by too many at one moment (from what each was given and when, by their
clocks), whether an acknowledged answer is missing in the log or in it twice, and the server's
memory (start, middle, end, and its slope once warm) and CPU.
"""

from __future__ import annotations

import argparse
import http.client
import json
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
from pathlib import Path
from typing import Any

import psutil

from nightschool.app import School
from nightschool.app.config import write_config
from nightschool.app.plans import WordsPlan
from nightschool.types import Context
from nightschool.types.people import Role
from nightschool.web.door import cookie_name
from person import Held, Person

SLOW = 0.1
"""Seconds after which somebody notices."""

EVERY = 2.0
"""Seconds between two looks at the server's memory."""


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
    parser.add_argument("--gold", type=float, default=0.1, help="share of gold questions")
    parser.add_argument("--overlap", type=float, default=0.2, help="share asked of three people")
    parser.add_argument("--sessions", type=float, default=0.3, help="share of people with cookies")
    parser.add_argument("--keep", action="store_true", help="do not build the school anew")
    options = parser.parse_args()
    folder = options.out / "school"
    if not (options.keep and folder.is_dir()):
        shares = {"gold_share": options.gold, "overlap": options.overlap}
        build(folder, options.pool, {"questions": options.questions, "night_at": "", **shares})
    headers = accounts(folder, options.people, round(options.sessions * options.people))
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    server = serve(folder, port, options.out / "serve.log")
    pace = (options.fastest, options.slowest)
    people = [Person(name, own, port, pace) for name, own in headers.items()]
    try:
        wait_for(people[-1])
        report = answer(people, server, 60 * options.minutes)
    finally:
        server.terminate()
        server.wait()
    report |= check(folder, people)
    print(table(people))
    for name, value in report.items():
        print(f"{name}: {value}")
    (options.out / "people.json").write_text(json.dumps(report, indent=1, default=str))


def build(folder: Path, pool: int, settings: dict[str, object]) -> None:
    """A starter school with a large pool, 500 gold questions and a full queue."""
    shutil.rmtree(folder, ignore_errors=True)
    WordsPlan("random", 77, answers=200).build(folder)
    write_config(folder, settings)
    rows = [{"context": f"Gold {i} of 500 is", "answer": "seven"} for i in range(500)]
    gold = folder.parent / "gold.jsonl"
    gold.write_text("\n".join(map(json.dumps, rows)))
    with School.open(folder) as school:
        school.gold.add(gold, "bench")
        school.add_contexts(
            Context.of(f"Mia has {i} marbles and finds {i % 7} more. How many? ")
            for i in range(pool)
        )
        school.refill()


def accounts(folder: Path, n: int, sessions: int) -> dict[str, dict[str, str]]:
    """What each person's requests carry: a session's cookie (so many of them) or a token."""
    headers = {}
    password = str(uuid.uuid4())
    with School.open(folder) as school:
        own = school.accounts
        there = {account.person for account in own.all()}
        for i in range(n):
            name = f"person{i:03d}"
            renewed = name in there
            secret = (
                own.renew(name, "bench") if renewed else own.invite(Role.TEACHER, "bench", name)
            )
            if i < sessions:
                cookie = f"{cookie_name(folder)}={own.join(secret, name, password).secret}"
                headers[name] = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
                continue
            found = own.invitation(secret)
            assert found is not None
            own.store.join(found.token, name, "!", school.now())
            headers[name] = {"Authorization": f"Bearer {own.add_token(name, 'bench', 'bench')}"}
    return headers


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
        time.sleep(min(EVERY, max(0.1, until - time.monotonic())))
        memory.append(watched.memory_info().rss / 2**20)
    stop.set()
    for thread in threads:
        thread.join(35)
    after = watched.cpu_times()
    cpu = (after.user + after.system - before.user - before.system) / seconds
    own = resource.getrusage(resource.RUSAGE_SELF)
    marks = [memory[min(len(memory) - 1, int(share * len(memory)))] for share in (0, 0.5, 1)]
    late = memory[len(memory) // 3 :]
    slope = statistics.linear_regression([EVERY / 60 * i for i in range(len(late))], late).slope
    return {
        "server RSS in MiB at the start, in the middle, at the end": [round(m, 1) for m in marks],
        "RSS slope over the last two thirds, MiB a minute": round(slope, 2),
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
        held = {one.question for p in people for one in p.diary.held}
        asked = {name: school.warehouse.question(name) for name in {*held, *kept.values()}}
    times = Counter(a.id for a in log)
    by_question: Counter[str] = Counter(a.question_id for a in log if a.id in counting)
    more = sum(n > asked[name].wanted for name, n in by_question.items() if name in asked)
    kinds = Counter(asked[name].partition.value for name in kept.values())
    several = sum(asked[name].wanted > 1 for name in kept.values())
    did = sum((p.diary.did for p in people), Counter[str]())
    errors = [error for p in people for error in p.diary.errors]
    return {
        "acknowledged answers": len(kept),
        "of them by the side of the question": dict(kinds),
        "of them to questions that are asked of several": several,
        "of them lost": sum(times[name] == 0 for name in kept),
        "in the log twice": sum(count > 1 for count in times.values()),
        "taken back, and counting all the same": len(undone & counting),
        "questions with more answers than wanted (after a lease was over)": more,
        "questions held by more people than wanted at one moment": len(
            crowded(people, {name: question.wanted for name, question in asked.items()})
        ),
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


def crowded(people: list[Person], wanted: dict[str, int]) -> list[str]:
    """Questions that at one moment were before more people than they are asked of."""
    by_question: dict[str, list[Held]] = {}
    for held in (held for person in people for held in person.diary.held):
        by_question.setdefault(held.question, []).append(held)
    return [
        name
        for name, rows in by_question.items()
        if any(
            len({other.person for other in rows if other.since <= one.since < other.until})
            > wanted[name]
            for one in rows
        )
    ]


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
