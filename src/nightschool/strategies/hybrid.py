"""BALD with coverage: today's default."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightschool.strategies.batch import gather, places, spread
from nightschool.strategies.scores import bald
from nightschool.types import Blocks, Picks


@dataclass(frozen=True)
class Hybrid:
    """Most by epistemic value, some by coverage, so that no corner of the pool stays unseen.

    BALD alone never asks about a skill whose outcomes the original text shows at random; a
    `coverage` share of the batch is therefore drawn by k-means++ over the embeddings, far from
    everything asked before. The epistemic share is drawn among the best-scored `pool_factor`
    times as many contexts by the same rule, so that a batch holds no near-duplicates.
    """

    coverage: float = 0.3
    pool_factor: int = 3

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts, epistemic picks first; scores are BALD in nats."""
        pool = gather(bald, blocks, key)
        if n <= 0 or not len(pool.ids):
            return Picks(np.empty(0, np.int64), np.empty(0, np.float64))
        embeddings, asked = places(blocks)
        ranked = pool.ranked()
        wide = round(n * self.coverage) if len(ranked) > n else 0
        best = np.sort(ranked[: (n - wide) * self.pool_factor])
        weights = np.maximum(np.nan_to_num(pool.scores, nan=0.0, neginf=0.0), 1e-12)
        first = best[spread(embeddings[best], weights[best], pool.ids[best], asked, n - wide, key)]
        taken = np.concatenate([asked, embeddings[first]])
        rest = np.setdiff1d(ranked, first)
        second = rest[
            spread(embeddings[rest], np.ones(len(rest)), pool.ids[rest], taken, wide, key + n)
        ]
        index = np.concatenate([first, second]).astype(np.int64)
        left = np.setdiff1d(ranked, index, assume_unique=False)
        if len(index) < min(n, len(ranked)):
            keep = np.isin(ranked, left)
            index = np.concatenate([index, ranked[keep][: n - len(index)]])
        return Picks(index, pool.scores[index])
