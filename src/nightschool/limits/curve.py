"""The learning curve of a school, as points: how much was learned from, and how well it did."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One night's trainee: the answers it had learned from, and its score on `items` exam items.

    `score` is a mean mark in [0, 1].
    """

    answers: float
    score: float
    items: int


def curve(points: Iterable[Point]) -> tuple[Point, ...]:
    """The points that say something, by answers: those with an exam and a finite score.

    Of several with equally many answers the last stays: the trainee as it is now.
    """
    usable = [p for p in points if p.items > 0 and math.isfinite(p.score)]
    return tuple(sorted({p.answers: p for p in usable}.values(), key=lambda p: p.answers))
