"""Which skills the starter can learn at all: 300 random answers about one skill alone.

    python benchmarks/ceiling.py --seeds 3 --out out/ceiling

Each run is a school whose pool, test file and hidden exam hold one skill only; nothing is chosen
and nothing goes to the exam's side, so that all answers are learned. What stays below 90 % here,
no way of asking can teach, and `nights.py` leaves it out of its macro-accuracy. Several runs
go side by side; a run that is complete in --out is not run again.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from nightschool.app.plans import WordsPlan
from nightschool.app.simulations import Mornings, run_all
from nightschool.starter.stories import CARRY, NEW_SKILLS

LEARNED = 0.9
"""The accuracy at which a skill counts as learnable."""


def main() -> None:
    """Run what is missing, then print the table."""
    command = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    command.add_argument("--seeds", type=int, default=3)
    command.add_argument("--first-seed", type=int, default=101)
    command.add_argument("--processes", type=int, default=2)
    command.add_argument("--nights", type=int, default=10)
    command.add_argument("--answers", type=int, default=30)
    command.add_argument("--skills", default=",".join((*NEW_SKILLS, CARRY)))
    command.add_argument("--out", type=Path, default=Path("out/ceiling"))
    options = command.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    plans = {
        f"{skill}-{seed}": plan(skill, seed, options.nights, options.answers)
        for seed in seeds
        for skill in options.skills.split(",")
    }
    runs = run_all(plans, options.out, processes=options.processes)
    for name, reason in runs.failures.items():
        print(f"{name} failed: {reason}")
    print(table({s: curves(s, seeds, runs.mornings) for s in options.skills.split(",")}, options))


def plan(skill: str, seed: int, nights: int, answers: int) -> WordsPlan:
    """A school of one skill in which every answer is learned, and no member looks at the pool."""
    settings = {
        "exam_partition": 0.0,
        "exam_share": 0.0,
        "exam_share_late": 0.0,
        "learner_settings": {"members": 0},
    }
    return WordsPlan(
        "random", seed, nights, answers, pool=600, sample=2 * answers, exam_file=20, hidden=400,
        only=(skill,), settings=settings,
    )  # fmt: skip


def curves(skill: str, seeds: range, mornings: dict[str, Mornings]) -> list[list[float]]:
    """The trainee's accuracy each morning, seed by seed."""
    found = [mornings[f"{skill}-{seed}"] for seed in seeds if f"{skill}-{seed}" in mornings]
    return [[m["trainee"][skill] for m in run] for run in found]


def table(found: dict[str, list[list[float]]], options: argparse.Namespace) -> str:
    """Medians over seeds in %, after so many answers, and whether the skill is learnable."""
    days = [d for d in (0, 1, 2, 3, 5, 10) if d <= options.nights]
    heads = [str(d * options.answers) for d in days]
    lines = [
        f"{options.seeds} seeds; accuracy in %, median over seeds, after so many answers",
        "| skill | " + " | ".join(heads) + " | lowest at the end | learnable |",
        "|---" * (len(days) + 3) + "|",
    ]
    for skill, runs in found.items():
        if not runs:
            continue
        cells = [f"{100 * statistics.median(run[d] for run in runs):.1f}" for d in days]
        last = [run[-1] for run in runs]
        yes = "yes" if statistics.median(last) >= LEARNED else "no"
        lines.append(f"| {skill} | {' | '.join(cells)} | {100 * min(last):.1f} | {yes} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
