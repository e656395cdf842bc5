"""What faster computing would do: the loop's time tends to the people's (Amdahl, and Moore)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nightschool.app.morning.day import ANSWERING, IDLE, WAITING

YEARS = 10
DOUBLING = 2.0
"""Years in which computing becomes twice as fast."""

APART = frozenset({IDLE, WAITING, "showing", "completing"})
"""States that belong to no turn of the loop: nobody and nothing works on it."""


@dataclass(frozen=True)
class Year:
    """The loop after some years: how much faster computers are, its seconds, the people's share."""

    years: float
    speed: float
    seconds: float
    share: float


@dataclass(frozen=True)
class Growth:
    """One turn of the loop, in seconds: what people take, and what computers do.

    `twice` is the loop with computers twice as fast, `limit` with infinitely fast ones, `gain`
    how many times faster it can become at all (Amdahl 1967): inf where nobody answers.
    """

    people: float
    compute: float
    loop: float
    twice: float
    limit: float
    gain: float
    years: tuple[Year, ...]


def loop_seconds(people: float, compute: float, speed: float) -> float:
    """Amdahl's law: only the computers' part shrinks with their speed."""
    return people + compute / speed


def growth(people: float, compute: float, years: int = YEARS) -> Growth:
    """The loop as it is, with faster computers, and year by year as they double."""
    loop = people + compute
    return Growth(
        people=people,
        compute=compute,
        loop=loop,
        twice=loop_seconds(people, compute, 2.0),
        limit=people,
        gain=loop / people if people > 0 else float("inf"),
        years=tuple(_year(people, compute, n) for n in range(years + 1)),
    )


def _year(people: float, compute: float, years: int) -> Year:
    speed = 2.0 ** (years / DOUBLING)
    seconds = loop_seconds(people, compute, speed)
    return Year(years, speed, seconds, people / seconds if seconds > 0 else 0.0)


def split(parts: Mapping[str, float]) -> tuple[float, float]:
    """Seconds of people and of computers among those of a day."""
    people = parts.get(ANSWERING, 0.0)
    return people, sum(s for name, s in parts.items() if name not in APART) - people


def turn(parts: Mapping[str, float]) -> Growth | None:
    """The growth of a day's loop; None unless people answered and a model was trained in it."""
    people, compute = split(parts)
    return growth(people, compute) if people > 0 and parts.get("training", 0.0) > 0 else None
