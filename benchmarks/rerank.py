"""Does re-ranking by day teach more? `python benchmarks/rerank.py SET.npz ... --seeds 10`.

Labelled vectors (`x`, `y`, and `tx`, `ty` to test on) play school: ten random answers, then days
of answers, the head fitted anew each night. Without re-ranking a day asks the strategy's picks in
their order; with it three times as many are named, and after each answer the rest is chosen again,
by the head over the labels or (as for free text) by the head for "the present answer is wrong".
The same starts and keys for all; printed are mean accuracies over the days and what re-ranking
gains, with the 95 % t-interval over seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy import stats

from nightschool import heads
from nightschool.app import parts
from nightschool.app.requeue import order, with_priors
from nightschool.app.shortlist import Shortlist, rows
from nightschool.strategies.value import timed
from nightschool.types import Answer, Document, Observation, Reply, Strategy

WAYS = ("none", "labels", "wrong")
SPARES, SAMPLES = 3, 16


class World:
    """A pool with its labels and a test set, drawn from a file by a seed."""

    def __init__(self, path: Path, seed: int, size: int) -> None:
        with np.load(path) as file:
            x, y = file["x"].astype(np.float32), file["y"].astype(np.int64)
            self.tx, self.ty = file["tx"][:size].astype(np.float32), file["ty"][:size]
        rng = np.random.default_rng(seed)
        drawn = rng.permutation(len(x))[:size]
        self.x, self.y = x[drawn], y[drawn]
        self.k = int(max(y.max(), self.ty.max())) + 1
        self.start = [int(i) for i in rng.permutation(len(drawn))[:10]]
        self.labels = tuple(f"label {i}" for i in range(self.k))

    def answer(self, i: int) -> Answer:
        """What a person would say."""
        text = Document(self.labels[self.y[i]])
        return Answer(f"a{i}", f"q{i}", "anna", Reply.ANSWER, text, 1.0, 0.0)


def day(world: World, strategy: Strategy, got: list[int], n: int, key: int, way: str) -> list[int]:
    """The contexts of one day, in the order in which they were asked."""
    head = heads.fit(world.x[got], world.y[got], world.k)
    left = np.setdiff1d(np.arange(len(world.x)), got)
    probs = heads.predictive(world.x[left], head.draw(SAMPLES, key)).astype(np.float32)
    ids = (left + 1).astype(np.uint64)
    seen = Observation(ids, embeddings=world.x[left], probs=probs, asked=world.x[got])
    first = strategy.choose([seen], n, key).index
    if way == "none":
        return [int(left[i]) for i in first]
    more = strategy.choose([seen], SPARES * n, key).index
    near = rows(seen, np.concatenate([first, more[~np.isin(more, first)]])[: SPARES * n])
    expected = [world.labels[i] for i in head.probs(near.embeddings).argmax(axis=1)]
    said = [world.labels[world.y[i]] for i in got]
    labels = world.labels if way == "labels" else ()
    listed = with_priors(Shortlist(1, "", key, near, expected, said, labels))
    queue = [int(name) for name in near.ids]
    replies: dict[int, Answer] = {}
    asked: list[int] = []
    while len(asked) < n:
        asked.append(queue[0] - 1)
        replies[queue[0]] = world.answer(queue[0] - 1)
        queue = order(listed, replies, strategy)
    return asked


def lesson(world: World, strategy: Strategy, days: int, n: int, seed: int, way: str) -> float:
    """Mean accuracy over the mornings."""
    got, found = list(world.start), []
    for turn in range(days):
        got += day(world, strategy, got, n, 1000 * seed + turn, way)
        probs = heads.fit(world.x[got], world.y[got], world.k).probs(world.tx)
        found.append(float((probs.argmax(axis=1) == world.ty).mean()))
    return float(np.mean(found))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--size", type=int, default=1500)
    parser.add_argument("--strategy", default="hybrid")
    args = parser.parse_args()
    strategy = timed(parts.strategy(args.strategy))
    print("| set | without | gain by labels | gain by wrong |\n|---|---|---|---|")
    for path in args.sets:
        results = np.array(
            [
                [
                    lesson(World(path, s, args.size), strategy, args.days, args.answers, s, way)
                    for way in WAYS
                ]
                for s in range(args.seeds)
            ]
        )
        gains = 100 * (results[:, 1:] - results[:, :1])
        reach = stats.t.ppf(0.975, max(len(gains) - 1, 1)) * stats.sem(gains, axis=0)
        cells = [f"{g:+.2f} ± {r:.2f}" for g, r in zip(gains.mean(axis=0), reach, strict=True)]
        print(f"| {path.stem} | {results[:, 0].mean():.1%} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
