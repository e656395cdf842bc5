"""Captions that are chosen against random ones and plain even coverage, paired by seed.

    python benchmarks/drawing.py --seeds 5

Every run is a school of its own with the artist's starter, ten nights of 10 drawings. The hidden
exam, sat after some of the nights, has captions that the base knew, captions of the pool that it
did not, and captions of no pool ("apart"). Recognition is by two judges that learned from real
drawings only.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from nightschool.app.plans import DrawingPlan
from schools import Mornings, parser, run_all

MEASURED = (0, 20, 30, 50, 70, 100)
"""Drawings after which the hidden exam is sat; it costs as much as learning does."""


def main() -> None:
    """Run what is missing, then print the tables."""
    command = parser(__doc__ or "", "out/drawing")
    command.add_argument("--nights", type=int, default=10)
    command.add_argument("--answers", type=int, default=10)
    command.add_argument("--strategies", default="captions,even,random")
    options = command.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    strategies = options.strategies.split(",")
    plans = {
        f"{strategy}-{seed}": DrawingPlan(
            strategy,
            seed,
            options.nights,
            options.answers,
            examined=False,  # the served model is not what is measured here
            measured_of=tuple(
                n for n in range(options.nights + 1) if n * options.answers in MEASURED
            ),
        )
        for seed in seeds
        for strategy in strategies
    }
    runs = run_all(plans, options)
    whole = [seed for seed in seeds if all(f"{s}-{seed}" in runs for s in strategies)]
    by_name = {s: [runs[f"{s}-{seed}"] for seed in whole] for s in strategies}
    print(f"\nSeeds {whole}, {options.nights} nights of {options.answers} drawings")
    table(by_name)
    curves(by_name)
    needed(by_name)


def table(by_name: Mapping[str, Sequence[Mornings]]) -> None:
    """Every measure before and after: the median, and each seed."""
    first = next(iter(by_name.values()))[0]
    print("| measure | before | " + " | ".join(f"{s} (each seed)" for s in by_name) + " |")
    print("|---|---|" + "---|" * len(by_name))
    for name in (n for n in first[-1]["trainee"] if n != "all"):
        cells = [f"{100 * first[0]['trainee'].get(name, float('nan')):.0f}"]
        for runs in by_name.values():
            values = [100 * run[-1]["trainee"][name] for run in runs]
            seeds = ", ".join(f"{v:.0f}" for v in values)
            cells.append(f"{statistics.median(values):.0f} ({seeds})")
        print(f"| {name} | " + " | ".join(cells) + " |")
    for name, runs in by_name.items():
        key = "unknown denoising loss"
        ratios = [run[-1]["trainee"][key] / run[0]["trainee"][key] for run in runs]
        print(f"{name}: loss on unknown captions / the base's: {[round(r, 2) for r in ratios]}")


def curves(by_name: Mapping[str, Sequence[Mornings]]) -> None:
    """Recognition of unknown captions by both judges, drawing by drawing."""
    for name, runs in by_name.items():
        points = [
            f"{m['answers']}: {100 * statistics.median(r[i]['trainee']['all'] for r in runs):.0f}"
            for i, m in enumerate(runs[0])
            if m["answers"] in MEASURED
        ]
        print(f"{name}, unknown captions recognised, %: {', '.join(points)}")
    for name, runs in by_name.items():
        seconds = [sum(s["seconds"] for m in run for s in m["spans"]) / len(run) for run in runs]
        print(f"{name}: {statistics.median(seconds):.1f} s a night")


def needed(by_name: Mapping[str, Sequence[Mornings]]) -> None:
    """How many drawings another strategy needs for what random ones reach in the end."""
    if "random" not in by_name:
        return
    for name in (n for n in by_name if n != "random"):
        shares = []
        for run, random in zip(by_name[name], by_name["random"], strict=False):
            goal = random[-1]["trainee"]["all"]
            reached = next((m["answers"] for m in run if m["trainee"]["all"] >= goal), None)
            shares.append(f"{reached} of {random[-1]['answers']}")
        print(f"{name}: drawings to what random reaches in the end: {shares}")


if __name__ == "__main__":
    main()
