"""EPIG: what an answer would tell about the answers that matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.batch import gather
from nightschool.strategies.scores import plogp
from nightschool.types import Blocks, Floats, Observation, Picks, uniform


@dataclass(frozen=True)
class Epig:
    """The contexts with the largest expected predictive information gain.

    Bickford Smith et al. 2023, eq. 5: the mutual information of the answer here and the answer on
    a target, its mean over the targets: `target_probs` where the learner gives them, else
    `targets` contexts of the pool drawn by key. Unlike BALD it asks for nothing that only a
    corner of the model would learn from. Of more than `classes` classes the likeliest ones are
    kept apart and the rest counts as one: a lower bound, by the data processing inequality.
    """

    targets: int = 256
    classes: int = 16

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """The n best-scored different contexts; scores are in nats."""
        targets = coarse(_targets(blocks, self.targets, key), self.classes)

        def score(observation: Observation) -> NDArray[np.float64]:
            probs, parts = observation.probs, [np.empty(0)]
            for start in range(0, len(observation), 4096):
                parts.append(epig(coarse(probs[:, start : start + 4096], self.classes), targets))
            return np.concatenate(parts)

        pool = gather(score, blocks, key)
        index = pool.best(n)
        return Picks(index, pool.scores[index])


def epig(probs: Floats, targets: Floats) -> NDArray[np.float64]:
    """Mean mutual information of answers here (s, n, k) and on targets (s, t, j), (n,) nats.

    The joint prediction is the samples' mean of products, built for a few contexts at a time.
    """
    s, n, k = probs.shape
    t, j = targets.shape[1:]
    if not t:
        return np.zeros(n)
    right = np.ascontiguousarray(targets, np.float32).reshape(s, t * j)
    own = plogp(targets.mean(axis=0)).mean()
    scores = np.empty(n)
    rows = max(1, 2**19 // (k * t * j))  # 2 MiB of joint: it stays in the cache
    for start in range(0, n, rows):
        part = np.asarray(probs[:, start : start + rows], np.float32)
        left = part.reshape(s, -1) / np.float32(s)
        joint = left.T @ right
        np.maximum(joint, np.float32(1e-30), out=joint)  # 0 log 0 = 0
        together = np.log(joint)
        together *= joint
        each = together.reshape(part.shape[1], k * t * j).sum(axis=1, dtype=np.float64) / t
        scores[start : start + rows] = each - plogp(part.mean(axis=0)) - own
    # Beyond that is rounding of float32, which depends on a context's place in its block.
    return np.maximum(np.round(scores, 6), 0.0)


def coarse(probs: Floats, classes: int) -> Floats:
    """Each context's likeliest `classes` - 1 classes and the rest as one, (s, n, classes)."""
    s, n, k = probs.shape
    if k <= classes:
        return probs
    out = np.empty((s, n, classes), np.float32)
    for start in range(0, n, 4096):
        part = probs[:, start : start + 4096]
        mean = np.nan_to_num(part.mean(axis=0))
        top = np.argpartition(-mean, classes - 1, axis=1)[:, : classes - 1]
        kept = np.take_along_axis(part, top[None], axis=2)
        out[:, start : start + 4096, :-1] = kept
        out[:, start : start + 4096, -1] = part.sum(axis=2) - kept.sum(axis=2)
    return np.maximum(out, 0, out=out)


def _targets(blocks: Blocks, most: int, key: int) -> Floats:
    """The learner's targets, or the predictions (s, t, k) of a keyed draw from the pool."""
    found: dict[int, tuple[float, Floats]] = {}
    for block in blocks:
        if block.has("target_probs"):
            given: Floats = block.target_probs
            return given[:, np.isfinite(given).all(axis=(0, 2))]
        draws = uniform(block.ids, key)
        taken = 0
        for at in np.argsort(draws):
            probs = block.probs[:, at]
            if np.isfinite(probs).all():
                found[int(block.ids[at])] = (float(draws[at]), probs.copy())
                taken += 1
            if taken == most:
                break
        found = dict(sorted(found.items(), key=lambda item: (item[1][0], item[0]))[:most])
    rows = [probs for _, probs in found.values()]
    if not rows:
        return np.empty((1, 0, 1), np.float32)
    k = max(r.shape[1] for r in rows)
    return np.stack([np.pad(r, ((0, 0), (0, k - r.shape[1]))) for r in rows], axis=1)
