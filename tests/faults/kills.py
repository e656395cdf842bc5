"""Nights that are killed at a named point, in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nightschool.app import School
from nightschool.types import Context
from tests.postgres import copy_school

NOW = 1_900_000_000.0
SPAWN = multiprocessing.get_context("forkserver")
# What a night imports is imported once and not by each child: it takes longer than the night.
SPAWN.set_forkserver_preload(
    [
        *(f"nightschool.{m}" for m in ("app.school", "learners.bagofwords", "learners.language")),
        *("nightschool.learners.dynamics", "pyarrow.dataset", "scipy.optimize", "torch._dynamo"),
        *("transformers.models.auto", "transformers.models.llama.modeling_llama"),
    ]
)


@dataclass(frozen=True)
class Outcome:
    """All that a night decides; must be the same whether or not it was killed on the way."""

    verdicts: tuple[tuple[int, str, str], ...]
    champions: tuple[tuple[str, int], ...]
    versions: tuple[tuple[str, str, str, str], ...]
    queue: tuple[str, ...]
    answers: frozenset[str]
    examples: tuple[str, ...]
    problems: tuple[str, ...]
    leftovers: tuple[str, ...]


def night_in_child(folder: Path, fault: str | None, trace: Path | None = None) -> int:
    """Run one night in a child that dies at `fault`; its exit code (-9: killed there)."""
    child = SPAWN.Process(target=_night, args=(folder, fault, trace))
    child.start()
    child.join(120)
    assert child.exitcode is not None, "the night hangs"
    return child.exitcode


def _night(folder: Path, fault: str | None, trace: Path | None) -> None:
    os.environ["NIGHTSCHOOL_FAULT"] = fault or "nowhere"
    if trace is not None:
        os.environ["NIGHTSCHOOL_FAULT_TRACE"] = str(trace)
    with School.open(folder, clock=lambda: NOW) as school:
        school.night()


def fault_points(folder: Path, copy: Path) -> list[str]:
    """Every fault point that a night of this school passes, in order, each named once."""
    copy_school(folder, copy)
    trace = copy.with_suffix(".trace")
    assert night_in_child(copy, None, trace) == 0
    return list(dict.fromkeys(trace.read_text().splitlines()))


def outcome(folder: Path) -> Outcome:
    """What a school holds after a night."""
    with School.open(folder, clock=lambda: NOW) as school:
        warehouse = school.warehouse
        manifest = warehouse.manifest(warehouse.trainee().manifest)
        examples = warehouse.dataset(manifest).new
        return Outcome(
            tuple((v.night, v.decision.value, v.serves) for v in warehouse.verdicts()),
            tuple((r.version, r.night) for r in warehouse.champions()),
            tuple((v.id, v.parent, v.manifest, v.weights) for v in warehouse.versions()),
            tuple(q.id for q in warehouse.queue()),
            frozenset(a.id for a in warehouse.answers()),
            tuple(sorted(Context(e.context).document.body for e in examples)),
            tuple(warehouse.verify()),
            tuple(sorted(p.name for p in (folder / "nights").iterdir())),
        )


def kill_and_resume(folder: Path, work: Path, faults: Sequence[str]) -> Outcome:
    """A copy of the school whose night is killed at each fault in turn, then run to its end."""
    copy_school(folder, work)
    try:
        for fault in faults:
            assert night_in_child(work, fault) == -9, f"the night did not die at {fault}"
        assert night_in_child(work, None) == 0
        return outcome(work)
    finally:
        shutil.rmtree(work)
