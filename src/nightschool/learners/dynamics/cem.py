"""The cross-entropy method: planning action sequences for any score, with any model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from nightschool.types.trajectory import Reals, Reward

Rollout = Callable[[Reals, Reals], Reals]
"""States (n, s) and actions (n, t, a) to what follows: (n, t, s), or (..., n, t, s) of several."""

Score = Callable[[Reals], Reals]
"""Action sequences (n, t, a) to one number each, (n,); larger is better."""

_KEPT = 3
_INERTIA = 0.1
_WORST = -1e12


@dataclass(frozen=True)
class Search:
    """How to search: `samples` sequences in each of `rounds`, the best `elites` of them kept.

    `width` is the first standard deviation in half ranges of the actions; `smooth` in [0, 1) the
    correlation of neighbouring steps (coloured noise: Pinneri et al. 2020).
    """

    samples: int = 64
    rounds: int = 3
    elites: int = 8
    width: float = 0.6
    smooth: float = 0.0


@dataclass(frozen=True, eq=False)
class Plans:
    """What a search found for e problems: the `mean` (e, t, a), `best` (e, k, t, a), `scores`.

    `best` holds the k elites, best first, with their `scores` (e, k).
    """

    mean: Reals
    best: Reals
    scores: Reals


def search(
    score: Score,
    mean: Reals,
    low: Reals,
    high: Reals,
    settings: Search,
    rng: np.random.Generator,
) -> Plans:
    """Sequences with large scores for e problems at once, from `mean` (e, t, a).

    The score gets e * samples sequences, those of the first problem first. The mean so far and
    the best of the round before are tried again (Rubinstein 1999; Chua et al. 2018).
    """
    e, t, a = mean.shape
    width = np.broadcast_to((high - low) / 2 * settings.width, mean.shape)
    best = np.empty((e, 0, t, a))
    elites = min(settings.elites, settings.samples)
    scores = np.empty((e, elites))
    for _ in range(settings.rounds):
        noise = coloured(rng.standard_normal((e, settings.samples, t, a)), settings.smooth)
        tried = np.clip(mean[:, None] + width[:, None] * noise, low, high)
        again = np.concatenate([mean[:, None], best[:, :_KEPT]], axis=1)[:, : settings.samples]
        tried[:, : again.shape[1]] = again
        values = score(tried.reshape(-1, t, a)).reshape(e, -1)
        values = np.nan_to_num(values, nan=_WORST, neginf=_WORST)
        order = np.argsort(-values, axis=1, kind="stable")[:, :elites]
        best = np.take_along_axis(tried, order[:, :, None, None], axis=1)
        scores = np.take_along_axis(values, order, axis=1)
        mean = _INERTIA * mean + (1 - _INERTIA) * best.mean(axis=1)
        width = _INERTIA * width + (1 - _INERTIA) * best.std(axis=1)
    return Plans(mean, best, scores)


def coloured(noise: Reals, smooth: float) -> Reals:
    """White noise (..., t, a) made to correlate by `smooth` from step to step, variance kept."""
    made = noise.copy()
    fresh = np.sqrt(1 - smooth**2)
    for t in range(1, noise.shape[-2]):
        made[..., t, :] = smooth * made[..., t - 1, :] + fresh * noise[..., t, :]
    return made


@dataclass
class Controller:
    """Model-predictive control of e episodes at once, each call one step of all of them.

    The first action of the best plan is done; the next call begins at the rest of the plan. With
    a learned model the return is the mean over its members, each rolling out its own future.
    """

    rollout: Rollout
    reward: Reward
    low: Reals
    high: Reals
    search: Search
    plan: Reals
    rng: np.random.Generator = field(repr=False)

    def __call__(self, states: Reals) -> Reals:
        """The next actions (e, a) for the measured states (e, s)."""
        starts = np.repeat(states, self.search.samples, axis=0)
        found = search(
            lambda actions: returns(self.rollout, self.reward, starts, actions),
            self.plan,
            self.low,
            self.high,
            self.search,
            self.rng,
        )
        last = np.broadcast_to((self.low + self.high) / 2, self.plan[:, :1].shape)
        self.plan = np.concatenate([found.mean[:, 1:], last], axis=1)
        actions: Reals = found.best[:, 0, 0]
        return actions


def returns(rollout: Rollout, reward: Reward, states: Reals, actions: Reals) -> Reals:
    """The sum of rewards of each sequence, (n,), averaged over the model's members."""
    future = rollout(states, actions)
    gained = reward(future, np.broadcast_to(actions, (*future.shape[:-1], actions.shape[-1])))
    total: Reals = gained.sum(axis=-1).reshape(-1, len(actions)).mean(axis=0)
    return total
