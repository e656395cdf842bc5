"""Stabilising predictions: has what the model says stopped changing from version to version?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

WINDOW = 3
ENOUGH = 0.99


def kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Cohen's kappa of two versions' predictions on the same contexts: 1 when they all agree.

    Agreement beyond what their frequencies alone would give (Cohen 1960), at most 1; 1.0 where
    both always say one and the same thing. Raises ValueError unless both are equally long and
    not empty.
    """
    if not first or len(first) != len(second):
        raise ValueError(
            f"Kappa compares predictions on the same contexts; these are {len(first)} and "
            f"{len(second)} predictions."
        )
    n = len(first)
    seen = sum(a == b for a, b in zip(first, second, strict=True)) / n
    left, right = Counter(first), Counter(second)
    chance = sum(left[name] * right[name] for name in left) / n**2
    return 1.0 if chance == 1.0 else (seen - chance) / (1.0 - chance)


@dataclass(frozen=True)
class Stability:
    """Kappa between successive versions, oldest first, and how many contexts they were asked."""

    kappas: tuple[float, ...]
    contexts: int

    @property
    def recent(self) -> float:
        """The mean of the last three kappas; nan while there are fewer."""
        last = self.kappas[-WINDOW:]
        return sum(last) / WINDOW if len(last) == WINDOW else float("nan")

    @property
    def stable(self) -> bool:
        """Whether predictions have stabilised: the mean of the last three is 0.99 or more.

        (Bloodgood and Vijay-Shanker 2009, section 3: stop set, kappa, window 3, cutoff 0.99.)
        """
        return self.recent >= ENOUGH


def stability(predictions: Sequence[Sequence[Hashable]]) -> Stability:
    """How much successive versions agree; `predictions` are each version's on one stop set."""
    kappas = tuple(kappa(a, b) for a, b in pairwise(predictions))
    return Stability(kappas, len(predictions[0]) if predictions else 0)
