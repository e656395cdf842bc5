"""CPU milliseconds from an answer to the re-ranked queue: `python benchmarks/requeue.py`.

A night's shortlist of 120 candidates and 256 contexts asked before (512 with labels), 20 replies;
vectors of 128 and 384 numbers. For free text the light heads are "answerable" and "the present
answer is wrong"; for labels the head over them is fitted anew. "log" is the transaction that moves
the questions in the school's log, with its sync to the disk.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nightschool.app import parts
from nightschool.app.chooser import LISTED
from nightschool.app.init import init_school
from nightschool.app.requeue import order, with_priors
from nightschool.app.school import School
from nightschool.app.shortlist import Shortlist
from nightschool.strategies.value import timed
from nightschool.types import Answer, Context, Document, Observation, Partition, Pick, Reply

CANDIDATES, REPLIED, SAMPLES = 120, 20, 8


def shortlist(d: int, k: int, labels: tuple[str, ...], seed: int = 0) -> Shortlist:
    """A made-up night: vectors near ten centres, posterior samples that disagree."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((10, d))
    before = 2 * LISTED if labels else LISTED
    x = centres[rng.integers(10, size=CANDIDATES + before)]
    x = x + rng.standard_normal(x.shape)
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    probs = rng.dirichlet(np.ones(k), (SAMPLES, CANDIDATES)).astype(np.float32)
    seen = Observation(
        np.arange(1, CANDIDATES + 1, dtype=np.uint64),
        embeddings=x[:CANDIDATES],
        probs=probs,
        asked=x[CANDIDATES:],
        seconds=rng.uniform(2, 20, CANDIDATES).astype(np.float32),
    )
    words = labels or tuple(f"word{i}" for i in range(k))
    said = [words[i] if rng.random() > 0.1 else "" for i in rng.integers(k, size=before)]
    return Shortlist(1, "hybrid", 3, seen, [words[0]] * CANDIDATES, said, labels)


def replies(listed: Shortlist, seed: int = 1) -> dict[int, Answer]:
    """Replies to the first candidates, one in ten declined."""
    rng = np.random.default_rng(seed)
    words = [text for text in listed.said if text]
    found = {}
    for name in range(1, REPLIED + 1):
        declined = rng.random() < 0.1
        reply = Reply.CANT_TELL if declined else Reply.ANSWER
        document = None if declined else Document(words[rng.integers(len(words))])
        found[name] = Answer(f"a{name}", "q", "anna", reply, document, 3.0, float(name))
    return found


def timings(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median and largest milliseconds of a call, after one to warm up."""
    work()
    taken = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - began))
    return statistics.median(taken), max(taken)


def log_timings(repeats: int) -> tuple[float, float]:
    """Milliseconds of the transaction in which every one of the candidates moves."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "school"
        init_school(folder, settings={"learner": "bagofwords", "seed": 1})
        with School.open(folder) as school:
            contexts = [Context.of(f"context {i}") for i in range(CANDIDATES)]
            picks = [
                Pick(c, Partition.TRAINING, "hybrid", 0.0, spare=i >= CANDIDATES // 3)
                for i, c in enumerate(contexts)
            ]
            school.warehouse.post(picks, school.champion())
            ids = [c.id for c in contexts]
            turns = iter([ids[i:] + ids[:i] for i in range(1, repeats + 2)])
            return timings(lambda: school.warehouse.rerank(0, next(turns)), repeats)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strategy", default="hybrid")
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()
    strategy = timed(parts.strategy(args.strategy))
    print("| answers | numbers a vector | median ms | largest ms |")
    print("|---|---|---|---|")
    cases = [("free text", 8, ()), ("6 labels", 6, tuple("abcdef"))]
    for name, k, labels in cases:
        for d in (128, 384):
            listed = with_priors(shortlist(d, k, labels))
            said = replies(listed)
            middle, most = timings(lambda: order(listed, said, strategy), args.repeats)  # noqa: B023
            print(f"| {name} | {d} | {middle:.1f} | {most:.1f} |")
    middle, most = log_timings(args.repeats)
    print(f"| log | | {middle:.1f} | {most:.1f} |")


if __name__ == "__main__":
    main()
