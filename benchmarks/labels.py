"""Text classification: which strategy needs the fewest labels? Ours, random and the peers'.

    python benchmarks/labels.py --folder DIR --seeds 20 --out out/labels
    python benchmarks/labels.py --seeds 20 --out out/labels          # fetches AG News and TREC
    python benchmarks/labels.py --out out/labels --report-only

Every strategy begins from the same random answers of a seed and sees the same learner: frozen
embeddings, a Bayesian head whose regularisation the evidence chooses (`nightschool.heads`), and
its posterior samples. Names are those of `nightschool strategies`; with a `peer:` before them
they are scikit-activeml's own code (`pip install nightschool[bench]`). A run that is complete in
--out is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from pathlib import Path
from time import process_time
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from label_peers import PEERS, Peer
from label_sets import LabelSet, load
from nightschool import heads
from nightschool.app import curves
from nightschool.app.plots import plot_bands
from nightschool.types import Observation, Strategy
from settings import same

STRATEGIES = (
    "hybrid,random,margin,least_confidence,entropy,bald,epig,badge,k_center,typiclust,"
    "max_herding,falcun"
)
UNREAD = ("random", "k_center", "typiclust", "max_herding")
"""These read no predictions, so none are made for them."""

OURS = "hybrid"
"""Every other strategy is also paired with this one."""

Key = tuple[str, str, int]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """How a run goes: random answers at the `start`, `batch` more a morning, up to `budget`."""

    start: int = 10
    budget: int = 300
    batch: int = 10
    samples: int = 32

    @property
    def answers(self) -> list[int]:
        """Answers at which a test is taken."""
        return [*range(self.start, self.budget, self.batch), self.budget]


@dataclass(frozen=True)
class Run:
    """One strategy's accuracy at each test, and the seconds of CPU that choosing took."""

    accuracy: tuple[float, ...]
    seconds: float


def named(name: str) -> Strategy:
    """A strategy by its entry point, or a peer's by `peer:NAME`."""
    if name in PEERS:
        return Peer(*PEERS[name])
    found = entry_points(group="nightschool.strategies", name=name)
    if not found:
        known = sorted(e.name for e in entry_points(group="nightschool.strategies"))
        raise SystemExit(f"No strategy {name!r}; there are {', '.join([*known, *PEERS])}.")
    strategy: Strategy = next(iter(found)).load()
    return strategy


def run(data: LabelSet, name: str, seed: int, rules: Rules) -> Run:
    """One strategy from one random start to the end of the budget."""
    strategy = named(name)
    rng = np.random.default_rng(seed)
    known = rng.choice(len(data.x), rules.start, replace=False)
    ids = rng.choice(2**62, len(data.x), replace=False).astype(np.uint64)
    head, accuracy, seconds = None, [], 0.0
    for answers in rules.answers:
        head = heads.fit(data.x[known], data.y[known], data.classes, start=head)
        accuracy.append(float((head.probs(data.test_x).argmax(axis=1) == data.test_y).mean()))
        more = min(rules.batch, rules.budget - answers, len(data.x) - len(known))
        if more <= 0:
            break
        left = np.setdiff1d(np.arange(len(data.x)), known)
        key = 1_000_003 * seed + answers
        x = data.x[left]
        believed = None
        if name.removeprefix("peer:") not in UNREAD:
            believed = heads.predictive(x, head.draw(rules.samples, key))
        seen = Observation(ids[left], embeddings=x, probs=believed, asked=data.x[known])
        begun = process_time()
        picks = strategy.choose([seen], more, key).index
        seconds += process_time() - begun
        if len(set(picks.tolist())) != more:
            raise SystemExit(f"{name} gave {len(set(picks.tolist()))} picks of {more} asked for.")
        known = np.concatenate([known, left[picks]])
    return Run(tuple(accuracy), seconds)


# All runs --------------------------------------------------------------------------------------


def read(path: Path) -> dict[Key, Run]:
    """Runs that are complete, by (set, strategy, seed); half a line at the end is no run."""
    runs: dict[Key, Run] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        runs[row["set"], row["strategy"], row["seed"]] = Run(tuple(row["accuracy"]), row["seconds"])
    return runs


def run_all(
    sets: Sequence[LabelSet], names: Sequence[str], seeds: range, rules: Rules, out: Path, many: int
) -> None:
    """Every run that is not in `out` yet, seed by seed, so that what is there can be paired."""
    path = out / "runs.jsonl"
    done = read(path)
    todo = [
        (data, name, seed)
        for seed in seeds
        for data in sets
        for name in names
        if (data.name, name, seed) not in done
    ]
    with Progress() as progress, ProcessPoolExecutor(many) as pool, path.open("a") as file:
        bar = progress.add_task("runs", total=len(todo))
        jobs = {pool.submit(run, *job, rules): job for job in todo}
        for job in as_completed(jobs):
            data, name, seed = jobs[job]
            found = job.result()
            row = {"set": data.name, "strategy": name, "seed": seed}
            row |= {"accuracy": found.accuracy, "seconds": round(found.seconds, 3)}
            file.write(json.dumps(row) + "\n")
            file.flush()
            progress.advance(bar)


# The report ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One strategy on one set, against random: points of accuracy, paired by seed."""

    strategy: str
    seeds: int
    gain: Reals
    final: float
    share: float
    band_low: float
    band_high: float
    seconds: float


def lines(runs: Mapping[Key, Run], name: str, answers: Sequence[int]) -> list[Line]:
    """All strategies of a set, each over the seeds that it shares with random; best first."""
    strategies = {s for n, s, _ in runs if n == name}
    seeds = {s: {k for n, t, k in runs if (n, t) == (name, s)} for s in strategies}
    found = []
    for strategy in strategies:
        both = sorted(seeds[strategy] & seeds.get("random", set()))
        if both:
            mine, base = (
                100 * np.array([runs[name, s, k].accuracy for k in both])
                for s in (strategy, "random")
            )
            seconds = float(np.mean([runs[name, strategy, k].seconds for k in both]))
            found.append(line(strategy, mine, base, answers, seconds))
    if not found:
        raise SystemExit(f"{name}: no seed is complete with random and another strategy yet.")
    return sorted(found, key=lambda one: -float(one.gain.mean()))


def line(
    strategy: str,
    values: Reals,
    base: Reals,
    answers: Sequence[int],
    seconds: float,
) -> Line:
    """One strategy's figures; `values` and `base` are (seeds, tests), in per cent."""
    band = curves.simultaneous_band((values - base)[:, 1:])
    need = curves.answers_to(answers, values.mean(axis=0), float(base[:, -1].mean()))
    return Line(
        strategy,
        len(values),
        (values - base).mean(axis=1),
        float(values[:, -1].mean()),
        need / answers[-1],
        float(band.low.min()),
        float(band.high.min()),
        seconds,
    )


def markdown(name: str, table: Sequence[Line]) -> str:
    """The table of one set."""
    rows = [
        f"### {name}\n",
        "| strategy | seeds | gain over random (95 %) | final accuracy | answers to random's final "
        "accuracy, share | band: lowest edge, lowest upper edge | CPU-s choosing |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in table:
        mean = curves.mean_interval(one.gain)
        share = f"{one.share:.2f}" if np.isfinite(one.share) else "not reached"
        gain = f"{mean.mean:+.2f} ({mean.low:+.2f} to {mean.high:+.2f})"
        rows.append(
            f"| {one.strategy} | {one.seeds} | {gain} | "
            f"{one.final:.1f} | {share} | {one.band_low:+.2f}, {one.band_high:+.2f} | "
            f"{one.seconds:.2f} |"
        )
    return "\n".join(rows)


def overall(runs: Mapping[Key, Run], tables: Mapping[str, Sequence[Line]]) -> str:
    """Means over the sets, of the strategies that every set has, above random and below ours.

    Sets are fixed and seeds are drawn, so the variance is that of the seeds.
    """
    both = set.intersection(*({one.strategy for one in table} for table in tables.values()))
    rows = [
        "### mean over the sets\n",
        f"| strategy | gain over random (95 %) | {OURS} less it (95 %) | share |",
        "|---|---|---|---|",
    ]
    found = []
    for strategy in both:
        each = [one for table in tables.values() for one in table if one.strategy == strategy]
        gain = pooled([one.gain for one in each])
        less = pooled([paired(runs, name, OURS, strategy) for name in tables])
        share = float(np.mean([one.share for one in each]))
        found.append((gain[0], f"| {strategy} | {told(gain)} | {told(less)} | {share:.2f} |"))
    return "\n".join([*rows, *(text for _, text in sorted(found, reverse=True))])


def paired(runs: Mapping[Key, Run], name: str, one: str, other: str) -> Reals:
    """How much better the one strategy was than the other, over the seeds that both have."""
    seeds = {k for n, s, k in runs if (n, s) == (name, one) and (name, other, k) in runs}
    values = [
        np.subtract(runs[name, one, k].accuracy, runs[name, other, k].accuracy).mean()
        for k in sorted(seeds)
    ]
    return 100 * np.array(values)


def pooled(sets: Sequence[Reals]) -> tuple[float, float]:
    """Mean of the sets' means and half of its 95 % interval; NaN where a set has no seed."""
    if not all(len(values) for values in sets):
        return float("nan"), float("nan")
    means = [float(values.mean()) for values in sets]
    halves = [float(curves.mean_interval(v).high) - m for v, m in zip(sets, means, strict=True)]
    return float(np.mean(means)), float(np.sqrt(np.sum(np.square(halves)))) / len(sets)


def told(estimate: tuple[float, float]) -> str:
    """A mean with its interval."""
    mean, half = estimate
    return f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"


def report(out: Path, rules: Rules) -> None:
    """Print the tables; write them and one picture a set into `out`."""
    runs = read(out / "runs.jsonl")
    names = sorted({name for name, _, _ in runs})
    if not names:
        raise SystemExit(f"{out} holds no run yet; leave out --report-only.")
    tables = {name: lines(runs, name, rules.answers) for name in names}
    text = "\n\n".join(markdown(name, table) for name, table in tables.items())
    if len(tables) > 1:
        text = overall(runs, tables) + "\n\n" + text
    (out / "labels.md").write_text(text + "\n")
    print(text)
    for name, table in tables.items():
        bands: dict[str, Any] = {}
        for one in table:
            seeds = [k for n, s, k in runs if (n, s) == (name, one.strategy)]
            values = [[100 * a for a in runs[name, one.strategy, k].accuracy] for k in seeds]
            found = curves.mean_interval(values)
            bands[one.strategy] = (np.array(rules.answers), found.mean, found.low, found.high)
        plot_bands(bands, out / f"{name}.png", name, "test accuracy, %")


def main() -> None:
    """Read the arguments, run what is missing, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="parquet or csv (text, label[, split]) or npz")
    parser.add_argument("--strategies", default=STRATEGIES)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--samples", type=int, default=32, help="of the posterior")
    parser.add_argument("--pool", type=int, default=5000, help="rows of a set's pool at most")
    parser.add_argument("--encoder", default="minilm", help="a folder or NAME@REVISION")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--out", type=Path, default=Path("out/labels"))
    parser.add_argument("--report-only", action="store_true")
    args = parser.parse_args()
    rules = Rules(budget=args.budget, batch=args.batch, samples=args.samples)
    args.out.mkdir(parents=True, exist_ok=True)
    made_with = {**asdict(rules), "pool": args.pool, "encoder": args.encoder}
    same(args.out, made_with, keep=not args.report_only)
    if not args.report_only:
        names = args.strategies.split(",")
        for name in names:
            named(name)
        sets = list(load(args.folder, args.encoder, args.pool, args.out / "embeddings"))
        for data in sets:
            if len(data.x) < rules.budget:
                raise SystemExit(
                    f"{data.name} has {len(data.x)} texts to choose from: give --budget "
                    f"{len(data.x)} at most, or a larger --pool."
                )
        seeds = range(args.first_seed, args.first_seed + args.seeds)
        run_all(sets, names, seeds, rules, args.out, args.processes)
    report(args.out, rules)


if __name__ == "__main__":
    main()
