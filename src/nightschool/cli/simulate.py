"""`nightschool simulate`: which strategy would do, before people's hours are spent on it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from nightschool.app.comparison import baseline_of, compare, draw, write_tables
from nightschool.app.simulation import Plan
from nightschool.app.simulations import Runs, complete, read, run_all
from nightschool.cli.bars import run_bars
from nightschool.cli.comparison import report
from nightschool.cli.request import DAYS, Request
from nightschool.cli.settings import split_pairs
from nightschool.timeline import PROCESS, Slice, during

RUNS = "runs"
"""The folder of the runs' mornings, in the output folder."""


def simulate_schools(
    command: str,
    out: Path,
    *,
    strategies: str,
    seeds: int,
    first_seed: int,
    nights: int | None,
    answers: int | None,
    data: Path | None,
    teacher: str,
    pairs: tuple[str, ...],
    learner: str | None,
    measure: str,
    target: float | None,
    lower: bool,
    processes: int,
    report_only: bool,
    **others: Any,
) -> None:
    """Run what is missing, then print the tables and write CSV and PNG."""
    PROCESS.rename("simulate", "comparing")
    usual = DAYS["words" if data is not None else teacher]
    request = Request(
        strategies=tuple(dict.fromkeys(s.strip() for s in strategies.split(",") if s.strip())),
        seeds=range(first_seed, first_seed + seeds),
        nights=nights or usual[0],
        answers=answers or usual[1],
        teacher=teacher,
        data=data,
        settings={**({"learner": learner} if learner else {}), **split_pairs(pairs)},
        **others,
    )
    request.check()
    request.check_target(target, measure)
    console = opened(command)
    warn(request, console)
    out.mkdir(parents=True, exist_ok=True)
    plans = {f"{s}-{seed}": plan for (s, seed), plan in request.plans().items()}
    found = complete_runs(plans, out) if report_only else run(request, plans, out, processes)
    for name, reason in found.failures.items():
        click.echo(f"Failed: {name}: {reason}", err=True)
    for sentence in left_out(request, found):
        click.echo(sentence, err=True)
    names = [(s, seed) for seed in request.seeds for s in request.strategies]
    every = {(s, seed): found.mornings.get(f"{s}-{seed}") for s, seed in names}
    runs = {name: mornings for name, mornings in every.items() if mornings is not None}
    comparison = compare(runs, measure, target=target, lower=lower)
    (out / "command.txt").write_text(command + "\n", encoding="utf-8")
    report(comparison, console)
    files = [*write_tables(comparison, out), draw(comparison, out / "curves.png")]
    click.echo(f"Written: {', '.join(str(f) for f in files)}")
    click.echo(spent(PROCESS.read()))
    if found.failures:
        sys.exit(1)


def opened(command: str) -> Console:
    """The terminal with the command on it; a file's tables are as wide as they need to be."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(f"$ {command}", highlight=False, soft_wrap=True)
    return console


def spent(life: Slice) -> str:
    """Where this process' time went, in seconds, from its first moment."""
    parts = sorted(life.parts.items(), key=lambda part: -part[1])
    told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in parts)
    return f"Time: {life.wall:.1f} s ({told})."


def left_out(request: Request, found: Runs) -> Iterator[str]:
    """A sentence for each strategy that has no run to compare, and one for another baseline."""
    kept = []
    for strategy in request.strategies:
        names = [f"{strategy}-{seed}" for seed in request.seeds]
        if any(name in found.mornings for name in names):
            kept.append(strategy)
            continue
        reasons = dict.fromkeys(found.failures[name] for name in names if name in found.failures)
        if reasons:
            yield f"{strategy} failed in every seed: {'; '.join(reasons)}"
        else:
            yield f"{strategy} is complete in no seed; run it without --report-only."
    if kept and baseline_of(kept) != baseline_of(request.strategies):
        yield f"Compared with {baseline_of(kept)} instead of {baseline_of(request.strategies)}."


def complete_runs(plans: Mapping[str, Plan], out: Path) -> Runs:
    """What is complete already."""
    done = [name for name, plan in plans.items() if complete(out / RUNS, name, plan)]
    return Runs({name: read(out / RUNS, name) for name in done}, {})


def run(request: Request, plans: Mapping[str, Plan], out: Path, processes: int) -> Runs:
    """Run what is missing. Strategies of which nothing is complete are tried first."""
    done = {n for n, plan in plans.items() if complete(out / RUNS, n, plan)}
    new = [s for s in request.strategies if not any(f"{s}-{i}" in done for i in request.seeds)]
    bars = run_bars({n: plan.nights + 1 for n, plan in plans.items()})
    with during("simulating"), bars as watch:
        return run_all(
            plans,
            out / RUNS,
            processes=processes,
            rehearsal=(request.rehearsal(), new) if new else None,
            watch=watch,
        )


def warn(request: Request, console: Console) -> None:
    """Say so where the data are too few for strategies to differ."""
    pool, asked = request.size(), request.nights * request.answers
    if pool and asked > pool // 2:
        console.print(
            f"Note: the pool has {pool} contexts and {asked} are asked; strategies can differ "
            "little. Bring more data, or ask less: --nights, --answers.",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )


def command_line(ctx: click.Context) -> str:
    """The command that gives these numbers again: every option that is not its default."""
    words = ["nightschool", ctx.command.name or ""]
    for option in ctx.command.params:
        value = ctx.params.get(option.name or "")
        flag = option.opts[-1]
        if value == option.get_default(ctx) or value in (None, False, ()):
            continue
        if value is True:
            words.append(flag)
            continue
        for each in value if isinstance(value, tuple) else [value]:
            words += [flag, str(each)]
    return shlex.join(words)
