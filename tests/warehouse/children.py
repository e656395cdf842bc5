"""Processes to be killed: forked from one clean process that has imported everything already.

`python -m tests.warehouse.children` reads a line of JSON, forks, does that in the child, and
answers with the child's pid when it starts and its exit code when it ends (negative: killed).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path
from typing import Self

from nightschool.warehouse import Warehouse
from tests.warehouse.helpers import answer, example, one_night

EXAMPLES = [example("e"), example("f")]


class Children:
    """The clean process; `run` lets a child do one thing and returns its exit code."""

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tests.warehouse.children"]
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def start(self, what: str, *arguments: object) -> int:
        """Start a child; returns its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([what, *map(str, arguments)]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def join(self) -> int:
        """Wait for the child; returns its exit code."""
        return self._answer()

    def run(self, what: str, *arguments: object) -> int:
        """Start a child and wait for it."""
        self.start(what, *arguments)
        return self.join()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def night_until(folder: str, fault: str, trace: str) -> None:
    """A night that dies when it reaches a fault point."""
    os.environ["NIGHTSCHOOL_FAULT"] = fault
    os.environ["NIGHTSCHOOL_FAULT_TRACE"] = trace
    with Warehouse.open(folder) as warehouse:
        one_night(warehouse, EXAMPLES, now=86_400.0)


def erase_until(folder: str, person: str, fault: str) -> None:
    """An erasure that dies when it reaches a fault point."""
    with Warehouse.open(folder) as warehouse:
        os.environ["NIGHTSCHOOL_FAULT"] = fault
        warehouse.leaving.erase(person, "olga", at=3 * 86_400.0)


def append(folder: str, heard: str) -> None:
    """Eight threads that keep answers for ever, and write down each that was acknowledged."""
    warehouse = Warehouse.open(folder)
    questions = [question.id for question in warehouse.queue()]
    log = os.open(heard, os.O_WRONLY | os.O_APPEND)

    def keep(thread: int) -> None:
        for i in count():
            warehouse.keep(answer(f"{thread}-{i}", questions[i % 10], f"person{thread}"))
            os.write(log, f"{thread}-{i}\n".encode())

    threads = [threading.Thread(target=keep, args=(n,), daemon=True) for n in range(8)]
    for thread in threads:
        thread.start()
    threads[0].join()


def main() -> None:
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        pid = os.fork()
        if pid == 0:
            {"night": night_until, "append": append, "erase": erase_until}[what](*arguments)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
