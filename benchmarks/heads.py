"""The Bayesian head against logistic regression: how often right, and as sure as right?

    python benchmarks/heads.py --folder DIR --seeds 5

Random labels of each set, one row for each number of them: accuracy, log loss (nats) and expected
calibration error (15 bins) on the set's test part, and the milliseconds of CPU of a fit. "head"
is the mean predictive of `nightschool.heads`, "samples" the mean of 32 posterior samples,
"evidence" the same head with its precision chosen by Laplace's marginal likelihood and the whole
posterior (spread 1); "C=1", "C=10" and "C by folds" are scikit-learn's. DIR holds sets as
benchmarks/labels.py takes them; without it the public ones are fetched.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np
from numpy.typing import NDArray

from label_sets import LabelSet, load
from nightschool import heads

Array = NDArray[Any]
LEAST = 1e-6
"""The least probability that an answer is given: log loss has no end otherwise."""


def evident(x: Array, y: Array, k: int) -> heads.Head:
    """The head whose precision has the highest Laplace evidence, with the whole posterior."""
    tried = (heads.fit(x, y, k, precision=p, spread=1.0) for p in np.logspace(-3, 1, 9))
    return max(tried, key=lambda head: heads.laplace_evidence(head, y))


def peer(model: Any, x: Array, y: Array, test: Array, k: int) -> Array:
    """Probabilities of a scikit-learn classifier over all classes, those it never saw too."""
    probs = np.full((len(test), k), LEAST)
    if len(np.unique(y)) < 2:
        return np.full((len(test), k), 1 / k)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, y)
    probs[:, model.classes_] = model.predict_proba(test)
    return probs


def ways(data: LabelSet, chosen: Array) -> Iterator[tuple[str, Callable[[], Array]]]:
    """Each way to classify the test part from the chosen labels."""
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

    x, y, k, test = data.x[chosen], data.y[chosen], data.classes, data.test_x
    yield "head", lambda: heads.fit(x, y, k).probs(test)
    yield "samples", lambda: heads.fit(x, y, k).samples(test, 32, 0).mean(axis=0)
    yield "evidence", lambda: evident(x, y, k).probs(test)
    yield "C=1", lambda: peer(LogisticRegression(C=1, max_iter=300), x, y, test, k)
    yield "C=10", lambda: peer(LogisticRegression(C=10, max_iter=300), x, y, test, k)
    if np.bincount(y, minlength=k)[np.unique(y)].min() >= 3:
        folds = LogisticRegressionCV(
            Cs=[0.1, 1, 10, 100], cv=3, max_iter=300, scoring="neg_log_loss"
        )
        yield "C by folds", lambda: peer(folds, x, y, test, k)


def marks(probs: Array, truth: Array) -> tuple[float, float, float]:
    """Accuracy, log loss in nats, expected calibration error."""
    right, sure = probs.argmax(axis=1) == truth, probs.max(axis=1)
    loss = -np.log(np.maximum(probs[np.arange(len(truth)), truth], LEAST)).mean()
    bins = np.minimum((sure * 15).astype(int), 14)
    gaps = [
        (bins == b).mean() * abs(sure[bins == b].mean() - right[bins == b].mean())
        for b in np.unique(bins)
    ]
    return float(right.mean()), float(loss), float(sum(gaps))


def main() -> None:
    """Print one row for each set, number of labels and way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--encoder", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--cache", type=Path, default=Path("out/embeddings"))
    parser.add_argument("--pool", type=int, default=3000)
    parser.add_argument("--labels", default="10,30,100,300")
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    print(
        "| set | labels | way | accuracy | log loss | ECE | CPU ms |\n|---|---|---|---|---|---|---|"
    )
    for data in load(args.folder, args.encoder, args.pool, args.cache):
        for n in map(int, args.labels.split(",")):
            found: dict[str, list[tuple[float, ...]]] = {}
            for seed in range(args.seeds):
                chosen = np.random.default_rng(seed).permutation(len(data.x))[:n]
                for name, said in ways(data, chosen):
                    begun = process_time()
                    probs = said()
                    spent = 1000 * (process_time() - begun)
                    found.setdefault(name, []).append((*marks(probs, data.test_y), spent))
            for name, rows in found.items():
                a, loss, ece, ms = np.mean(rows, axis=0)
                few = "" if len(rows) == args.seeds else f" ({len(rows)} seeds)"
                row = f"| {data.name} | {n} | {name}{few} | {a:.3f} | {loss:.3f} | {ece:.3f}"
                print(f"{row} | {ms:.0f} |", flush=True)


if __name__ == "__main__":
    main()
