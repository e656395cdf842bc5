"""k-center: whatever is farthest from everything that was asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nightschool.strategies.places import survey
from nightschool.strategies.seeding import Farthest, seeds, topped_up
from nightschool.types import Blocks, Picks, uniform


@dataclass(frozen=True)
class KCenter:
    """The greedy core-set: each pick is the context farthest from those asked and chosen.

    Sener and Savarese 2018, alg. 1: at most twice as far as the best cover of the pool (Gonzalez
    1985). Where nothing was asked yet, the first pick is a keyed draw.
    """

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts; scores are squared distances when they were chosen."""
        places = survey(blocks)
        if n <= 0 or not len(places):
            return Picks(np.empty(0, np.int64), np.empty(0))
        nearest, _ = places.nearest(places.asked)
        farthest = Farthest(uniform(places.ids, key), places.sound)
        index, far = seeds(places.ids, nearest, places.away, n, farthest)
        index = topped_up(index, places.ids, n, key)
        return Picks(index, np.pad(far, (0, len(index) - len(far))))
