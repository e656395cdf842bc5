"""Simulated schools side by side: what every benchmark of whole nights shares.

A run is a plan under a name; its mornings are JSON lines in the output folder. A run that is
complete is not run again, so a benchmark that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from rich.progress import Progress

from nightschool.app.simulation import Plan, run_to_file

Mornings = list[dict[str, Any]]


def parser(description: str, out: str) -> argparse.ArgumentParser:
    """A command line with what all of them take."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    made.add_argument("--seeds", type=int, default=5)
    made.add_argument("--first-seed", type=int, default=1)
    made.add_argument("--processes", type=int, default=2)
    made.add_argument("--out", type=Path, default=Path(out))
    made.add_argument("--report-only", action="store_true", help="only what is complete already")
    return made


def run_all(plans: Mapping[str, Plan], options: argparse.Namespace) -> dict[str, Mornings]:
    """The mornings of every plan by name, in processes side by side; only missing ones are run."""
    options.out.mkdir(parents=True, exist_ok=True)
    missing = [n for n, plan in plans.items() if not complete(options.out, n, plan)]
    if options.report_only:
        plans = {n: plan for n, plan in plans.items() if n not in missing}
        missing = []
    with (
        ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool,
        Progress() as progress,
    ):
        bar = progress.add_task("schools", total=len(plans), completed=len(plans) - len(missing))
        running = [pool.submit(one, options.out, name, plans[name]) for name in missing]
        for done in as_completed(running):
            done.result()
            progress.advance(bar)
    return {name: read(options.out, name) for name in plans}


def complete(out: Path, name: str, plan: Plan) -> bool:
    """Whether a run's file holds every morning."""
    return len(read(out, name)) == plan.nights + 1


def read(out: Path, name: str) -> Mornings:
    """The mornings of a run so far."""
    path = out / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def one(out: Path, name: str, plan: Plan) -> None:
    """One school, from init to the last morning."""
    folder = out / f"school-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    run_to_file(folder, plan, out / f"{name}.jsonl")
    shutil.rmtree(folder, ignore_errors=True)
