"""Kill -9 at every fault point and in the middle of a busy day: nothing promised is lost."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from nightschool.warehouse import Warehouse
from tests.warehouse.helpers import answer, example, one_night

CLEAN = multiprocessing.get_context("forkserver")

EXAMPLES = [example("e"), example("f")]


@pytest.fixture(autouse=True, scope="module")
def _forkserver() -> Iterator[None]:
    # Children are forked from a clean process that has imported everything: fast and safe.
    CLEAN.set_forkserver_preload(["nightschool.warehouse", "pytest"])
    return


def night_until(folder: Path, fault: str, trace: str) -> None:
    os.environ["NIGHTSCHOOL_FAULT"] = fault
    os.environ["NIGHTSCHOOL_FAULT_TRACE"] = trace
    with Warehouse.open(folder) as warehouse:
        one_night(warehouse, EXAMPLES, now=86_400.0)


def run(fault: str, folder: Path, trace: str = "") -> int | None:
    child = CLEAN.Process(target=night_until, args=(folder, fault, trace))
    child.start()
    child.join(30)
    return child.exitcode


def state(warehouse: Warehouse) -> dict[str, object]:
    """What a night leaves behind, but for its times and tomorrow's queue."""
    return {
        "manifests": warehouse.manifests(),
        "versions": warehouse.versions(),
        "champions": [dataclasses.replace(reign, at=0) for reign in warehouse.champions()],
        "verdicts": [(v.night, v.decision, v.serves) for v in warehouse.verdicts()],
        "results": [(r.version, r.marks[0]) for r in warehouse.results()],
        "nights": warehouse.nights(),
        "files": sorted(
            str(path.relative_to(warehouse.folder))
            for place in ("weights", "segments", "manifests", "nights")
            for path in (warehouse.folder / place).rglob("*")
        ),
    }


def whole_night(made: Path, folder: Path) -> tuple[dict[str, object], list[str]]:
    """The state after an unbroken night, and the fault points that it passed."""
    shutil.copytree(made, folder)
    trace = folder.parent / "trace"
    assert run("none", folder, str(trace)) == 0
    with Warehouse.open(folder) as warehouse:
        assert warehouse.queue_left() == 5
        return state(warehouse), trace.read_text().split()


POINTS = """
    night.begun seal.begin segment.written segment.renamed manifest.written seal.recorded seal.end
    store.begin weights.written weights.renamed store.end
    keep.begin keep.before keep.inside keep.after keep.end
    post.begin post.before post.inside post.after post.end finish.before finish.after
""".split()


def test_a_night_killed_at_any_point_ends_like_an_unbroken_one(made: Path, tmp_path: Path) -> None:
    expected, passed = whole_night(made, tmp_path / "whole")
    assert passed == POINTS
    for point in POINTS:
        folder = tmp_path / point
        shutil.copytree(made, folder)
        assert run(point, folder) == -signal.SIGKILL, point
        with Warehouse.open(folder) as warehouse:
            assert warehouse.verify() == [], point
            # Somebody answers between the crash and the second try.
            late = warehouse.lease("ben", 60, now=0)
            assert late is not None, point
            assert warehouse.keep(answer("late", late.id, "ben")), point
            if point != "finish.after":
                one_night(warehouse, EXAMPLES, now=86_400.0)
                assert warehouse.queue_left() == 5, point
            warehouse.collect_garbage()
            assert state(warehouse) == expected, point
            assert late.context not in [q.context for q in warehouse.queue()], point
            assert warehouse.verify() == [], point


def append(folder: Path, heard: Path) -> None:
    with Warehouse.open(folder) as warehouse:
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


def test_kill_9_while_eight_threads_append_loses_no_acknowledged_answer(
    made: Path, folder: Path
) -> None:
    shutil.copytree(made, folder)
    heard = folder.parent / "heard"
    heard.touch()
    child = CLEAN.Process(target=append, args=(folder, heard))
    child.start()
    deadline = time.monotonic() + 30
    while heard.read_bytes().count(b"\n") < 300:
        assert time.monotonic() < deadline
        assert child.is_alive()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join(30)
    acknowledged = heard.read_text().split()
    with Warehouse.open(folder) as warehouse:
        kept = [a.id for a in warehouse.answers()]
        assert len(kept) == len(set(kept))
        assert set(acknowledged) <= set(kept)
        # At most one answer of each thread was on its way; sent again, it is recognised.
        assert len(kept) <= len(acknowledged) + 8
        assert all(warehouse.keep(old) is False for old in warehouse.answers(newest=20))
        assert warehouse.verify() == []
