"""k-means of a pool: fitted on a keyed sample, then every context is put to its centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.places import Places, closest
from nightschool.strategies.seeding import Draw, seeds, within
from nightschool.types import Floats, Ids, uniform


def sampled(
    ids: Ids, most: int, key: int, allowed: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Positions of at most that many different (allowed) ids, drawn by key, sorted by id.

    What is computed from them in this order does not depend on the pool's.
    """
    rows = np.arange(len(ids)) if allowed is None else np.flatnonzero(allowed)
    first = rows[np.unique(ids[rows], return_index=True)[1]]
    if len(first) > most:
        draws = uniform(ids[first], key)
        first = first[np.sort(np.argpartition(draws, most)[:most])]
    return first.astype(np.int64)


def kmeans(x: Floats, ids: Ids, k: int, key: int, rounds: int = 20) -> Floats:
    """At most k centres (k, d) of the rows (m, d): k-means++ and Lloyd's rounds (Lloyd 1982).

    Ends early when no row changes its centre. A centre that loses all its rows is dropped.
    """
    start = np.full(len(x), np.inf, np.float32)
    index, _ = seeds(ids, start, within(x), k, Draw(ids, None, key))
    centres = x[index]
    before = np.full(len(x), -1, np.int32)
    for _ in range(rounds):
        which = np.concatenate(
            [closest(x[i : i + 4096], centres)[1] for i in range(0, len(x), 4096)]
        )
        if (which == before).all():
            break
        centres, before = _means(x, which), which
    return centres


def _means(x: Floats, which: NDArray[np.int32]) -> Floats:
    """The mean of each group that has rows, (groups, d)."""
    order = np.argsort(which, kind="stable")
    groups, first, counts = np.unique(which[order], return_index=True, return_counts=True)
    sums = np.empty((len(groups), x.shape[1]), np.float32)
    for row, (a, count) in enumerate(zip(first, counts, strict=True)):
        sums[row] = x[order[a : a + count]].sum(axis=0) / np.float32(count)
    return sums


def clusters(places: Places, k: int, key: int, sample: int) -> tuple[NDArray[np.int32], Floats]:
    """Each context's cluster (n,) and the centres; exact k-means where n is at most `sample`.

    What was asked takes part in the fit, as the paper of TypiClust has it. A context whose
    embedding is no number is in none, -1.
    """
    index = sampled(places.ids, sample, key, places.sound)
    x = places.rows(index, room=len(places.asked))
    x[len(index) :] = places.asked
    # What was asked has no id here; its place in the list is as good a key for the draws.
    names = np.concatenate([places.ids[index], np.arange(len(places.asked), dtype=np.uint64)])
    centres = kmeans(x, names, k, key)
    which = np.where(places.sound, places.nearest(centres)[1], np.int32(-1))
    return which, centres


__all__ = ["clusters", "kmeans", "sampled"]
