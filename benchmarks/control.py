"""Experiments that the model plans against random ones, on Gymnasium's bodies, paired by seed.

    python benchmarks/control.py --system Pendulum-v1 --seeds 5
    python benchmarks/control.py --system Reacher-v5 --seeds 5
    python benchmarks/control.py --system Pusher-v5 --seeds 5

Every run is a school of its own, from `init` to the last morning; runs of one seed share their
hidden exam. Errors are root mean squares in shares of the motion; returns lie between doing
nothing (0) and the same controller with the true simulator (1).
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence

from nightschool.app.plans import ControlPlan
from schools import Mornings, parser, run_all

DAYS = {
    "Pendulum-v1": {"planned": (4, 1), "held": (4, 4), "white": (1, 4)},
    "Reacher-v5": {"planned": (6, 3), "held": (6, 3), "white": (3, 6)},
    "Pusher-v5": {"planned": (4, 5), "held": (4, 5), "white": (2, 10)},
}
"""Nights, and experiments a day. Where random runs have larger days, they are compared after as
many experiments; they go on for longer, to see when they are as good."""

KINDS = {
    "planned": {"strategy": "information"},
    "held": {"strategy": "random", "written": 0},
    "white": {"strategy": "random", "written": 0, "noise": "white"},
}


def main() -> None:
    """Run what is missing, then print the tables."""
    command = parser(__doc__ or "", "out/control")
    command.add_argument("--system", default="Pendulum-v1", choices=sorted(DAYS))
    command.add_argument("--kinds", default=",".join(KINDS))
    options = command.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    kinds = options.kinds.split(",")
    plans = {}
    for seed, kind in itertools.product(seeds, kinds):
        nights, answers = DAYS[options.system][kind]
        first, each = DAYS[options.system]["planned"]
        plans[f"{options.system}-{kind}-{seed}"] = ControlPlan(
            seed=seed,
            system=options.system,
            nights=nights,
            answers=answers,
            examined=kind == "planned",  # the others only learn
            returns_of=(first * each // answers,),
            **KINDS[kind],
        )
    runs = run_all(plans, options)
    whole = [
        seed for seed in seeds if all(f"{options.system}-{kind}-{seed}" in runs for kind in kinds)
    ]
    by_kind = {k: [runs[f"{options.system}-{k}-{seed}"] for seed in whole] for k in kinds}
    done = by_kind["planned"][0][-1]["answers"]
    print(f"\n{options.system}: seeds {whole}, after {done} experiments")
    table(by_kind, done)
    compare(by_kind, done)


def after(run: Mornings, answers: int) -> dict[str, float]:
    """The newest version's measures after so many experiments."""
    return next(m["trainee"] for m in run if m["answers"] == answers)


def table(by_kind: Mapping[str, Sequence[Mornings]], done: int) -> None:
    """Every measure after the same number of experiments: the median, and each seed."""
    print("| measure | before | " + " | ".join(f"{kind} (each seed)" for kind in by_kind) + " |")
    print("|---|---|" + "---|" * len(by_kind))
    before = by_kind["planned"][0][0]["trainee"]
    for name in (n for n in after(by_kind["planned"][0], done) if n != "all"):
        cells = [f"{before[name]:.3f}" if name in before else "-"]
        for runs in by_kind.values():
            values = [v for run in runs if (v := after(run, done).get(name)) is not None]
            seeds = ", ".join(f"{v:.3f}" for v in values)
            cells.append(f"{statistics.median(values):.3f} ({seeds})" if values else "-")
        print(f"| {name} | " + " | ".join(cells) + " |")


def compare(by_kind: Mapping[str, Sequence[Mornings]], done: int) -> None:
    """Ratios to random experiments, seed by seed, and how many random ones do as well."""
    for other in [kind for kind in by_kind if kind != "planned"]:
        pairs = list(zip(by_kind["planned"], by_kind[other], strict=True))
        for name in ("random error 1", "controller error 1", "both error 1"):
            ratios = [after(a, done)[name] / after(b, done)[name] for a, b in pairs]
            print(f"{name}, planned / {other}: {[round(r, 2) for r in ratios]}")
            needed = [as_good(name, after(a, done)[name], b) for a, b in pairs]
            print(f"  {other} experiments that do as well as {done} planned ones: {needed}")
    for kind, runs in by_kind.items():
        seconds = [sum(s["seconds"] for m in run for s in m["spans"]) / len(run) for run in runs]
        print(f"{kind}: {statistics.median(seconds):.1f} s a night")


def as_good(name: str, error: float, run: Mornings) -> str:
    """After how many experiments a run was as good, for the first time and for good."""
    good = [m["trainee"][name] <= error for m in run]
    for place, morning in enumerate(run):
        if all(good[place:]):
            return str(morning["answers"])
    return f"more than {run[-1]['answers']}"


if __name__ == "__main__":
    main()
