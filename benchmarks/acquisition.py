"""What choosing costs: CPU seconds and extra memory of every strategy, floors and peers beside.

    python benchmarks/acquisition.py --sizes 10000,100000
    python benchmarks/acquisition.py --sizes 1000000 --no-peers

100 picks from n contexts with 384-dimensional embeddings and the predictions of 8 posterior
samples over 10 classes, one thread: CPU seconds of the choice alone (the median of 5 where it is
short), and how far it lifted the process's peak memory above the finished data. Ours share one
process, so that the data is made once; each peer has its own. The floors, from the same run: "one
pass" adds up the samples and finds the 100 largest of n numbers (argpartition); "100 passes" are
100 products of all embeddings with a vector. The peers are scikit-activeml's (extra `bench`),
handed the mean predictions ready-made.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np

from nightschool.types import Observation

D, K, SAMPLES, BLOCK = 384, 10, 8, 65_536
OURS = (
    "margin,least_confidence,entropy,bald,k_center,badge,falcun,hybrid,typiclust,max_herding,epig"
)
PEERS = {"margin", "k_center", "badge", "falcun", "typiclust", "max_herding"}
ONE_PASS = {"margin", "least_confidence", "entropy", "bald"}

Choices = Iterator[tuple[str, Callable[[], int]]]
"""Names, each with the choice to be measured: a function that returns how many were picked."""

Figure = dict[str, str | float]
"""CPU seconds and extra MiB of one choice, or why there are none."""


def data(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids, embeddings of length 1 in 100 uneven clusters, and predictions; made block by block."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((100, D), dtype=np.float32)
    share = rng.dirichlet(np.ones(100))
    x, p = np.empty((n, D), np.float32), np.empty((SAMPLES, n, K), np.float32)
    for a in range(0, n, 8192):
        m = min(8192, n - a)
        part = 1.2 * centres[rng.choice(100, m, p=share)] + rng.standard_normal((m, D))
        x[a : a + m] = part / np.linalg.norm(part, axis=1)[:, None]
        logits = 2 * rng.standard_normal((m, K)) + rng.standard_normal((SAMPLES, m, K))
        odds = np.exp(logits)
        p[:, a : a + m] = odds / odds.sum(axis=-1, keepdims=True)
    return rng.permutation(n).astype(np.uint64), x, p


def ours(names: list[str], n: int, picks: int) -> Choices:
    """The floors and our strategies, found by name as the loop finds them."""
    ids, x, p = data(n)
    blocks = [
        Observation(ids[a : a + BLOCK], embeddings=x[a : a + BLOCK], probs=p[:, a : a + BLOCK])
        for a in range(0, n, BLOCK)
    ]

    def one_pass() -> int:
        total = p[0].copy()
        for sample in p[1:]:
            total += sample
        return len(np.argpartition(total[:, 0].copy(), n - picks)[-picks:])

    def passes() -> int:
        vector, out = x[0].copy(), np.empty(n, np.float32)
        for _ in range(picks):
            np.dot(x, vector, out=out)
        return picks

    floors = {"one pass": one_pass, "passes": passes}
    found = {e.name: e for e in entry_points(group="nightschool.strategies")}
    for name in names:
        if name in floors:
            yield name, floors[name]
        else:
            strategy = found[name].load()
            yield name, lambda s=strategy: len({*s.choose(blocks, picks, 1).index.tolist()})


def peer(names: list[str], n: int, picks: int) -> Choices:
    """scikit-activeml's strategy; a classifier that has the predictions already."""
    (name,) = names
    from skactiveml import pool
    from skactiveml.base import SkactivemlClassifier

    _, x, p = data(n)
    mean = p.mean(axis=0, dtype=np.float64)
    del p

    class Ready(SkactivemlClassifier):
        def fit(self, X, y, sample_weight=None):  # noqa: N803
            return self

        def predict_proba(self, X):  # noqa: N803
            return mean

    clf = Ready(classes=list(range(K)))
    kind = {
        "margin": pool.UncertaintySampling,
        "k_center": pool.CoreSet,
        "badge": pool.Badge,
        "falcun": pool.Falcun,
        "typiclust": pool.TypiClust,
        "max_herding": pool.MaxHerding,
    }[name]
    settings = {"method": "margin_sampling"} if name == "margin" else {}
    strategy = kind(random_state=0, **settings)
    needs = {"clf": clf, "fit_clf": False} if name in ("margin", "badge", "falcun") else {}
    unknown = np.full(n, np.nan)
    yield name, lambda: len(strategy.query(x, unknown, batch_size=picks, **needs))


def measure(kind: str, names: list[str], n: int, args: argparse.Namespace) -> None:
    """A figure for each name, printed as a line of JSON."""
    for name, choose in {"ours": ours, "peer": peer}[kind](names, n, args.picks):
        if kind == "peer":
            allow(args.gigabytes, args.limit)
        before = settle()
        try:
            seconds = timed(choose)
            extra = peak() - before
            if seconds < 0.1:  # too short to be timed once
                seconds = sorted(timed(choose) for _ in range(5))[2]
            figure = {"name": name, "seconds": seconds, "extra": extra}
        except MemoryError:
            figure = {"name": name, "failed": f"out of memory ({args.gigabytes:g} GiB)"}
        print(json.dumps(figure), flush=True)


def timed(choose: Callable[[], int]) -> float:
    """CPU seconds of one choice."""
    start = time.process_time()
    choose()
    return time.process_time() - start


def allow(gigabytes: float, seconds: int) -> None:
    """Have the system end this process beyond so much memory or so many more CPU seconds."""
    most = int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    most = int(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))


def settle() -> float:
    """Forget the peak memory so far, where the system can (Linux); MiB in use now."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # or what is free already would not be counted
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return peak()
    return in_proc("VmRSS")


def peak() -> float:
    """The process's peak memory since `settle`, in MiB."""
    if Path("/proc/self/status").exists():
        return in_proc("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_proc(field: str) -> float:
    """A field of Linux's account of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def spawn(kind: str, names: list[str], n: int, args: argparse.Namespace) -> dict[str, Figure]:
    """`measure` in a new process."""
    command = [sys.executable, __file__, "--one", kind, ",".join(names), "--sizes", str(n)]
    command += ["--picks", str(args.picks), "--limit", str(args.limit)]
    command += ["--gigabytes", str(args.gigabytes)]
    done = subprocess.run(command, capture_output=True, text=True)
    why = (done.stderr.strip().splitlines() or ["killed"])[-1][:60]
    if done.returncode == -signal.SIGXCPU:
        why = f"not done in {args.limit} CPU-s"
    found = {figure["name"]: figure for figure in map(json.loads, done.stdout.splitlines())}
    return {name: found.get(name, {"failed": why}) for name in names}


def table(n: int, args: argparse.Namespace) -> str:
    """One size as Markdown."""
    names = args.strategies.split(",")
    mine = spawn("ours", ["one pass", "passes", *names], n, args)
    one, many = (float(mine[name]["seconds"]) for name in ("one pass", "passes"))
    lines = [
        f"\n{n:,} x {D} ({n * D * 4 / 2**20:,.0f} MiB of embeddings), {args.picks} picks. Floors: "
        f"one pass {one:.4f} CPU-s, {args.picks} passes {many:.2f} CPU-s.\n",
        "| strategy | CPU-s | times its floor | extra MiB | peer CPU-s | peer extra MiB |",
        "|---|---|---|---|---|---|",
    ]
    for name in names:
        row = cells(mine[name])
        base = one if name in ONE_PASS else many
        times = (
            f"{float(mine[name]['seconds']) / base:.1f}" if base and len(mine[name]) > 2 else "-"
        )
        other = ["-", "-"]
        if args.peers and name in PEERS:
            other = cells(spawn("peer", [name], n, args)[name])
        lines.append("| " + " | ".join([name, row[0], times, row[1], *other]) + " |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def cells(result: Figure) -> list[str]:
    """CPU seconds and MiB as text, or why there are none."""
    if "failed" in result:
        return [str(result["failed"]), "-"]
    return [f"{result['seconds']:.3g}", f"{result['extra']:,.0f}"]


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--picks", type=int, default=100)
    parser.add_argument("--limit", type=int, default=300, help="CPU seconds a peer may use")
    parser.add_argument("--gigabytes", type=float, default=8.0, help="memory a peer may use")
    parser.add_argument("--strategies", default=OURS)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--one", nargs=2, metavar=("KIND", "NAMES"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    sizes = [int(s) for s in args.sizes.split(",")]
    if args.one:
        measure(args.one[0], args.one[1].split(","), sizes[0], args)
        return
    for n in sizes:
        print(table(n, args), flush=True)


if __name__ == "__main__":
    main()
