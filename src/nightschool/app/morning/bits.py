"""Bits per answer: what answers told the model, beside the most that they can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nightschool.app.morning.estimates import Estimate, mean_of
from nightschool.limits import capacity

LEAST = 2.0**-10
"""A right answer that the model thought less probable still counts as 10 bits."""

OPEN = "Not computable: answers are open text, so nothing bounds what one can tell."
UNMARKED = "Not computable: this school's marks are not probabilities of the right answer."
UNTIMED = "Not known yet: no night has learned from answers of its own."


@dataclass(frozen=True)
class Bits:
    """Bits that an answer told (`told`; None while unknown), and the most that it can (`most`).

    `most` is None where nothing bounds it; `why` says what is not known, and why not.
    """

    told: Estimate | None
    most: float | None
    kinds: int
    noise: float
    why: str


def surprise(fresh: Sequence[float]) -> Estimate | None:
    """The mean bits of answers that had these probabilities before they were learned from.

    -log2 of the probability that the model gave to the right answer: the code length of
    prequential coding (Dawid 1984), each answer counted once, before it is learned from.
    """
    known = [p for p in fresh if math.isfinite(p)]
    return mean_of([-math.log2(min(max(p, LEAST), 1.0)) for p in known])


def bits(fresh: Sequence[float], kinds: int, noise: float, *, probabilities: bool = True) -> Bits:
    """Both numbers: the bound is the capacity of one answer among `kinds`, at that noise."""
    if not probabilities:
        return Bits(None, None, kinds, noise, UNMARKED)
    told = surprise(fresh)
    most = capacity(kinds, noise) if kinds > 1 else None
    lacking = [UNTIMED] if told is None else []
    if most is None:
        lacking.append(OPEN)
    return Bits(told, most, kinds, noise, " ".join(lacking))
