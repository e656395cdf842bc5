"""How long it takes to look things up among 100,000 answers, to take them in and to export them.

    python benchmarks/archive.py [--answers 100000]

A new school of the small learner in a temporary folder; nothing else is needed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nightschool.app import School
from nightschool.app.exchange import Format, What, export, import_file, selection_of
from nightschool.app.init import init_school
from nightschool.types import Partition

COLOURS = ("white", "black", "green", "blue", "red")
SEARCHES = (
    {},
    {"text": "number 4242"},
    {"text": "nowhere to be found"},
    {"person": "p17"},
    {"person": "p17", "reply": "skip"},
    {"group": "g3", "text": "blue"},
    {"strategy": "import", "night": "0"},
    {"state": "retracted"},
)


def a_file(path: Path, n: int) -> None:
    """n replies of 40 people to n / 2 contexts, one in twenty a skip."""
    with open(path, "w", encoding="utf-8") as file:
        for i in range(n):
            skips = i % 20 == 19
            row = {
                "id": f"b{i}",
                "context": f"This is the thing with the number {i // 2}. Its colour is",
                "person": f"p{(i * 7) % 40}",
                "reply": "skip" if skips else "answer",
                "answer": None if skips else COLOURS[i // 2 % 5],
                "seconds": 2.0,
                "at": 1.7e9 + i,
                "group": f"g{i // 2 % 7}",
            }
            file.write(json.dumps(row) + "\n")


def median(work: Callable[[], object], times: int = 5) -> float:
    """The median of some runs, in milliseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def once(name: str, work: Callable[[], object]) -> None:
    """Run and time one thing."""
    began = time.perf_counter()
    found = work()
    print(f"{name:<44} {time.perf_counter() - began:8.2f} s   {found}")


def look(school: School, said: dict[str, str]) -> None:
    """Time one search, for answers and for contexts."""
    chosen = selection_of(said)
    named = ", ".join(f"{k}={v}" for k, v in said.items()) or "everything"
    answers = median(lambda: school.records.answers(chosen))
    contexts = median(lambda: school.records.contexts(chosen))
    print(f"{named:<44} {answers:8.1f} ms answers {contexts:8.1f} ms contexts")


def send(school: School, place: Path, form: Format, what: What) -> None:
    """Time one export."""
    path = place / f"{what}-{form}"
    once(f"export {what} as {form}", lambda: export(school, path, form, what=what))


def main() -> None:
    """Make the school, fill it, look things up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=100_000)
    n = parser.parse_args().answers
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        init_school(place / "s", settings={"learner": "bagofwords", "seed": 7})
        source = place / "answers.jsonl"
        a_file(source, n)
        with School.open(place / "s") as school:
            once("import", lambda: import_file(school, source, "nightschool").answers)
            once("import again", lambda: import_file(school, source, "nightschool").answers)
            for said in SEARCHES:
                look(school, said)
            paged = median(lambda: school.records.answers(selection_of({}), before=n // 2))
            print(f"{'a page half way down':<44} {paged:8.1f} ms answers")
            some = school.warehouse.contexts(Partition.TRAINING)[0].id
            print(f"{'one record':<44} {median(lambda: school.records.life(some)):8.1f} ms")
            for form in Format:
                send(school, place, form, What.EXAMPLES)
            send(school, place, Format.JSONL, What.ANSWERS)


if __name__ == "__main__":
    main()
