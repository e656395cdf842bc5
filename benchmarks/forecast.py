"""Does the forecast made after 5 nights contain the exam of the 10th?

    python benchmarks/forecast.py --seeds 12 --out out/forecast
    python benchmarks/forecast.py --mornings out/nights        # runs of another benchmark

Runs whole schools of the bag-of-words learner on made-up topics (easy and hard, few and many
classes, with and without wrong answers, drawn by the seed), each with random and with chosen
questions; then forecasts each school's exam from its first nights alone, and looks. A run whose
exam decided on too few items says little, so each run brings a test file too.

Two countings: "nights" takes the exams of nights 1 to 5 and looks at night 10; "taught" takes the
opening night and five nights that learned, and looks at five nights later.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nightschool.app.init import init_school
from nightschool.app.school import School
from nightschool.app.simulation import Measure
from nightschool.limits import Point, forecast
from nightschool.oracles import ScriptedOracle
from nightschool.types import Context, Oracle, Progress, Version
from schools import parser, run_all

COUNTINGS = {"nights": (5, 9), "taught": (6, 10)}
"""How many exams are seen, and which one is forecast (0: the first night's)."""


@dataclass(frozen=True)
class TopicsPlan:
    """A school of the bag-of-words learner that sorts made-up texts by their topic."""

    strategy: str
    seed: int
    nights: int = 10
    answers: int = 20
    pool: int = 1200
    exam: int = 150

    def rows(self) -> list[tuple[str, str]]:
        """All texts with their answers, the exam's first; the seed draws how hard they are."""
        rng = random.Random(self.seed)
        topics = rng.choice([3, 5, 8, 15])
        clear = rng.choice([0.12, 0.2, 0.35])
        wrong = rng.choice([0.0, 0.0, 0.1, 0.2])
        words = [[f"w{t}x{i}" for i in range(rng.choice([5, 15, 40]))] for t in range(topics)]
        common = [f"c{i}" for i in range(80)]
        found: dict[str, str] = {}
        while len(found) < self.pool + self.exam:
            topic = rng.randrange(topics)
            text = " ".join(
                rng.choice(words[topic] if rng.random() < clear else common)
                for _ in range(rng.randint(8, 16))
            )
            said = rng.randrange(topics) if rng.random() < wrong else topic
            found.setdefault(text, f"topic{said}")
        return list(found.items())

    def build(self, folder: Path, progress: Progress | None = None) -> Measure:
        """The school, with a test file."""
        rows = self.rows()
        folder.parent.mkdir(parents=True, exist_ok=True)
        brought = folder.parent / f".{folder.name}.exam.jsonl"
        lines = [json.dumps({"context": c, "answer": a}) for c, a in rows[: self.exam]]
        brought.write_text("\n".join(lines))
        settings = {
            "learner": "bagofwords",
            "strategy": self.strategy,
            "questions": self.answers,
            "seed": self.seed,
        }
        try:
            init_school(folder, exam=brought, settings=settings)
        finally:
            brought.unlink()
        with School.open(folder) as school:
            school.add_contexts(Context.of(c) for c, _ in rows[self.exam :])
        return _nothing

    def oracle(self, school: School) -> Oracle:
        """Whoever knows the topics, wrong answers and all."""
        return ScriptedOracle({Context.of(c).id: a for c, a in self.rows()})


def _nothing(school: School, version: Version) -> dict[str, float]:
    return {}


def main() -> None:
    """Run what is missing, then forecast and look."""
    command = parser(__doc__ or "", "out/forecast")
    command.set_defaults(seeds=12)
    command.add_argument("--strategies", default="random,hybrid")
    command.add_argument("--mornings", type=Path, help="a folder of mornings, .jsonl; runs nothing")
    command.add_argument("--level", type=float, default=0.9)
    options = command.parse_args()
    if options.mornings:
        runs = {
            path.stem: [json.loads(line) for line in path.read_text().splitlines()]
            for path in sorted(options.mornings.rglob("*.jsonl"))
        }
    else:
        seeds = range(options.first_seed, options.first_seed + options.seeds)
        names = options.strategies.split(",")
        runs = run_all({f"{s}-{n}": TopicsPlan(s, n) for n in seeds for s in names}, options)
    report(runs, options)


def report(runs: dict[str, list[dict]], options: argparse.Namespace) -> None:
    """One line a run and a summary, for each counting."""
    for name, (seen, at) in COUNTINGS.items():
        found = {}
        for run, mornings in runs.items():
            points = [
                Point(m["answers"], score(m["verdict"]["after"]), m["verdict"]["items"])
                for m in mornings
                if "verdict" in m
            ]
            if len(points) > at and points[at].items and points[seen - 1].items:
                found[run] = one(points, seen, at, options.level)
        if not found:
            print(f"{name}: no run has {at + 1} mornings with an exam")
            continue
        print(f"\n{name}: {seen} exams seen, forecast for morning {at + 1}, {options.level:.0%}")
        for run, (low, middle, high, last, truth) in found.items():
            mark = "" if low <= truth <= high else "  OUTSIDE"
            print(
                f"  {run:24} last {last:.3f}  forecast {middle:.3f} ({low:.3f} to {high:.3f})  "
                f"exam {truth:.3f}{mark}"
            )
        low, middle, high, last, truth = np.array(list(found.values())).T
        held = (low <= truth) & (truth <= high)
        print(
            f"  contains {held.sum()} of {len(held)} ({held.mean():.0%}); mean width "
            f"{100 * (high - low).mean():.1f} points; mean error "
            f"{100 * np.abs(truth - middle).mean():.1f} points (of the last exam as a forecast: "
            f"{100 * np.abs(truth - last).mean():.1f})"
        )


def score(after: float | None) -> float:
    """An exam's score; nan where it decided on no item."""
    return math.nan if after is None else float(after)


def one(points: list[Point], seen: int, at: int, level: float) -> tuple[float, ...]:
    """Interval, the last exam seen and the exam that came; the exam is as large as the last."""
    made = forecast(points[:seen]).exam(points[at].answers, level=level)
    return made.low, made.middle, made.high, points[seen - 1].score, points[at].score


if __name__ == "__main__":
    main()
