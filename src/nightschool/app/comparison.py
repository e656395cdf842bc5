"""Simulated schools compared: learning curves, answers to a target, differences seed by seed."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightschool.app import curves
from nightschool.app.curves import Interval, Reached, Reals
from nightschool.app.plots import plot_bands
from nightschool.app.simulations import Mornings
from nightschool.types import ConfigError

RANDOM = "random"


@dataclass(frozen=True)
class Curve:
    """One strategy's runs: `values` (seeds, mornings) of the newest version after `answers`.

    `nights` (mornings,) are those on which it was measured, `answers` (mornings,) medians over the
    seeds; `seconds` (seeds,) is what choosing took a night.
    """

    strategy: str
    seeds: tuple[int, ...]
    nights: NDArray[np.int64]
    answers: Reals
    values: Reals
    seconds: Reals


@dataclass(frozen=True)
class Summary:
    """One strategy: where it began and ended, its area, answers to the target, seconds a night.

    Means have Student's 95 % interval over the seeds. The area is the mean over the budget of
    answers. `to_random` are the answers to what the baseline reached in the end, seed by seed.
    """

    strategy: str
    seeds: int
    before: float
    median: float
    mean: float
    low: float
    high: float
    area: float
    area_low: float
    area_high: float
    to_target: Reached | None
    to_baseline: Reached
    share_of_baseline: float
    seconds: float


@dataclass(frozen=True)
class Pairing:
    """A strategy minus the baseline, paired by seed, with 95 % intervals of the means.

    `ahead` is in how many seeds it ended higher (for an error: lower). `band_low` is the lowest
    point of the simultaneous 95 % band of the whole difference curve: above zero, the strategy
    is better at every morning after the first.
    """

    strategy: str
    baseline: str
    seeds: int
    end: float
    end_low: float
    end_high: float
    area: float
    area_low: float
    area_high: float
    ahead: int
    band_low: float
    band_high: float


@dataclass(frozen=True)
class Comparison:
    """Curves of all strategies over the same seeds, and what is measured."""

    measure: str
    lower: bool
    target: float | None
    baseline: str
    curves: tuple[Curve, ...]

    def of(self, strategy: str) -> Curve:
        """One strategy's curve."""
        return next(c for c in self.curves if c.strategy == strategy)

    @property
    def percent(self) -> bool:
        """Whether all values are shares, which are told in per cent."""
        values = np.concatenate([curve.values.ravel() for curve in self.curves])
        return bool(not self.lower and values.min() >= 0 and values.max() <= 1)

    def summaries(self) -> list[Summary]:
        """One line a strategy."""
        return [summary(self, curve) for curve in self.curves]

    def pairings(self) -> list[Pairing]:
        """One line for each strategy but the baseline."""
        base = self.of(self.baseline)
        others = [c for c in self.curves if c.strategy != self.baseline]
        return [pairing(curve, base, self.lower) for curve in others]


def compare(
    runs: Mapping[tuple[str, int], Mornings],
    measure: str = "all",
    *,
    target: float | None = None,
    lower: bool = False,
) -> Comparison:
    """Runs by (strategy, seed), over the seeds that every strategy has.

    The baseline is `random` where it was run, else the first strategy. `lower`: less is better.
    Raises ConfigError where no seed is complete, or for a measure that there is not.
    """
    strategies = list(dict.fromkeys(strategy for strategy, _ in runs))
    by_strategy = [{seed for s, seed in runs if s == strategy} for strategy in strategies]
    seeds = sorted(set.intersection(*by_strategy)) if by_strategy else []
    if not seeds:
        raise ConfigError(
            "No seed is complete with every strategy, so there is nothing to compare; run the same "
            "command again, without --report-only."
        )
    known = runs[strategies[0], seeds[0]][-1]["trainee"]
    if measure not in known:
        raise ConfigError(
            f"Nothing is measured under {measure!r}; measured: {', '.join(map(repr, known))}."
        )
    made = [curve(s, seeds, [runs[s, seed] for seed in seeds], measure) for s in strategies]
    return Comparison(measure, lower, target, baseline_of(strategies), tuple(made))


def baseline_of(strategies: Sequence[str]) -> str:
    """The strategy that the others are compared with: `random` where it was run, else the first."""
    return RANDOM if RANDOM in strategies else strategies[0]


def curve(strategy: str, seeds: Sequence[int], runs: Sequence[Mornings], measure: str) -> Curve:
    """The curve of one strategy; mornings on which a run was not measured are left out."""
    values = np.array([[m["trainee"].get(measure, math.nan) for m in run] for run in runs])
    answers = np.median([[m["answers"] for m in run] for run in runs], axis=0)
    kept = np.flatnonzero(np.isfinite(values).all(axis=0))
    if not len(kept):
        raise ConfigError(f"{measure!r} was never measured with {strategy}; name another measure.")
    seconds = [
        sum(s["seconds"] for m in run for s in m["spans"] if s["name"] == "choose") / len(run)
        for run in runs
    ]
    return Curve(strategy, tuple(seeds), kept, answers[kept], values[:, kept], np.array(seconds))


def summary(comparison: Comparison, curve: Curve) -> Summary:
    """What one strategy did."""
    base = comparison.of(comparison.baseline)
    end = curves.mean_interval(curve.values[:, -1])
    areas = curves.mean_interval(areas_of(curve))
    goals = base.values[:, -1]
    to_baseline = to_reach(curve, goals, comparison.lower)
    random = to_reach(base, goals, comparison.lower)
    target = comparison.target
    to_target = None if target is None else to_reach(curve, [target] * len(goals), comparison.lower)
    return Summary(
        curve.strategy,
        len(curve.seeds),
        float(curve.values[:, 0].mean()),
        float(np.median(curve.values[:, -1])),
        *numbers(end),
        *numbers(areas),
        to_target,
        to_baseline,
        to_baseline.median / random.median if random.median else math.nan,
        float(np.median(curve.seconds)),
    )


def pairing(curve: Curve, base: Curve, lower: bool) -> Pairing:
    """A strategy against the baseline, seed by seed, on the mornings that both have."""
    common, ours, theirs = np.intersect1d(curve.nights, base.nights, return_indices=True)
    differences = curve.values[:, ours] - base.values[:, theirs]
    end = curves.mean_interval(differences[:, -1])
    areas = curves.mean_interval([curves.area(base.answers[theirs], d) for d in differences])
    band = curves.simultaneous_band(differences)
    # Before the first answer, on morning 0, all are equal.
    after = common > 0 if (common > 0).any() else slice(None)
    return Pairing(
        curve.strategy,
        base.strategy,
        len(curve.seeds),
        *numbers(end),
        *numbers(areas),
        int(np.sum(differences[:, -1] < 0 if lower else differences[:, -1] > 0)),
        float(band.low[after].min()),
        float(band.high[after].max()),
    )


def areas_of(curve: Curve) -> Reals:
    """The mean over the budget of each seed's curve, (seeds,)."""
    return np.array([curves.area(curve.answers, row) for row in curve.values])


def to_reach(curve: Curve, goals: Sequence[float] | Reals, lower: bool) -> Reached:
    """Answers to each seed's own goal."""
    needed = [
        curves.answers_to(curve.answers, row, goal, lower=lower)
        for row, goal in zip(curve.values, goals, strict=True)
    ]
    return curves.reached(needed, float(curve.answers[-1]))


def numbers(interval: Interval) -> tuple[float, float, float]:
    """Mean, low and high as plain numbers."""
    return float(interval.mean), float(interval.low), float(interval.high)


def write_tables(comparison: Comparison, folder: Path) -> list[Path]:
    """The CSV files: curves (mean and interval of every morning), runs, summary and pairs."""
    rows = {
        "curves.csv": curve_rows(comparison),
        "runs.csv": run_rows(comparison),
        "summary.csv": map(flat, comparison.summaries()),
        "paired.csv": map(flat, comparison.pairings()),
    }
    return [write_csv(folder / name, list(table)) for name, table in rows.items()]


def draw(comparison: Comparison, path: Path) -> Path:
    """The curves with their intervals as a PNG."""
    scale = 100.0 if comparison.percent else 1.0
    bands = {}
    for curve in comparison.curves:
        interval = curves.mean_interval(curve.values)
        bounds = (scale * interval.mean, scale * interval.low, scale * interval.high)
        bands[curve.strategy] = (curve.answers, *bounds)
    seeds = len(comparison.curves[0].seeds)
    plot_bands(
        bands,
        path,
        f"newest version, mean of {seeds} seeds and its 95 % interval",
        f"hidden exam, {comparison.measure}" + (", % right" if comparison.percent else ""),
        None if comparison.target is None else scale * comparison.target,
    )
    return path


def curve_rows(comparison: Comparison) -> Iterable[dict[str, Any]]:
    """Every morning of every strategy over the seeds."""
    for curve in comparison.curves:
        interval = curves.mean_interval(curve.values)
        for i, answers in enumerate(curve.answers):
            yield {
                "strategy": curve.strategy,
                "measure": comparison.measure,
                "answers": answers,
                "seeds": len(curve.seeds),
                "median": np.median(curve.values[:, i]),
                "mean": interval.mean[i],
                "low": interval.low[i],
                "high": interval.high[i],
            }


def run_rows(comparison: Comparison) -> Iterable[dict[str, Any]]:
    """Every morning of every run."""
    for curve in comparison.curves:
        for seed, row in zip(curve.seeds, curve.values, strict=True):
            for answers, value in zip(curve.answers, row, strict=True):
                yield {
                    "strategy": curve.strategy,
                    "seed": seed,
                    "answers": answers,
                    comparison.measure: value,
                }


def flat(row: Summary | Pairing) -> dict[str, Any]:
    """A row of one level: "to_target_median" and so on."""
    found: dict[str, Any] = {}
    for each in fields(row):
        value = getattr(row, each.name)
        if isinstance(value, Reached):
            found |= {f"{each.name}_{f.name}": getattr(value, f.name) for f in fields(value)}
        elif value is not None:
            found[each.name] = value
    return found


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows under a header, whole or not at all."""
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    part.replace(path)
    return path
