"""How many seconds a question will cost a person, learned from the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.types import AnsweredQuestion, Context

LONGEST = 300.0
"""Seconds beyond which nobody was still thinking: a longer time is a pause and counts as this."""

SHORTEST = 0.2
NEWEST = 2000
"""Answers that are looked at, the newest."""

WIDE = 4.0
"""Estimates lie within this factor of the usual one: nothing is ruled out by its length alone."""

_FIRST = {"": (np.log(6.0), 2.0), "length": (0.0, 0.5)}
_EFFECT = (0.0, 0.5)
_NOISE, _NOISE_WORTH = 0.6, 5.0
_TAILS = 4.0


@dataclass(frozen=True)
class Pace:
    """Log seconds as a sum of effects: a base, the length of the text, its kind and source.

    `effects` are means in log seconds; a kind or a source that was never seen has none. `people`
    is the mean effect of those who answered, each shrunken towards nobody in particular.
    """

    effects: dict[str, float]
    people: float
    noise: float

    def seconds(self, contexts: Sequence[Context]) -> NDArray[np.float32]:
        """Expected seconds (n,) of each context, within a factor of `WIDE` of their median."""
        logs = np.array([self._log(context) for context in contexts], np.float64)
        if len(logs):
            usual = float(np.median(logs))
            logs = np.clip(logs, usual - np.log(WIDE), usual + np.log(WIDE))
        # The mean of a log-normal lies above its median.
        return np.exp(logs + 0.5 * self.noise**2).astype(np.float32)

    def _log(self, context: Context) -> float:
        named = named_effects(context)
        return self.people + sum(self.effects.get(key, 0.0) * x for key, x in named.items())


def named_effects(context: Context) -> dict[str, float]:
    """What a context's seconds may depend on, by name, each with its size."""
    return {
        "": 1.0,
        "length": float(np.log((len(context.text) + 10.0) / 60.0)),
        f"kind {context.document.kind}": 1.0,
        f"source {context.source}": 1.0,
    }


def learn_pace(answered: Iterable[AnsweredQuestion]) -> Pace:
    """The pace that the log shows: a robust, shrunken regression of log seconds.

    Student-t errors with 4 degrees of freedom by iteratively re-weighted least squares (Lange,
    Little and Taylor 1989), Gaussian priors on every effect, so that few answers say little and
    none say that all questions cost the same. Answers of 0 seconds were not timed and are left
    out; pauses count as `LONGEST`.
    """
    rows = [(a.at, a.seconds, a.person, each) for each in answered for a in each.answers]
    rows = sorted((r for r in rows if r[1] > 0), key=lambda row: row[0])[-NEWEST:]
    named = [
        {**named_effects(each.question.context), f"person {person}": 1.0}
        for _, _, person, each in rows
    ]
    names = sorted({name for row in named for name in row} | {""})
    x = np.array([[row.get(name, 0.0) for name in names] for row in named], np.float64)
    x = x.reshape(len(rows), len(names))
    y = np.log(np.clip([seconds for _, seconds, *_ in rows], SHORTEST, LONGEST))
    prior = np.array([_FIRST.get(name, _EFFECT) for name in names])
    fitted, noise = _fit(x, y, prior[:, 0], prior[:, 1])
    effects = dict(zip(names, map(float, fitted), strict=True))
    shares = x.mean(axis=0) if len(rows) else np.zeros(len(names))
    people = sum(
        float(share) * effects[name]
        for name, share in zip(names, shares, strict=True)
        if name.startswith("person ")
    )
    known = {name: e for name, e in effects.items() if not name.startswith("person ")}
    return Pace(known, people, noise)


def _fit(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    mean: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Effects (p,) and the standard deviation of what they leave; x (n, p), y (n,)."""
    effects: NDArray[np.float64] = mean.copy()
    noise = _NOISE
    weights = np.ones(len(y))
    for _ in range(10):
        gram = (x.T * (weights / noise**2)) @ x + np.diag(spread**-2.0)
        pull = x.T @ (weights * y) / noise**2 + mean / spread**2
        effects = np.linalg.solve(gram, pull).astype(np.float64)
        off = y - x @ effects
        weights = (_TAILS + 1.0) / (_TAILS + (off / noise) ** 2)
        total = float((weights * off**2).sum()) + _NOISE_WORTH * _NOISE**2
        noise = float(np.sqrt(total / (len(y) + _NOISE_WORTH)))
    return effects, noise
