"""The whole loop with the starter: chosen questions against random ones, paired by seed.

    python benchmarks/nights.py --seeds 5 --out out/nights

Every run is a school of its own with its own pool, test file and hidden exam; runs with the same
seed share all three. Each run is a process with one thread; two run side by side. A run that is
complete in --out is not run again.
"""

from __future__ import annotations

import argparse
import statistics

from nightschool.app.plans import WordsPlan
from nightschool.app.plots import plot_curves
from schools import parser, run_all


def main() -> None:
    """Run what is missing, then print the table and draw the curves."""
    command = parser(__doc__ or "", "out/nights")
    command.set_defaults(first_seed=101)
    command.add_argument("--strategies", default="hybrid,random")
    command.add_argument("--nights", type=int, default=10)
    command.add_argument("--answers", type=int, default=30)
    options = command.parse_args()
    plans = {
        f"{strategy}-{seed}": WordsPlan(strategy, seed, options.nights, options.answers)
        for seed in range(options.first_seed, options.first_seed + options.seeds)
        for strategy in options.strategies.split(",")
    }
    report(options, run_all(plans, options))


def report(options: argparse.Namespace, found: dict) -> None:
    """Medians over seeds, paired differences, and the curves as a PNG."""
    strategies = options.strategies.split(",")
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    runs = {s: [found[f"{s}-{seed}"] for seed in seeds] for s in strategies}
    groups = list(runs[strategies[0]][0][-1]["trainee"])
    print(f"\n{options.seeds} seeds, {options.nights} nights of {options.answers}; medians in %")
    print("| strategy | which | " + " | ".join(groups) + " |")
    print("|---|---|" + "---|" * len(groups))
    for s in strategies:
        for which, at in (("before", 0), ("trainee", -1), ("served", -1)):
            key = "served" if which == "before" else which
            cells = (100 * statistics.median(r[at][key][g] for r in runs[s]) for g in groups)
            print(f"| {s} | {which} | " + " | ".join(f"{c:.1f}" for c in cells) + " |")
    for s in strategies:
        gains = [100 * (r[-1]["trainee"]["all"] - r[0]["trainee"]["all"]) for r in runs[s]]
        behind = [100 * (r[-1]["trainee"]["all"] - r[-1]["served"]["all"]) for r in runs[s]]
        seconds = [sum(x["seconds"] for m in r for x in m["spans"]) / len(r) for r in runs[s]]
        print(
            f"{s}: gain {rounded(gains)}; served behind trainee {rounded(behind)} "
            f"(median {statistics.median(behind):.1f}); asked {runs[s][0][-1]['asked']}; "
            f"{statistics.median(seconds):.1f} s a night"
        )
    first = strategies[0]
    for other in strategies[1:]:
        pairs = [
            100 * (a[-1]["trainee"]["all"] - b[-1]["trainee"]["all"])
            for a, b in zip(runs[first], runs[other], strict=True)
        ]
        print(
            f"{first} - {other}, paired by seed: {rounded(pairs)}, median "
            f"{statistics.median(pairs):.1f}; ahead in {sum(p > 0 for p in pairs)} of {len(pairs)}"
        )
    curves = {
        s: [
            (r["answers"], statistics.median(run[i]["trainee"]["all"] for run in runs[s]))
            for i, r in enumerate(runs[s][0])
        ]
        for s in strategies
    }
    plot_curves(curves, options.out / "nights.png", f"trainee, median of {len(list(seeds))} seeds")


def rounded(values: list[float]) -> str:
    """Values with one digit, for one line."""
    return "[" + ", ".join(f"{v:.1f}" for v in values) + "]"


if __name__ == "__main__":
    main()
