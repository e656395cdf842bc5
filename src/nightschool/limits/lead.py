"""Lead over random: the model taught by chosen answers against a twin taught by random ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from nightschool.types import uniform


@dataclass(frozen=True)
class Lead:
    """Chosen against random, after equally many answers, on the same items.

    `chosen` and `random` are mean marks in [0, 1]; `low` and `high` bound `chosen - random` with
    95 % probability over items, by pairs. `answers` is how many each had learned from.
    """

    answers: int
    items: int
    chosen: float
    random: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """By how much the chosen answers are ahead, in [-1, 1]."""
        return self.chosen - self.random


def folds(ids: Sequence[int], count: int, key: int) -> list[list[int]]:
    """Positions of the ids in `count` folds whose sizes differ by at most one, drawn by a key.

    The order of the ids does not matter.
    """
    draws = uniform(list(ids), key)
    order = sorted(range(len(ids)), key=lambda i: (draws[i], ids[i]))
    return [order[start::count] for start in range(count)]


def lead(chosen: Sequence[float], random: Sequence[float], answers: int) -> Lead:
    """The lead from both models' marks on the same items, in one order; at least two items.

    The interval is Student's for a mean of paired differences. It tells of other items, not
    of other draws of the answers that were learned from.
    """
    if len(chosen) != len(random) or len(chosen) < 2:
        raise ValueError(
            f"A lead compares two models on the same items, at least 2; these are {len(chosen)} "
            f"and {len(random)} marks."
        )
    difference = np.asarray(chosen, dtype=np.float64) - np.asarray(random, dtype=np.float64)
    middle = float(difference.mean())
    quantile = float(stdtrit(len(difference) - 1, 0.975))
    reach = quantile * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return Lead(
        answers,
        len(difference),
        float(np.mean(chosen)),
        float(np.mean(random)),
        middle - reach,
        middle + reach,
    )
