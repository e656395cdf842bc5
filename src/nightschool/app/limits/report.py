"""The whole report: what is known of a school's limits, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nightschool.app.limits.bounding import Bounded, bound_of
from nightschool.app.limits.larger import Measured, measure_larger
from nightschool.app.limits.nights import learning_curve, pace
from nightschool.app.limits.stopping import measure_stability
from nightschool.app.limits.twin import measure_twin
from nightschool.app.school import School
from nightschool.limits import (
    Advice,
    Forecast,
    Interval,
    Lead,
    Point,
    Stability,
    Trial,
    advise,
    forecast,
)
from nightschool.types import ConfigError, Progress

NIGHTS = 5
"""So many nights are forecast, and after so many forecasts were checked."""

Tell = Callable[[str], Progress]
"""Makes a progress bar for a step of that name."""


@dataclass(frozen=True)
class Wanted:
    """What shall be measured beside what the log tells; each costs predictions or fits.

    `hypotheses` "" is no declared class; `larger` are models or settings.
    """

    target: float = 0.9
    level: float = 0.9
    stability: bool = False
    twin: bool = False
    larger: tuple[str, ...] = ()
    hypotheses: str = ""
    kinds: int = 0
    noise: str = "measured"
    error: float = 0.0


@dataclass(frozen=True)
class Ahead:
    """The forecast for one night to come: its answers, and the interval of its exam."""

    nights: int
    answers: float
    exam: Interval


@dataclass(frozen=True)
class Report:
    """All that was found, and what is not known, a sentence each."""

    answers: int
    learned: int
    points: tuple[Point, ...]
    target: float
    level: float
    forecast: Forecast | None
    ahead: tuple[Ahead, ...]
    advice: Advice | None
    stability: Stability | None
    larger: tuple[Measured, ...]
    bound: Bounded | None
    lead: Lead | None
    unknown: tuple[str, ...]


def report(school: School, wanted: Wanted, tell: Tell) -> Report:
    """Read the log, measure what is wanted, and advise."""
    if not 0.0 < wanted.target <= 1.0:
        raise ConfigError(f"The target is {wanted.target}; it must be above 0 and at most 1.")
    if not 0.0 < wanted.level < 1.0:
        raise ConfigError(f"The level is {wanted.level}; it must be between 0 and 1.")
    bound = None
    if wanted.hypotheses:
        how = (wanted.kinds, wanted.noise, wanted.error)
        bound = bound_of(school, wanted.hypotheses, *how)
    points = learning_curve(school)
    step = pace(points)
    curve = forecast(points) if len(points) > 1 and step > 0 else None
    stability = measure_stability(school, progress=tell("stop set")) if wanted.stability else None
    larger = measure_larger(school, wanted.larger, tell("recipes")) if wanted.larger else []
    twin = measure_twin(school, tell("twin")) if wanted.twin else None
    advice = None
    if curve is not None:
        trials = [Trial(m.name, m.points, m.parameters) for m in larger]
        advice = advise(
            curve, wanted.target, ahead=NIGHTS * step, stability=stability, trials=trials
        )
    return Report(
        answers=len(school.warehouse.answers()),
        learned=round(points[-1].answers) if points else 0,
        points=points,
        target=wanted.target,
        level=wanted.level,
        forecast=curve,
        ahead=_ahead(curve, step, wanted.level) if curve is not None else (),
        advice=advice,
        stability=stability,
        larger=tuple(larger),
        bound=bound,
        lead=twin,
        unknown=tuple(_unknown(points, wanted)),
    )


def _ahead(curve: Forecast, step: float, level: float) -> tuple[Ahead, ...]:
    answers = [curve.last.answers + n * step for n in range(1, NIGHTS + 1)]
    return tuple(Ahead(n, x, curve.exam(x, level=level)) for n, x in enumerate(answers, 1))


def _unknown(points: Sequence[Point], wanted: Wanted) -> list[str]:
    lines = []
    if len(points) <= NIGHTS:
        lines.append(
            f"How good this forecast is: it was checked with {NIGHTS + 1} exams or more, here "
            f"there are {len(points)}."
        )
    if not wanted.stability:
        lines.append("Whether predictions have stabilised: `--stability` (predicts, no fit).")
    if not wanted.twin:
        lines.append("The lead over random: `--twin` (five fits).")
    if not wanted.larger:
        lines.append("What a larger model would do: `--larger MODEL` (three fits each).")
    if not wanted.hypotheses:
        lines.append(
            "A lower bound on answers: not computable for free text unless a class is declared, "
            "`--hypotheses N --kinds K`."
        )
    return lines
