"""Simulated schools side by side: what every benchmark of whole nights shares.

A run is a plan under a name; its mornings are JSON lines in the output folder. A run that is
complete is not run again, so a benchmark that was stopped goes on. The work is that of
`nightschool simulate` (`nightschool.app.simulations`); here are only the command line and the bars.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from nightschool.app import simulations
from nightschool.app.simulation import Plan
from nightschool.app.simulations import Mornings, complete, read
from nightschool.cli.bars import run_bars

__all__ = ["Mornings", "complete", "parser", "read", "run_all"]


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
    if options.report_only:
        done = [name for name, plan in plans.items() if complete(options.out, name, plan)]
        return {name: read(options.out, name) for name in done}
    with run_bars({name: plan.nights + 1 for name, plan in plans.items()}) as watch:
        runs = simulations.run_all(plans, options.out, processes=options.processes, watch=watch)
    if runs.failures:
        sys.exit("\n".join(f"{name} failed: {why}" for name, why in runs.failures.items()))
    return dict(runs.mornings)
