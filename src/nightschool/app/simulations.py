"""Many simulated schools: in processes side by side, and those that are complete are kept.

A run is a plan under a name. Its mornings are JSON lines in `FOLDER/NAME.jsonl`, its plan lies
beside them in `FOLDER/NAME.plan.json`. A run that has every morning is not run again; one that was
cut off starts anew.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightschool.app import parts
from nightschool.app.leash import leashed
from nightschool.app.school import School
from nightschool.app.simulation import Plan, run_to_file
from nightschool.types import ConfigError, NightschoolError, ObservationError, Partition
from nightschool.warehouse.locks import FileLock

Mornings = list[dict[str, Any]]
"""What `Morning` holds, as it is read from a file: plain lists, tables and numbers."""

Watch = Callable[[str, int, int], None]
"""Called with (run, mornings so far, mornings in all) while the runs go on."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
POLL = 0.4
"""Seconds between two looks at the files of what runs."""


@dataclass(frozen=True)
class Runs:
    """The mornings of every complete run by name, and why the others failed."""

    mornings: Mapping[str, Mornings]
    failures: Mapping[str, str]


def run_all(
    plans: Mapping[str, Plan],
    folder: Path,
    *,
    processes: int = 2,
    rehearsal: tuple[Plan, Sequence[str]] | None = None,
    watch: Watch | None = None,
) -> Runs:
    """Run every plan that is not complete yet, some side by side; one thread each.

    A run that fails does not stop the others. Where this process ends or is interrupted, those it
    started end with it. `rehearsal` is a plan and strategies that are tried on a few contexts
    first, so that what cannot work fails before hours are spent. Raises ConfigError for runs that
    were made with other settings, LockedError where another process writes to the same folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "simulations.lock", f"Simulations already run in {folder}"):
        missing = [n for n, plan in plans.items() if not complete(folder, n, plan)]
        tell = watch or (lambda name, done, total: None)
        for name in plans.keys() - set(missing):
            tell(name, plans[name].nights + 1, plans[name].nights + 1)
        failures: dict[str, str] = {}
        if missing:
            with one_thread(), leashed(min(processes, len(missing))) as pool, abrupt_end_told():
                if rehearsal is not None:
                    pool.submit(rehearse, *rehearsal).result()
                failures = _run(pool, folder, {n: plans[n] for n in missing}, tell)
    return Runs({n: read(folder, n) for n in plans if n not in failures}, failures)


def _run(
    pool: ProcessPoolExecutor, folder: Path, plans: Mapping[str, Plan], tell: Watch
) -> dict[str, str]:
    """Run plans to their end; the reasons of those that failed."""
    waiting: dict[Future[str], str] = {}
    for name, plan in plans.items():
        waiting[pool.submit(one, folder, name, plan)] = name
    failures: dict[str, str] = {}
    seen: dict[str, int] = {}
    while waiting:
        done, _ = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
        for future in done:
            name = waiting.pop(future)
            if reason := future.result():
                failures[name] = reason
        for name, plan in plans.items():
            mornings = lines(folder, name) if name not in failures else plan.nights + 1
            if mornings != seen.get(name, 0):
                seen[name] = mornings
                tell(name, mornings, plan.nights + 1)
    return failures


@contextmanager
def abrupt_end_told() -> Iterator[None]:
    """ConfigError, with the cure, where a process of the pool was killed or crashed."""
    try:
        yield
    except BrokenProcessPool as error:
        raise ConfigError(
            "A process of the simulation ended abruptly, perhaps for want of memory. "
            "What is complete is kept: run the same command again, with fewer --processes."
        ) from error


def one(folder: Path, name: str, plan: Plan) -> str:
    """One school, from init to the last morning; why it failed, or an empty text."""
    school = folder / f"school-{name}"
    error = folder / f"{name}.error.txt"
    shutil.rmtree(school, ignore_errors=True)
    (folder / f"{name}.jsonl").unlink(missing_ok=True)
    error.unlink(missing_ok=True)
    (folder / f"{name}.plan.json").write_text(described(plan), encoding="utf-8")
    try:
        run_to_file(school, plan, folder / f"{name}.jsonl")
    except NightschoolError as reason:
        return str(reason)
    except Exception as reason:  # a run of many: what went wrong is kept whole for who mends it
        error.write_text(traceback.format_exc(), encoding="utf-8")
        return f"{type(reason).__name__}: {reason} (see {error})"
    finally:
        shutil.rmtree(school, ignore_errors=True)
    return ""


def rehearse(plan: Plan, strategies: Sequence[str]) -> None:
    """Let every strategy choose 2 of 8 contexts of the plan's school.

    Raises ObservationError, by the strategy's name, for one that needs what this learner does not
    give.
    """
    with tempfile.TemporaryDirectory() as folder:
        plan.build(Path(folder) / "school")
        with School.open(Path(folder) / "school", clock=time.time) as school:
            pool = school.warehouse.sample(Partition.TRAINING, 8, 0)
            if not pool:
                return
            learner = school.learner(school.champion())
            blocks = list(learner.observe(pool, asked=pool[:1], seed=0))
            for name in strategies:
                try:
                    parts.strategy(name).choose(blocks, min(2, len(pool)), 0)
                except ObservationError as error:
                    raise ObservationError(
                        f"Strategy {name!r} cannot choose with learner "
                        f"{learner.recipe.learner!r}: {error}"
                    ) from error


def complete(folder: Path, name: str, plan: Plan) -> bool:
    """Whether a run's file holds every morning of that plan.

    Raises ConfigError where it was begun with another plan.
    """
    beside = folder / f"{name}.plan.json"
    if beside.exists() and (folder / f"{name}.jsonl").exists():
        differs = different(json.loads(beside.read_text(encoding="utf-8")), described(plan))
        if differs:
            raise ConfigError(
                f"{folder / name}.jsonl was run with other settings ({differs}); name another "
                "folder with --out, or delete that one."
            )
    return len(read(folder, name)) == plan.nights + 1


def described(plan: Plan) -> str:
    """What a plan says of itself, as JSON: two runs of equal plans are the same run."""
    table: dict[str, Any] = {}
    if dataclasses.is_dataclass(plan) and not isinstance(plan, type):
        table = dataclasses.asdict(plan)
    return json.dumps({"plan": type(plan).__name__, **table}, default=str, sort_keys=True)


def different(before: Mapping[str, Any], now: str) -> str:
    """Which settings of two plans differ, for a message; empty when none does."""
    after = json.loads(now)
    keys = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    return ", ".join(f"{k} was {before.get(k)!r}, is now {after.get(k)!r}" for k in keys)


def read(folder: Path, name: str) -> Mornings:
    """The mornings of a run so far; a last line that was cut off counts for nothing."""
    path = folder / f"{name}.jsonl"
    found: Mornings = []
    for line in path.read_text(encoding="utf-8").split("\n") if path.exists() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found


def lines(folder: Path, name: str) -> int:
    """How many mornings a run has so far."""
    try:
        return (folder / f"{name}.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes begun in here compute with one thread each, unless the environment says else.

    It must stand in the environment before they start: libraries read it when they are imported.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    for name in THREADS:
        os.environ.setdefault(name, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
