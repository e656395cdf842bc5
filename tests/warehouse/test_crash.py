"""Kill -9 at every fault point and in the middle of a busy day: nothing promised is lost."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from pathlib import Path

import pytest

from nightschool.warehouse import Warehouse
from tests.postgres import copy_school
from tests.warehouse.children import EXAMPLES, Children
from tests.warehouse.helpers import answer, one_night


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


STEPS = {
    "seal": [
        "segment.written",
        "segment.renamed",
        "file.writing",
        "manifest.written",
        "seal.recorded",
    ],
    "store": ["weights.written", "weights.renamed"],
    "keep": ["keep.before", "keep.inside", "keep.after"],
    "post": ["post.before", "post.inside", "post.after"],
}

AROUND = ["night.begun", "finish.before", "finish.after"]

# Between the others nothing on the disk differs.
POINTS = [*AROUND, *(point for inside in STEPS.values() for point in inside)]


@pytest.fixture(scope="module")
def unbroken(
    children: Children, made: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, object]:
    """The state after a night that nothing happened to; it passes every fault point."""
    folder = tmp_path_factory.mktemp("unbroken") / "school"
    copy_school(made, folder)
    trace = folder.parent / "trace"
    assert children.run("night", folder, "none", trace) == 0
    passed = [AROUND[0]]
    for name, inside in STEPS.items():
        passed += [f"{name}.begin", *inside, f"{name}.end"]
    assert trace.read_text().split() == passed + AROUND[1:]
    with Warehouse.open(folder) as warehouse:
        assert warehouse.queue_left() == 5
        return state(warehouse)


@pytest.mark.parametrize("point", POINTS)
def test_a_night_killed_at_any_point_ends_like_an_unbroken_one(
    children: Children, unbroken: dict[str, object], made: Path, folder: Path, point: str
) -> None:
    copy_school(made, folder)
    assert children.run("night", folder, point, "") == -signal.SIGKILL
    with Warehouse.open(folder) as warehouse:
        assert warehouse.verify() == []
        # Somebody answers between the crash and the second try.
        late = warehouse.lease("ben", 60, now=0)
        assert late is not None
        assert warehouse.keep(answer("late", late.id, "ben"))
        if point != "finish.after":
            one_night(warehouse, EXAMPLES, now=86_400.0)
            assert warehouse.queue_left() == 5
        warehouse.collect_garbage()
        assert state(warehouse) == unbroken
        assert late.context not in [question.context for question in warehouse.queue()]
        assert warehouse.verify() == []


def test_kill_9_while_eight_threads_append_loses_no_acknowledged_answer(
    children: Children, made: Path, folder: Path
) -> None:
    copy_school(made, folder)
    heard = folder.parent / "heard"
    heard.touch()
    pid = children.start("append", folder, heard)
    deadline = time.monotonic() + 30
    while heard.read_bytes().count(b"\n") < 300:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    assert children.join() == -signal.SIGKILL
    acknowledged = heard.read_text().split()
    with Warehouse.open(folder) as warehouse:
        kept = [a.id for a in warehouse.answers()]
        assert len(kept) == len(set(kept))
        assert set(acknowledged) <= set(kept)
        # At most one answer of each thread was on its way; sent again, it is recognised.
        assert len(kept) <= len(acknowledged) + 8
        assert all(warehouse.keep(old) is False for old in warehouse.answers(newest=20))
        assert warehouse.verify() == []
