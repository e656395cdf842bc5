"""`nightschool limits`: when to stop, what more answers would bring, the fewest that could do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from nightschool.app.limits import Bounded, Measured, Report, Wanted, report
from nightschool.app.school import School
from nightschool.cli.night import night_bar
from nightschool.cli.render import percent
from nightschool.limits import Interval, Lead, lead

SHOWN = 10
"""Nights of the curve that are printed, the newest."""

ONLY_BOUND = {"kinds": 0, "noise": "measured", "error": 0.0}
"""Options that say something only of a declared class, by their defaults."""


def print_limits(folder: Path, as_json: bool, **options: Any) -> None:
    """Measure what is wanted and print the report."""
    for name, usual in ONLY_BOUND.items():
        if not options["hypotheses"] and options[name] != usual:
            raise click.UsageError(f"--{name} goes only with --hypotheses N or FILE.")
    with School.open(folder) as school, night_bar("limits") as bar:
        found = report(school, Wanted(**options), lambda step: partial(bar, step))
        name = school.name
    if as_json:
        click.echo(json.dumps(_clean(as_table(found)), indent=2))
        return
    for line in lines(name, found):
        click.echo(line)


def as_table(found: Report) -> dict[str, Any]:
    """The report for JSON; of the forecast only its intervals."""
    table = {k: getattr(found, k) for k in ("answers", "learned", "target", "level", "unknown")}
    for name in ("advice", "stability", "bound", "lead"):
        part = getattr(found, name)
        table[name] = asdict(part) if part is not None else None
    for name in ("points", "ahead", "larger"):
        table[name] = [asdict(part) for part in getattr(found, name)]
    if found.forecast is not None:
        table["ceiling"] = asdict(found.forecast.ceiling(found.level))
        table["answers_to_target"] = asdict(found.forecast.answers_to(found.target, found.level))
    return table


def lines(name: str, found: Report) -> Iterator[str]:
    """The report for a person, line by line."""
    yield f"School      {name}"
    yield f"Answers     {found.answers} so far; {found.learned} learned from, which count below"
    yield from _curve(found)
    if found.advice is not None:
        yield f"Advice      {found.advice.verdict}"
        if found.advice.size:
            yield f"            a recipe that would do: {found.advice.size}"
        yield from (f"            {sentence}" for sentence in found.advice.evidence)
    for recipe in found.larger:
        yield from _recipe(recipe, found.larger[0])
    if found.bound is not None:
        yield from _bound(found.bound)
    if found.lead is not None:
        yield _lead(found.lead)
    yield from (f"Not known   {sentence}" for sentence in found.unknown)


def _curve(found: Report) -> Iterator[str]:
    for point in found.points[-SHOWN:]:
        exam = f"exam {percent(point.score)} on {point.items} items"
        yield f"Curve       {point.answers:.0f} answers: {exam}"
    if found.forecast is None:
        yield "Forecast    none yet: it needs two nights with an exam and new answers"
        return
    for night in found.ahead:
        when = f"in {night.nights} night{'s' * (night.nights > 1)}, {night.answers:.0f} answers"
        yield f"Forecast    {when}: exam {_range(night.exam)}"
    yield f"            intervals hold {percent(found.level)}"
    ceiling = found.forecast.ceiling(found.level)
    most = f"{found.forecast.farthest:,.0f} answers, ten times as many"
    yield f"Ceiling     {most}: {_range(ceiling)} without the noise of an exam"
    needed = found.forecast.answers_to(found.target, found.level)
    yield f"Target      {percent(found.target)} needs {_answers(needed)} answers"


def _recipe(found: Measured, present: Measured) -> Iterator[str]:
    scores = ", ".join(f"{p.answers:.0f}: {percent(p.score)}" for p in found.points)
    yield f"Recipe      {found.name}, {found.parameters:,} parameters; exam by answers {scores}"
    if found is not present and len(found.marks) > 1:
        both = sorted(found.marks)
        ours, theirs = ([m.marks[i] for i in both] for m in (found, present))
        more = lead(ours, theirs, round(found.points[-1].answers))
        yield f"            {_gain(more)} more than the present recipe"


def _bound(found: Bounded) -> Iterator[str]:
    few = "no number of" if math.isinf(found.fewest) else f"{found.fewest:,.0f} or more"
    bits = math.log2(found.hypotheses)
    yield (
        f"Bound       {few} answers tell {found.hypotheses:,} hypotheses ({bits:.2f} bits) apart, "
        f"for any system; used: {found.used}"
    )
    yield (
        f"            {found.kinds} kinds of answers, noise {percent(found.noise)}, error "
        f"{percent(found.error)}: an answer tells at most {found.bits:.3f} bits"
    )
    if found.seen is not None:
        between = f"{percent(found.seen.low)} to {percent(found.seen.high)}"
        yield (
            f"            noise measured from {found.seen.pairs} second answers, {between}; the "
            f"bound at its low end: {found.surely:,.0f}, whatever the noise: {found.noiseless:,.0f}"
        )
    elif not found.given:
        yield (
            "            noise is not measured: no context has answers of two people, but "
            "where one was asked again in doubt; taken to be without noise"
        )


def _lead(found: Lead) -> str:
    return (
        f"Lead        after {found.answers} answers each, on {found.items} items: chosen "
        f"{percent(found.chosen)}, random {percent(found.random)}; {_gain(found)}"
    )


def _gain(found: Lead) -> str:
    low, high = 100 * found.low, 100 * found.high
    return f"{100 * found.gain:+.1f} points ({low:+.1f} to {high:+.1f})"


def _range(interval: Interval) -> str:
    return f"{percent(interval.middle)} ({percent(interval.low)} to {percent(interval.high)})"


def _answers(interval: Interval) -> str:
    def said(value: float) -> str:
        return "more than a million" if math.isinf(value) else f"{value:,.0f}"

    return f"{said(interval.middle)} ({said(interval.low)} to {said(interval.high)})"


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
