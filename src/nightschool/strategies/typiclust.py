"""TypiClust: the most typical context of each cluster that nobody was asked about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.kmeans import clusters, sampled
from nightschool.strategies.places import Places, closest, survey
from nightschool.strategies.seeding import topped_up
from nightschool.types import Blocks, Floats, Picks, uniform


@dataclass(frozen=True)
class TypiClust:
    """The pool in as many clusters as answers will be known, one from each; the largest first.

    Hacohen, Dekel and Weinshall 2022, alg. 1, with the authors' settings: at most 500 clusters,
    20 neighbours, clusters that hold an answer or fewer than 5 contexts last; all clusters had a
    turn before one is visited again. One deviation: the authors count at most half of a cluster's
    members as neighbours, here all of them may be. Exact while the pool holds at most `sample`
    contexts and each cluster `members`; beyond that the centres are fitted on a keyed sample, and
    a cluster's typical context is sought among that many keyed members (docs/lab/acquisition.md).
    """

    neighbours: int = 20
    most: int = 500
    smallest: int = 5
    sample: int = 20_000
    members: int = 1_024

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts; a score is typicality, 1 over the mean distance."""
        places = survey(blocks)
        if n <= 0 or not places.sound.any():
            index = topped_up(np.empty(0, np.int64), places.ids, n, key)
            return Picks(index, np.zeros(len(index)))
        known = len(places.asked)
        which, centres = clusters(places, min(known + n, self.most), key, self.sample)
        covered = closest(places.asked, centres)[1] if known else np.empty(0, np.int32)
        index, scores = self._visit(places, which, covered, n, key)
        index = topped_up(index, places.ids, n, key)
        return Picks(index, np.pad(scores, (0, len(index) - len(scores))))

    def _visit(
        self,
        places: Places,
        which: NDArray[np.int32],
        covered: NDArray[np.int32],
        n: int,
        key: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Cluster after cluster, the next most typical context of each."""
        order = self._order(places, which, covered)[:n]
        groups = _members(places, which, order, self.members, key)
        x = places.rows(np.concatenate(groups))
        ends = np.cumsum([len(g) for g in groups])
        typical = [
            typicality(x[end - len(g) : end], self.neighbours)
            for g, end in zip(groups, ends, strict=True)
        ]
        ranks = [
            np.lexsort((uniform(places.ids[g], key), -t))
            for g, t in zip(groups, typical, strict=True)
        ]
        index: list[int] = []
        scores: list[float] = []
        for turn in range(max(len(g) for g in groups)):
            for g, t, rank in zip(groups, typical, ranks, strict=True):
                if turn < len(g) and len(index) < n:
                    index.append(int(g[rank[turn]]))
                    scores.append(float(t[rank[turn]]))
        return np.array(index, np.int64), np.array(scores)

    def _order(
        self, places: Places, which: NDArray[np.int32], covered: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Clusters that hold contexts: not too small, fewest asked, largest first."""
        _, first = np.unique(places.ids, return_index=True)
        sizes = np.bincount(which[first] + 1)[1:]  # the first are in none
        asked = np.bincount(covered, minlength=len(sizes))[: len(sizes)]
        order = np.lexsort((-sizes, asked, sizes < self.smallest))
        found: NDArray[np.int64] = order[sizes[order] > 0].astype(np.int64)
        return found


def _members(
    places: Places, which: NDArray[np.int32], order: NDArray[np.int64], most: int, key: int
) -> list[NDArray[np.int64]]:
    """At most that many positions of each of those clusters, drawn by key, sorted by id."""
    by_cluster = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[by_cluster], [order, order + 1])
    groups = []
    for a, b in starts.T:
        rows = by_cluster[a:b]
        groups.append(rows[sampled(places.ids[rows], most, key)])
    return groups


def typicality(x: Floats, neighbours: int) -> NDArray[np.float64]:
    """1 over the mean distance to that many nearest others, (m,); 1 for one that is alone."""
    near = min(neighbours, len(x) - 1)
    if near < 1:
        return np.ones(len(x))
    typical = np.empty(len(x))
    squares = np.einsum("ij,ij->i", x, x)
    for start in range(0, len(x), 1024):
        rows = np.arange(start, min(start + 1024, len(x)))
        squared = squares[rows, None] + squares - 2 * (x[rows] @ x.T)
        squared[rows - start, rows] = -1  # itself, and not one of its neighbours
        nearest = np.partition(squared, near, axis=1)[:, : near + 1]
        distances = np.sqrt(np.maximum(nearest, 0)).astype(np.float64).sum(axis=1)
        typical[rows] = near / (distances + 1e-7)
    return typical
