"""Experiments worth doing: what the members would disagree about along the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nightschool.learners.dynamics.cem import Search, search
from nightschool.learners.dynamics.ensemble import Ensemble, tensor
from nightschool.types.trajectory import Experiment, Reals

_ELITES = 10
_WIDTH = 1.0
_SMOOTH = 0.8


def information(ensemble: Ensemble, states: Reals, actions: Reals) -> Reals:
    """How much each experiment would tell about the dynamics, in nats a step, (n,).

    The members' spread along the mean rollout against the noise, as Gaussian information
    1/2 log(1 + variance / noise), summed over coordinates (MAX: Shyam et al. 2019, sec. 3, with
    Gaussians in place of its Renyi entropy). The logarithm keeps a search from chasing the one
    place where the members are wildest.
    """
    _, changes = ensemble.expect(states, actions)
    spread = changes[..., ensemble.live].var(dim=0, unbiased=False)
    nats = 0.5 * torch.log1p(spread / tensor(ensemble.noise)).sum(dim=-1)
    per_step: Reals = nats.mean(dim=1).numpy().astype(np.float64)
    return per_step


def plan_experiments(
    ensemble: Ensemble, starts: Sequence[Experiment], each: int, rng: np.random.Generator
) -> list[Experiment]:
    """`each` experiments from every start, by searching for action sequences that tell most.

    Longer than its start's experiment none will be; all starts are planned with the longest.
    """
    settings = ensemble.settings
    steps = max(len(start.actions) for start in starts)
    states = np.stack([start.state for start in starts])
    low, high = np.array(settings.low), np.array(settings.high)
    samples = max(settings.plan_samples, each)
    repeated = np.repeat(states, samples, axis=0)
    middle = np.broadcast_to((low + high) / 2, (len(starts), steps, len(low)))
    found = search(
        lambda actions: information(ensemble, repeated, actions),
        middle,
        low,
        high,
        Search(samples, settings.plan_rounds, max(_ELITES, each), _WIDTH, _SMOOTH),
        rng,
    )
    return [
        Experiment(start.system, start.start, start.state, plan[: len(start.actions)])
        for start, plans in zip(starts, found.best, strict=True)
        for plan in plans[:each]
    ]


@dataclass(frozen=True, eq=False)
class Outlook:
    """What the ensemble expects of n experiments, thinned to k moments of each.

    `changes` (m, n, k * live) are the members' predictions in units; `places` (n, k * f) are the
    normalised states and actions there, by which experiments are near or far.
    """

    changes: Tensor
    places: Tensor


def outlook(ensemble: Ensemble, experiments: Sequence[Experiment]) -> Outlook:
    """Members' predictions and places along the mean rollouts of experiments."""
    n, k, m = len(experiments), ensemble.settings.moments, ensemble.settings.members
    actions, lengths = padded(experiments)
    path, changes = ensemble.expect(np.stack([e.state for e in experiments]), actions)
    moments = np.linspace(np.zeros(n), lengths - 1, k).round().astype(np.int64).T
    rows = torch.arange(n)[:, None]
    at = torch.from_numpy(moments)
    places = ensemble.inputs(path[rows, at], tensor(actions)[rows, at])
    picked = changes[:, rows, at][..., ensemble.live]
    return Outlook(picked.reshape(m, n, -1), places.reshape(n, -1))


def padded(experiments: Sequence[Experiment]) -> tuple[Reals, Reals]:
    """Actions (n, t, a) of experiments as long as the longest, and their own lengths (n,)."""
    lengths = np.array([len(e.actions) for e in experiments])
    width = experiments[0].actions.shape[1]
    actions = np.zeros((len(experiments), lengths.max(), width))
    for row, experiment in zip(actions, experiments, strict=True):
        row[: len(experiment.actions)] = experiment.actions
    return actions, lengths
