"""The whole loop with the starter: every strategy teaches schools of its own, paired by seed.

    python benchmarks/nights.py --seeds 5 --strategies hybrid,random --out out/nights
    python benchmarks/nights.py --seeds 5 --out out/nights --report-only

Every run is a school with its own pool (a third about known skills, a third about new ones, a
third open-ended), test file and hidden exam; runs with the same seed share all three. The
macro-accuracy is the mean over the skills that the model does not know yet and can learn
(`ceiling.py` finds which). Each run is a process with one thread; a run that is complete in --out
is not run again, and --report-only compares what is complete.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nightschool.app import curves, parts
from nightschool.app.plans import WordsPlan
from nightschool.app.plots import plot_curves
from nightschool.app.simulations import Mornings, read, run_all
from nightschool.starter import stories, weights_folder
from nightschool.types import Context, Picks

STRATEGIES = (
    "hybrid,random,margin,least_confidence,entropy,bald,epig,badge,k_center,typiclust,"
    "max_herding,falcun"
)

BLIND = ("random", "k_center", "typiclust", "max_herding")
"""Strategies that look at embeddings, or at nothing."""


@dataclass(frozen=True)
class Lessons:
    """One strategy's schools as arrays: rows are seeds, columns mornings.

    `answers` (mornings,), `macro` (seeds, mornings), `skills` by name (seeds, mornings), `opened`
    (seeds,), the share of open-ended contexts among the strategy's own choices.
    """

    seeds: tuple[int, ...]
    answers: np.ndarray
    macro: np.ndarray
    skills: Mapping[str, np.ndarray]
    opened: np.ndarray
    chosen: Mapping[str, float]

    def needed(self, target: float, among: Collection[int] | None = None) -> list[float]:
        """Answers to the target, seed by seed (or of some): straight between two mornings."""
        return [
            crossing(self.answers, curve, target)
            for seed, curve in zip(self.seeds, self.macro, strict=True)
            if among is None or seed in among
        ]


def main() -> None:
    """Run what is missing, then print the tables and draw the curves."""
    command = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    command.add_argument("--seeds", type=int, default=5)
    command.add_argument("--first-seed", type=int, default=101)
    command.add_argument("--processes", type=int, default=2)
    command.add_argument("--out", type=Path, default=Path("out/nights"))
    command.add_argument("--report-only", action="store_true", help="only what is complete already")
    command.add_argument("--strategies", default=STRATEGIES)
    command.add_argument("--nights", type=int, default=10)
    command.add_argument("--answers", type=int, default=30)
    command.add_argument("--sample", type=int, default=300, help="contexts looked at each night")
    command.add_argument("--hidden", type=int, default=800, help="items of the hidden exam")
    command.add_argument("--target", type=float, default=0.7)
    command.add_argument("--skills", default=",".join(stories.NEW_SKILLS))
    options = command.parse_args()
    strategies = options.strategies.split(",")
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    plans = {f"{s}-{seed}": plan(s, seed, options) for seed in seeds for s in strategies}
    if options.report_only:
        every = {name: read(options.out, name) for name in plans}
        found: Mapping[str, Mornings] = {
            name: run for name, run in every.items() if len(run) == options.nights + 1
        }
    else:
        runs = run_all(plans, options.out, processes=options.processes)
        found = runs.mornings
        for name, reason in runs.failures.items():
            print(f"{name} failed: {reason}")
    wanted = options.skills.split(",")
    taught = {s: lessons(s, seeds, found, wanted) for s in strategies}
    report({s: t for s, t in taught.items() if t.seeds}, options)


def plan(strategy: str, seed: int, options: argparse.Namespace) -> WordsPlan:
    """A school that chooses once a night and counts answers, not seconds: strategies are compared.

    The simulated teacher would give the same answer again, so nothing is asked again either.
    Some look at no posterior, and the weights are the same without one: there it is left out.
    """
    settings: dict[str, object] = {"candidates": 1, "per_second": False, "ask_again": 0.0}
    if strategy in BLIND:
        settings["learner_settings"] = {"members": 0}
    return WordsPlan(
        strategy, seed, options.nights, options.answers, sample=options.sample,
        hidden=options.hidden, settings=settings,
    )  # fmt: skip


def lessons(
    strategy: str, seeds: range, found: Mapping[str, Mornings], skills: list[str]
) -> Lessons:
    """What one strategy's complete runs measured."""
    own = {seed: found[f"{strategy}-{seed}"] for seed in seeds if f"{strategy}-{seed}" in found}
    runs = list(own.values())
    each = {k: np.array([[m["trainee"][k] for m in r] for r in runs]) for k in skills}
    last = [r[-1]["chosen"] for r in runs]
    total = [max(1, sum(c.values())) for c in last]
    groups = sorted({g for c in last for g in c})
    return Lessons(
        tuple(own),
        np.median([[m["answers"] for m in r] for r in runs], axis=0) if runs else np.empty(0),
        np.mean(list(each.values()), axis=0),
        each,
        np.array([c.get(stories.OPEN, 0) / n for c, n in zip(last, total, strict=True)]),
        {g: statistics.median(c.get(g, 0) for c in last) for g in groups},
    )


def crossing(answers: np.ndarray, curve: np.ndarray, target: float) -> float:
    """Answers at which a curve first reaches the target, straight between mornings; else inf."""
    there = np.flatnonzero(curve >= target)
    if not len(there):
        return float("inf")
    at = int(there[0])
    if at == 0:
        return float(answers[0])
    part = (target - curve[at - 1]) / (curve[at] - curve[at - 1])
    return float(answers[at - 1] + part * (answers[at] - answers[at - 1]))


def share(needed: list[float], others: list[float], budget: float) -> str:
    """The ratio of medians of answers to a target, with the side on which it is only a bound."""
    if not needed:
        return "-"
    mine, theirs = (curves.reached(each, budget).censored for each in (needed, others))
    if mine and theirs:
        return "-"
    sign = "> " if mine else "< " if theirs else ""
    return f"{sign}{curves.share(needed, others, budget):.2f}"


def report(taught: Mapping[str, Lessons], options: argparse.Namespace) -> None:
    """Both tables, the paired differences from random, and the curves as a PNG."""
    budget = options.nights * options.answers
    cost = choosing_seconds(list(taught), options.answers)
    baseline = taught.get("random")
    names = options.skills.split(",")
    print(f"\n{options.nights} nights of {options.answers}; macro over {', '.join(names)}; medians")
    print(
        f"| strategy | seeds | answers to {100 * options.target:.0f} % | of random's | macro at "
        "the end | area | open-ended chosen | s to choose |\n" + "|---" * 8 + "|"
    )
    for s, t in taught.items():
        need = curves.reached(t.needed(options.target), budget)
        against = "-"
        if baseline is not None:
            both = set(baseline.seeds) & set(t.seeds)
            against = share(*(each.needed(options.target, both) for each in (t, baseline)), budget)
        areas = [curves.area(t.answers, curve) for curve in t.macro]
        print(
            f"| {s} | {len(t.seeds)} | {need} | {against} | "
            f"{100 * np.median(t.macro[:, -1]):.1f} | {100 * np.median(areas):.1f} | "
            f"{100 * np.median(t.opened):.1f} % | {cost[s]:.3f} |"
        )
    print("\nAccuracy at the end in %, median (lowest seed), and questions chosen about each skill")
    print("| strategy | " + " | ".join(names) + " | chosen |\n" + "|---" * (len(names) + 2) + "|")
    for s, t in taught.items():
        ends = [t.skills[k][:, -1] for k in names]
        cells = [f"{100 * np.median(e):.0f} ({100 * e.min():.0f})" for e in ends]
        asked = ", ".join(f"{g} {n:.0f}" for g, n in t.chosen.items())
        print(f"| {s} | {' | '.join(cells)} | {asked} |")
    if baseline is not None:
        paired(taught, baseline)
    plot_curves(
        {
            s: list(zip(t.answers.tolist(), np.median(t.macro, axis=0).tolist(), strict=True))
            for s, t in taught.items()
        },
        options.out / "nights.png",
        "unknown skills, trainee, median over seeds",
    )


def paired(taught: Mapping[str, Lessons], baseline: Lessons) -> None:
    """Each strategy minus random at the end and in area, seed by seed, with 95 % intervals."""
    print("\nMinus random, paired by seed, points [95 % interval]; seeds ahead")
    for s, t in taught.items():
        shared = [seed for seed in t.seeds if seed in baseline.seeds]
        if t is baseline or len(shared) < 2:
            continue
        ours = t.macro[[t.seeds.index(seed) for seed in shared]]
        theirs = baseline.macro[[baseline.seeds.index(seed) for seed in shared]]
        ends = 100 * (ours[:, -1] - theirs[:, -1])
        areas = [
            100 * (curves.area(t.answers, a) - curves.area(baseline.answers, b))
            for a, b in zip(ours, theirs, strict=True)
        ]
        told = []
        for values in (ends, np.array(areas)):
            i = curves.mean_interval(values)
            told.append(f"{i.mean:.1f} [{i.low:.1f}, {i.high:.1f}]")
        print(
            f"{s}: at the end {told[0]}, area {told[1]}; {int((ends > 0).sum())} of {len(shared)}"
        )


def choosing_seconds(strategies: list[str], n: int) -> dict[str, float]:
    """CPU-seconds to choose n of 300 contexts that the starter has already looked at."""
    learner = parts.learner_kind("language").begin(str(weights_folder()), {})
    pool = [Context.of(q.context, group=q.skill) for q in stories.pool(300, 1)]
    blocks = list(learner.observe(pool, asked=pool[:30], seed=1))
    found = {}
    for name in strategies:
        strategy = parts.strategy(name)
        best = float("inf")
        for _ in range(2):  # the first call imports and warms up
            begun = time.process_time()
            picks: Picks = strategy.choose(blocks, n, 1)
            best = min(best, time.process_time() - begun)
        assert len(picks.index)
        found[name] = best
    return found


if __name__ == "__main__":
    main()
