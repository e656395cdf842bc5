"""Information gain for answers that are numbers: what posterior samples disagree about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.batch import gather
from nightschool.strategies.places import Places, survey
from nightschool.types import Blocks, Floats, Observation, Picks


def information(observation: Observation, key: int = 0) -> NDArray[np.float64]:
    """What an answer would tell about the model, in nats a value, for Gaussian answers.

    The mean over the m values of 1/2 log(1 + variance / noise), the variance being that of the
    posterior samples: the mutual information of a Gaussian answer and the model (MacKay 1992,
    eq. 9; as disagreement of an ensemble: Shyam et al. 2019). 0 when all samples say the same.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.var(observation.values.astype(np.float64), axis=0)
        gain: NDArray[np.float64] = 0.5 * np.log1p(spread / observation.noise).mean(axis=-1)
    return gain


@dataclass(frozen=True)
class Information:
    """Information gain times the distance to whatever was asked, so that nothing is repeated.

    A batch is chosen one by one, each pick counting as asked for the next: what is known to be
    asked already has distance 0 and comes last.
    """

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts, best first; scores are information in nats."""
        pool = gather(information, blocks, key)
        if n <= 0 or not len(pool.ids):
            return Picks(np.empty(0, np.int64), np.empty(0, np.float64))
        places = survey(blocks)
        ranked = pool.ranked()
        gain = np.where(np.isfinite(pool.scores), np.maximum(pool.scores, 0.0), 0.0)[ranked]
        far = _distances(places, places.asked)[ranked]
        left, chosen = np.ones(len(ranked), dtype=bool), []
        for _ in range(min(n, len(ranked))):
            reach = np.where(np.isfinite(far), far, 1.0)
            best = int(np.argmax(np.where(left, gain * reach, -1.0)))
            chosen.append(best)
            left[best] = False
            if len(chosen) < n:
                new = places.row(int(ranked[best]))[None]
                far = np.minimum(far, _distances(places, new)[ranked])
        index = ranked[np.array(chosen, dtype=np.int64)]
        return Picks(index, pool.scores[index])


def _distances(places: Places, taken: Floats) -> NDArray[np.float64]:
    """Distance of each context to the nearest taken one, (n,); infinite where nothing is taken.

    One pass; subtracted in float64, so that equal contexts are equally far wherever they stand.
    """
    nearest = np.full(len(places), np.inf)
    for start, part in places.chunks() if len(taken) else ():
        x, out = part.astype(np.float64), nearest[start : start + len(part)]
        for row in taken:
            np.minimum(out, np.linalg.norm(x - row, axis=1), out=out)
    return nearest
