"""How near the approximations of TypiClust and MaxHerding come to the exact algorithms.

    python benchmarks/agreement.py --embeddings FILE.npy --picks 100

On a large pool both look at keyed samples (the settings in their docstrings). Here the exact
algorithm runs too, on the same pool, and both choices are marked: "cover" is the mean likeness of
the whole pool to the nearest pick (a Gaussian kernel of width 1 on embeddings of length 1: what
MaxHerding makes large), "typicality" 1 over the mean distance to the 20 nearest others, "the
same" the share of picks that the exact choice with the first key has too. TypiClust depends on
k-means' draws: its exact choice with another key shows how much. FILE holds (n, d) numbers;
without it a made-up pool is used.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np

from acquisition import data
from nightschool.strategies import RANDOM, MaxHerding, TypiClust
from nightschool.strategies.herding import likeness, unit
from nightschool.strategies.places import closest
from nightschool.types import Observation, Strategy


def typical(x: np.ndarray, index: np.ndarray) -> float:
    """Mean typicality of the picks in the whole pool."""
    near = []
    for at in index:
        distance = np.sqrt(((x - x[at]) ** 2).sum(axis=1))
        near.append(1 / np.partition(distance, 20)[:21].sum() * 20)
    return float(np.mean(near))


def row(name: str, strategy: Strategy, pool: Observation, n: int, key: int, exact: set[int]) -> str:
    """One choice and its marks, as a line of Markdown; `exact` is filled by the first choice."""
    x = pool.embeddings
    start = time.process_time()
    index = strategy.choose([pool], n, key).index
    seconds = time.process_time() - start
    same = len(exact & set(index.tolist())) / n if exact else 1.0
    if not exact:
        exact.update(index.tolist())
    ones = unit(x)
    cover = float(likeness(ones, ones[index], 1.0).mean())
    inertia = float(
        np.mean([closest(x[i : i + 4096], x[index])[0].mean() for i in range(0, len(x), 4096)])
    )
    return (
        f"| {name} | {seconds:.1f} | {same:.2f} | {cover:.4f} | {typical(x, index):.3f} "
        f"| {inertia:.4f} |"
    )


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--embeddings", type=Path)
    parser.add_argument("--picks", type=int, default=100)
    parser.add_argument("--made-up", type=int, default=24_000, help="contexts without FILE")
    args = parser.parse_args()
    x = np.load(args.embeddings) if args.embeddings else data(args.made_up)[1]
    x, n = np.asarray(x, np.float32), args.picks
    pool = Observation(np.arange(len(x), dtype=np.uint64), embeddings=x)
    most = len(x)
    herding, typiclust = (
        MaxHerding(landmarks=most, candidates=most),
        TypiClust(sample=most, members=most),
    )
    print(f"{len(x):,} x {x.shape[1]}, {n} picks\n")
    print("| choice | CPU-s | the same | cover | typicality | mean squared distance |")
    print("|---|---|---|---|---|---|")
    exact: set[int] = set()
    print(row("random", RANDOM, pool, n, 1, {-1}), flush=True)
    print(row("MaxHerding, exact", herding, pool, n, 1, exact), flush=True)
    for key in (1, 2, 3):
        print(row(f"MaxHerding, default, key {key}", MaxHerding(), pool, n, key, exact), flush=True)
    few = MaxHerding(landmarks=1024, candidates=4096)
    print(row("MaxHerding, 1,024 x 4,096", few, pool, n, 1, exact), flush=True)
    exact = set()
    for key in (1, 2):
        print(row(f"TypiClust, exact, key {key}", typiclust, pool, n, key, exact), flush=True)
    for key in (1, 2, 3):
        print(row(f"TypiClust, default, key {key}", TypiClust(), pool, n, key, exact), flush=True)
    few = TypiClust(sample=5_000, members=128)
    print(row("TypiClust, 5,000 and 128", few, pool, n, 1, exact), flush=True)


if __name__ == "__main__":
    main()
