"""scikit-activeml's own strategies, behind the same door as ours, for benchmarks/labels.py."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nightschool.types import Blocks, Floats, Picks

PEERS: Mapping[str, tuple[str, Mapping[str, Any], bool]] = {
    "peer:margin": ("UncertaintySampling", {"method": "margin_sampling"}, True),
    "peer:badge": ("Badge", {}, True),
    "peer:typiclust": ("TypiClust", {}, False),
    "peer:max_herding": ("MaxHerding", {}, False),
    "peer:falcun": ("Falcun", {}, True),
    "peer:core_set": ("CoreSet", {}, False),
}
"""Name here -> class there, its settings, whether it reads the classifier's predictions."""


@dataclass(frozen=True)
class Peer:
    """One of scikit-activeml's strategies: it is handed the same embeddings and predictions."""

    kind: str
    settings: Mapping[str, Any]
    believes: bool

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """n contexts of one block; the peer's utilities are not asked for."""
        from skactiveml import pool

        (block,) = blocks
        known = block.asked
        x = np.concatenate([block.embeddings, known])
        y = np.full(len(x), np.nan)
        y[len(block) :] = 0  # it only looks at which rows have a label
        given: dict[str, Any] = {}
        if self.believes:
            mean = block.probs.mean(axis=0)
            at_known = np.full((len(known), mean.shape[1]), 1 / mean.shape[1], np.float32)
            given = {"clf": replayed(x, np.concatenate([mean, at_known])), "fit_clf": False}
            y[len(block) :] = np.arange(len(known)) % mean.shape[1]
        strategy = getattr(pool, self.kind)(random_state=key % 2**31, **self.settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picks = strategy.query(x, y, candidates=np.arange(len(block)), batch_size=n, **given)
        return Picks(np.asarray(picks, np.int64), np.zeros(len(picks)))


def replayed(x: Floats, probs: Floats) -> Any:
    """A classifier, as scikit-activeml wants one, that says what our head said about these rows."""
    from skactiveml.base import SkactivemlClassifier

    class Replayed(SkactivemlClassifier):  # type: ignore[misc]
        """Looks a row up by its bytes."""

        def fit(self, X: Floats, y: Any, sample_weight: Any = None) -> Any:  # noqa: N803
            return self

        def predict_proba(self, X: Floats) -> Floats:  # noqa: N803
            rows = np.asarray(X, np.float32)
            if rows.shape == x.shape and np.array_equal(rows, x):
                return probs
            return probs[[table[row.tobytes()] for row in rows]]

        def predict(self, X: Floats) -> Any:  # noqa: N803
            return self.predict_proba(X).argmax(axis=1)

    table = {row.tobytes(): i for i, row in reversed(list(enumerate(x)))}
    made = Replayed(classes=np.arange(probs.shape[1]))
    made.classes_ = np.arange(probs.shape[1])
    return made
