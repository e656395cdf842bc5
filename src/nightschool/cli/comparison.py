"""What `nightschool simulate` prints: curves, one line a strategy, differences seed by seed."""

from __future__ import annotations

import math

import numpy as np
from rich.console import Console
from rich.table import Table

from nightschool.app.comparison import Comparison, Curve
from nightschool.app.curves import mean_interval


def report(comparison: Comparison, console: Console) -> None:
    """The tables, and what stands in them."""
    seeds = comparison.curves[0].seeds
    unit = " in %" if comparison.percent else ""
    console.print(
        f"\nHidden exam, {comparison.measure!r}{unit}, newest version; {len(seeds)} seeds "
        f"({seeds[0]} to {seeds[-1]}). In brackets: 95 % intervals of means, Student's t over "
        "seeds.",
        highlight=False,
        soft_wrap=True,
    )
    console.print(curve_table(comparison))
    console.print(summary_table(comparison))
    console.print(needed_table(comparison))
    if len(comparison.curves) > 1:
        console.print(paired_table(comparison))
        if len(seeds) < 10:
            console.print(
                "The band holds the whole difference curve at once; with fewer than 10 seeds it "
                "is wider than it need be.",
                highlight=False,
                soft_wrap=True,
            )


def curve_table(comparison: Comparison) -> Table:
    """Every morning: the mean and its interval."""
    table = Table("answers", title="Learning curves")
    for curve in comparison.curves:
        table.add_column(curve.strategy, justify="right", no_wrap=True)
    for answers in sorted({float(a) for c in comparison.curves for a in c.answers}):
        cells = [curve_cell(comparison, curve, answers) for curve in comparison.curves]
        table.add_row(f"{answers:.0f}", *cells)
    return table


def curve_cell(comparison: Comparison, curve: Curve, answers: float) -> str:
    """One strategy after so many answers, or nothing where it was not measured then."""
    places = np.flatnonzero(curve.answers == answers)
    if not len(places):
        return ""
    interval = mean_interval(curve.values[:, places[-1]])
    return told(comparison, float(interval.mean), float(interval.low), float(interval.high))


def summary_table(comparison: Comparison) -> Table:
    """What each strategy reached."""
    table = columns("Reached", "before", "at the end", "mean over the answers")
    for row in comparison.summaries():
        table.add_row(
            row.strategy,
            told(comparison, row.before),
            told(comparison, row.mean, row.low, row.high),
            told(comparison, row.area, row.area_low, row.area_high),
        )
    return table


def needed_table(comparison: Comparison) -> Table:
    """Medians of the answers that each strategy needed, and how long it took to choose."""
    base = comparison.baseline
    names = [f"to {base}'s end", f"share of {base}'s", "seconds to choose"]
    if comparison.target is not None:
        names.insert(0, f"to {told(comparison, comparison.target)}")
    table = columns("Answers needed, median (seeds that came there)", *names)
    for row in comparison.summaries():
        more = "> " if row.to_baseline.censored else ""
        known = not math.isnan(row.share_of_baseline)
        share = f"{more}{row.share_of_baseline:.2f}" if known else "-"
        cells = [str(row.to_baseline), share, f"{row.seconds:.2f} a night"]
        table.add_row(row.strategy, *([str(row.to_target)] if row.to_target else []), *cells)
    return table


def paired_table(comparison: Comparison) -> Table:
    """Differences to the baseline, seed by seed."""
    unit = ", in points" if comparison.percent else ""
    table = columns(
        f"Minus {comparison.baseline}, paired by seed{unit}",
        "at the end",
        "mean over the answers",
        "ahead in",
        "band of the curve",
    )
    for row in comparison.pairings():
        scale = 100 if comparison.percent else 1
        band = f"{number(scale * row.band_low, scale)} to {number(scale * row.band_high, scale)}"
        table.add_row(
            row.strategy,
            told(comparison, row.end, row.end_low, row.end_high),
            told(comparison, row.area, row.area_low, row.area_high),
            f"{row.ahead} of {row.seeds}",
            band if math.isfinite(row.band_low) else "needs 4 seeds or more",
        )
    return table


def columns(title: str, *names: str) -> Table:
    """A table with a column for the strategy, and others to the right."""
    table = Table(title=title)
    table.add_column("strategy", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def told(
    comparison: Comparison, value: float, low: float = math.nan, high: float = math.nan
) -> str:
    """A value and its interval, where there is one."""
    scale = 100 if comparison.percent else 1
    inside = ""
    if math.isfinite(low) and math.isfinite(high):
        inside = rf" \[{number(scale * low, scale)}, {number(scale * high, scale)}]"
    return number(scale * value, scale) + inside


def number(value: float, scale: int) -> str:
    """One digit behind the point of a percentage, three of anything else."""
    return f"{value:.1f}" if scale == 100 else f"{value:.3f}"
