"""Four processes write into one school at once: answers, nights, withdrawals and erasures.

`python benchmarks/writers.py --seconds 60`: prints what each did, the slowest write, and whether
every answer that was acknowledged is there once. With NIGHTSCHOOL_TEST_POSTGRES it does so there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import postgres
from tests.conftest import make_school

from nightschool.app import School
from nightschool.types import Answer, Context, Document, LockedError, Reply


def answering(folder: Path, until: float, mine: str) -> dict[str, Any]:
    """Asks and answers without pause; who is erased comes back under the next name."""
    kept: list[str] = []
    slowest, errors, i = 0.0, [], 0
    with School.open(folder) as school:
        while time.time() < until:
            person = f"{mine}-{i // 50}"
            began = time.perf_counter()
            try:
                question = school.next_question(person)
                if question is None:
                    time.sleep(0.05)
                    continue
                name = str(uuid.uuid4())
                school.keep(
                    Answer(name, question.id, person, Reply.ANSWER, Document("green"), 1.0,
                           time.time())
                )  # fmt: skip
                kept.append(name)
            except Exception as error:  # everything that a person would have seen
                errors.append(repr(error)[:200])
            slowest = max(slowest, time.perf_counter() - began)
            i += 1
    return {"kept": kept, "slowest": slowest, "errors": errors}


def nights(folder: Path, until: float, mine: str) -> dict[str, Any]:
    """One night after the other."""
    done, errors = 0, []
    with School.open(folder) as school:
        while time.time() < until:
            try:
                school.night()
                done += 1
                time.sleep(0.5)  # between two nights somebody can be erased
            except LockedError:
                time.sleep(0.05)
            except Exception as error:
                errors.append(repr(error)[:200])
    return {"nights": done, "errors": errors}


def leaving(folder: Path, until: float, mine: str) -> dict[str, Any]:
    """Now somebody is withdrawn, now erased; while a night runs nobody can be."""
    withdrawn, erased, busy, errors, i = 0, 0, 0, [], 0
    with School.open(folder) as school:
        while time.time() < until:
            time.sleep(0.2)
            people = [p.id for p in school.warehouse.people() if "-" in p.id and p.id[0] == "a"]
            if not people:
                continue
            try:
                if i % 2:
                    withdrawn += school.leaving.withdraw(people[0], "owner")
                else:
                    school.leaving.erase(people[0], "owner")
                    erased += 1
                i += 1
            except LockedError:
                busy += 1
            except Exception as error:
                errors.append(repr(error)[:200])
    return {"withdrawn": withdrawn, "erased": erased, "busy": busy, "errors": errors}


def run(work: Any, folder: Path, until: float, mine: str, out: Any) -> None:
    """One process: its report goes into the queue."""
    out.put((f"{work.__name__} {mine}", work(folder, until, mine)))


def main() -> None:
    """Run the four, then count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    spawn = mp.get_context("spawn")
    out = spawn.Queue()
    database = contextmanager(postgres.on_postgres)() if postgres.SERVER else nullcontext()
    with database, tempfile.TemporaryDirectory() as place:
        folder = make_school(Path(place) / "school", questions=100)
        with School.open(folder) as school:
            school.add_contexts(Context.of(f"number {n} looks at it. It is") for n in range(9000))
        until = time.time() + seconds
        works = [(answering, "anna"), (answering, "ben"), (nights, ""), (leaving, "")]
        running = [spawn.Process(target=run, args=(w, folder, until, m, out)) for w, m in works]
        for process in running:
            process.start()
        told = dict(out.get() for _ in running)
        for process in running:
            process.join()
        acknowledged = [name for said in told.values() for name in said.pop("kept", ())]
        with School.open(folder) as school:
            there = [a.id for a in school.warehouse.answers(retracted=True)]
            problems = school.warehouse.verify()
    told["acknowledged"] = len(acknowledged)
    told["lost"] = len(set(acknowledged) - set(there))
    told["twice"] = len(there) - len(set(there))
    told["verify"] = problems
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
