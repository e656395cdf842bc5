"""Questions that the model writes itself, against the pool's: the starter and its teacher.

    python benchmarks/written.py --seeds 3 --out out/written
    python benchmarks/written.py --out out/written --report-only

Five classrooms by seed, each with the same pool (a third about known skills, a third about new
ones, a third open-ended) and the same hidden exam of the new skills: one asks random contexts of
the pool, one asks only what the model wrote, drawn at random, one asks only what it wrote, chosen
by a strategy, one lets that strategy choose from the pool, and one from both. No gate and no exam
questions: each night learns a day's answers, and is measured at once. Each run is a process with
one thread; a run that is complete in --out is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from nightschool.app import parts
from nightschool.loop.choosing import at_random
from nightschool.starter import stories, weights_folder
from nightschool.starter.teacher import ArithmeticTeacher
from nightschool.testing.learners import MemoryDataset, example
from nightschool.types import Context, Document, Manifest, Segment, normalise
from settings import same

ARMS = ("pool-random", "written-random", "written-chosen", "pool-chosen", "both-chosen")
SETTINGS = ("nights", "answers", "hidden", "strategy", "longer", "members")
UNKNOWN = (*stories.NEW_SKILLS, stories.CARRY)
POOL, MATERIAL, SEEN, WRITTEN, ORIGINAL = 3000, 2000, 300, 200, 2000


def main() -> None:
    """Run what is missing, then print the table."""
    command = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    command.add_argument("--seeds", type=int, default=3)
    command.add_argument("--first-seed", type=int, default=201)
    command.add_argument("--nights", type=int, default=10)
    command.add_argument("--answers", type=int, default=27)
    command.add_argument("--hidden", type=int, default=280)
    command.add_argument("--strategy", default="bald")
    command.add_argument("--arms", default=",".join(ARMS))
    command.add_argument("--longer", type=float, default=0.0, help="share of longer rewritings")
    command.add_argument("--members", type=int, default=4, help="0: dropout passes observe")
    command.add_argument("--processes", type=int, default=1)
    command.add_argument("--out", type=Path, default=Path("out/written"))
    command.add_argument("--report-only", action="store_true", help="only what is complete already")
    options = command.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.nights * options.answers > POOL:
        command.error(f"--nights times --answers is more than the pool's {POOL} contexts.")
    made_with = {name: getattr(options, name) for name in SETTINGS}
    same(options.out, made_with, keep=not options.report_only)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    if not options.report_only:
        runs = [(arm, seed) for seed in seeds for arm in options.arms.split(",")]
        missing = [run for run in runs if not (options.out / f"{run[0]}-{run[1]}.json").exists()]
        with ProcessPoolExecutor(options.processes, max_tasks_per_child=1) as pool:
            for line in pool.map(_run, [(options, *run) for run in missing]):
                print(line, flush=True)
    print(table(read(options.out)))


def _run(task: tuple[argparse.Namespace, str, int]) -> str:
    options, arm, seed = task
    began = time.process_time()
    mornings = classroom(options, arm, seed)
    spent = time.process_time() - began
    body = {"arm": arm, "seed": seed, "seconds": round(spent, 1), "mornings": mornings}
    part = options.out / f".{arm}-{seed}.part"
    part.write_text(json.dumps(body))
    part.rename(options.out / f"{arm}-{seed}.json")
    return f"{arm}-{seed}: {mornings[-1]['accuracy']:.3f} in {spent:.0f} CPU-seconds"


def classroom(options: argparse.Namespace, arm: str, seed: int) -> list[dict[str, Any]]:
    """The mornings of one classroom: accuracy, and what became of the questions asked."""
    exam = stories.exam(options.hidden, 1000 * seed + 1, skills=stories.NEW_SKILLS)
    hidden = {Context.of(q.context).id for q in exam}
    drawn = stories.pool(POOL, 1000 * seed + 3, exclude={q.context for q in exam})
    pool = [Context.of(q.context, group=q.skill) for q in drawn]
    settings = {"longer": options.longer, "members": options.members}
    learner: Any = parts.learner_kind("language").begin(str(weights_folder()), settings)
    original = [Document(text) for text in stories.original_texts(ORIGINAL, seed)]
    teacher, asked, declined, lessons = ArithmeticTeacher(), {}, [], []
    mornings = [{"accuracy": accuracy(learner, exam)}]
    for night in range(1, options.nights + 1):
        key = 10_000 * seed + night
        rest = [c for c in pool if c.id not in asked]
        rest = at_random(rest, len(rest), key)
        told: dict[str, Any] = {"asked": list(asked.values())}
        began = time.process_time()
        candidates = rest[:SEEN]
        if not arm.startswith("pool"):
            made = learner.write(rest[:MATERIAL], WRITTEN, **told, declined=declined, seed=key)
            kept = [c for c in made if c.id not in hidden]
            candidates = kept if arm.startswith("written") else [*candidates, *kept]
        writing = time.process_time() - began
        if arm.endswith("random"):
            picks = at_random(candidates, options.answers, key)
        else:
            blocks = learner.observe(candidates, **told, seed=key)
            chosen = parts.strategy(options.strategy).choose(blocks, options.answers, key)
            picks = [candidates[i] for i in chosen.index]
        answers = {c.id: teacher.solve(c.text) for c in picks}
        asked |= {c.id: c for c in picks}
        declined += [c for c in picks if answers[c.id] is None]
        new = [
            replace(example(c.text, str(answers[c.id])), group=c.group, night=night)
            for c in picks
            if answers[c.id] is not None
        ]
        data = MemoryDataset(new, tuple(lessons), original, manifest(night, len(new)))
        with tempfile.TemporaryDirectory() as folder:
            learner = learner.fit(data, seed=key, workspace=Path(folder))
        lessons += new
        mornings.append(
            {
                "accuracy": accuracy(learner, exam),
                "own": sum(c.source == "written" for c in picks),
                "asked": len(picks),
                "answerable": len(new),
                "unknown": sum(e.group in UNKNOWN for e in new),
                "skills": {s: sum(c.group == s for c in picks) for s in stories.SKILLS},
                "writing": round(writing, 3),
            }
        )
    return mornings


def accuracy(learner: Any, exam: Sequence[stories.StarterQuestion]) -> float:
    """Exact-match accuracy on the exam of the new skills, which has as many items of each."""
    said = learner.predict([Context.of(q.context) for q in exam])
    right = [normalise(s.body) == normalise(str(q.answer)) for s, q in zip(said, exam, strict=True)]
    return sum(right) / len(right)


def manifest(night: int, rows: int) -> Manifest:
    """A manifest's stand-in: the learner reads the night and the original's size."""
    original = Segment("original", "original", ORIGINAL, 0)
    return Manifest(f"{night:064x}", night, (original,), (), f"{rows} new")


def read(folder: Path) -> dict[str, dict[int, list[dict[str, Any]]]]:
    """Every complete run, by arm and seed."""
    runs: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for path in sorted(folder.glob("*-*.json")):
        body = json.loads(path.read_text())
        runs.setdefault(body["arm"], {})[body["seed"]] = body["mornings"]
    return runs


def table(runs: dict[str, dict[int, list[dict[str, Any]]]]) -> str:
    """The numbers of each arm, means over the seeds that all have, and pairs with random pools."""
    shared = set.intersection(*(set(own) for own in runs.values())) if runs else set()
    if not shared:
        return "No seed is complete in every arm yet."
    runs = {arm: {s: own[s] for s in sorted(shared)} for arm, own in runs.items()}
    last_night = min(len(m) for own in runs.values() for m in own.values()) - 1
    nights = [*(n for n in (3, 5) if n < last_night), last_night]
    rows = [
        f"| asks | seeds | accuracy on new skills after nights {' / '.join(map(str, nights))} "
        "(per seed at the end) | less random pool | answerable, all nights / night "
        f"{last_night} | about unknown skills |",
        "|---|---|---|---|---|---|",
    ]
    base = runs.get("pool-random", {})
    for arm in sorted(runs, key=[*ARMS, *sorted(runs)].index):
        own = runs[arm]
        ends = {seed: m[last_night]["accuracy"] for seed, m in own.items()}
        middle = [statistics.mean(m[n]["accuracy"] for m in own.values()) for n in nights]
        days = [d for m in own.values() for d in m[1 : last_night + 1]]
        last = [m[last_night] for m in own.values()]
        gains = [100 * (ends[s] - base[s][last_night]["accuracy"]) for s in ends if s in base]
        cells = (
            arm,
            str(len(own)),
            " / ".join(f"{100 * v:.0f}" for v in middle)
            + f" ({', '.join(f'{100 * v:.0f}' for v in ends.values())})",
            ", ".join(f"{g:+.0f}" for g in gains),
            f"{share(days, 'answerable')} / {share(last, 'answerable')}",
            share(days, "unknown"),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def share(days: Sequence[dict[str, Any]], name: str) -> str:
    """What part of the questions asked it was, in percent."""
    return f"{100 * sum(d[name] for d in days) / max(1, sum(d['asked'] for d in days)):.0f} %"


if __name__ == "__main__":
    sys.exit(main())
