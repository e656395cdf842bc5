"""Advice from the evidence: go on asking, stop, or take a larger model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nightschool.limits.curve import Point
from nightschool.limits.forecast import Forecast, forecast
from nightschool.limits.stability import ENOUGH, Stability

HARDLY = 0.05
"""Flattened means: so improbably at the target even after ten times as many answers."""

NIGHTS = 3
"""A curve of so few nights, or fewer, has not flattened yet, whatever it looks like."""

LIKELY = 0.5
GAIN = 0.01
"""Nights that bring less than a point of the exam are not worth a person's time."""


@dataclass(frozen=True)
class Trial:
    """A recipe's own curve on the same answers and exam; `parameters` is its size."""

    name: str
    points: tuple[Point, ...]
    parameters: int


@dataclass(frozen=True)
class Advice:
    """What to do, in one word, and the evidence, a sentence each.

    `verdict` is "go on", "stop" or "more answers will not help". `size` names the recipe that
    would do; empty where none was found.
    """

    verdict: str
    evidence: tuple[str, ...]
    size: str = ""


def reach(curve: Forecast, target: float) -> float:
    """How probably the curve is at the target after ten times as many answers, in [0, 1]."""
    return curve.probability(target, curve.farthest)


def advise(
    own: Forecast,
    target: float,
    *,
    ahead: float,
    stability: Stability | None = None,
    trials: Sequence[Trial] = (),
) -> Advice:
    """Advice from the forecast, and from stability and larger recipes where they were measured.

    `ahead` is how many answers the next nights would bring; `trials` begin with the present
    recipe. More answers will not help when the curve has more than `NIGHTS` points and is hardly
    ever at the target after ten times as many; a larger recipe would do when it is there by
    measurement, or likely to come there.
    """
    now = own.score(own.last.answers)
    later = own.score(own.last.answers + ahead)
    evidence = [
        f"The curve stands at {_percent(now.middle)} and the target at {_percent(target)}; "
        f"{ahead:.0f} more answers would bring it to {_percent(later.middle)} "
        f"({_percent(later.low)} to {_percent(later.high)})."
    ]
    if stability is not None:
        evidence.append(_agreement(stability))
    chance = reach(own, target)
    if own.probability(target, own.last.answers) >= 1.0 - HARDLY:
        return Advice("stop", (*evidence, "The target is reached."))
    if chance <= HARDLY and own.nights > NIGHTS:
        size, more = larger(trials, target)
        evidence.append(
            f"Ten times as many answers would bring the present recipe to the target with a "
            f"probability of {_percent(chance)}: it has flattened below."
        )
        return Advice("more answers will not help", (*evidence, *more), size)
    gain = float((own.curves(own.last.answers + ahead) - own.curves(own.last.answers)).mean())
    if stability is not None and stability.stable and gain < GAIN:
        return Advice("stop", (*evidence, "The next nights would bring less than a point."))
    evidence.append(
        f"Ten times as many answers would reach the target with a probability of "
        f"{_percent(chance)}."
    )
    return Advice("go on", tuple(evidence))


def larger(trials: Sequence[Trial], target: float) -> tuple[str, list[str]]:
    """The smallest recipe that does, by name, and a sentence on each; "" where none does.

    One whose measured score is at the target comes before one that is only likely to come there.
    """
    if not trials:
        return "", ["No larger recipe was measured: `nightschool limits --larger MODEL`."]
    lines, there, coming = [], [], []
    for trial in trials[1:]:
        score, chance = trial.points[-1].score, reach(forecast(trial.points), target)
        said = f"{trial.name} ({_count(trial.parameters)}) reaches {_percent(score)} on the same "
        if score >= target:
            there.append(trial)
            lines.append(f"{said}answers: it would do, by measurement.")
        elif chance >= LIKELY:
            coming.append(trial)
            lines.append(f"{said}answers and has not flattened: {_percent(chance)} to get there.")
        else:
            lines.append(f"{said}answers and would not get there ({_percent(chance)}).")
    found = sorted(there, key=lambda t: t.parameters) or sorted(coming, key=lambda t: t.parameters)
    return (found[0].name if found else ""), lines


def _agreement(found: Stability) -> str:
    if math.isnan(found.recent):
        return "Too few versions to tell whether predictions have stabilised."
    word = "have stabilised" if found.stable else "still change"
    return (
        f"Predictions {word}: kappa {found.recent:.3f} over the last versions on {found.contexts} "
        f"contexts ({ENOUGH} is enough)."
    )


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _count(parameters: int) -> str:
    for size, name in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if parameters >= size:
            return f"{parameters / size:.1f} {name} parameters"
    return f"{parameters} parameters"
