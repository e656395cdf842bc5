"""How good the predictions are: errors at several steps, calibration, and one mark."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from nightschool.learners.dynamics.ensemble import Ensemble, tensor
from nightschool.learners.dynamics.lesson import check_shape, differences
from nightschool.types.trajectory import Reals, Trajectory

HORIZONS = (1, 5, 20)
HALF_MARK = 0.1
"""The error, in shares of the motion, at which a prediction is worth one half."""


def step_errors(
    ensemble: Ensemble, trajectories: Sequence[Trajectory], steps: Sequence[int]
) -> Reals:
    """Root mean squared error after so many steps of the mean rollout, (n, len(steps)).

    From every state of a trajectory; a coordinate's unit is how far it moves in that many steps
    in all the trajectories given, so 1 is as bad as predicting that nothing moves. nan where a
    trajectory is shorter than that; coordinates that never move are left out.
    """
    errors = np.full((len(trajectories), len(steps)), np.nan)
    for column, h in enumerate(steps):
        long = [i for i, t in enumerate(trajectories) if len(t.actions) >= h]
        if not long:
            continue
        missed, moved = zip(*(_windows(ensemble, trajectories[i], h) for i in long), strict=True)
        motion = np.mean(np.concatenate(moved) ** 2, axis=0)
        live = motion > 0
        for i, gap in zip(long, missed, strict=True):
            errors[i, column] = math.sqrt(np.mean(gap[:, live] ** 2 / motion[live]))
    return errors


def mark(ensemble: Ensemble, trajectory: Trajectory) -> float:
    """One mark in [0, 1] for the prediction of a trajectory; larger is better.

    For every moving coordinate at 1, 5 and 20 steps (as far as the trajectory goes) the error u
    as a share of the trajectory's own motion gives 0.1 / (0.1 + u); the mark is their mean. It is
    a logistic curve of log u: 1/11 for predicting no motion, 1/2 for an error of a tenth, 10/11
    for a hundredth, so that every halving of the error shows, early and late. It depends on the
    trajectory and the model alone, and no coordinate outweighs the others.
    """
    marks: list[float] = []
    for h in HORIZONS:
        if len(trajectory.actions) < h:
            continue
        missed, moved = _windows(ensemble, trajectory, h)
        motion = np.sqrt(np.mean(moved**2, axis=0))
        live = motion > 0
        share = np.sqrt(np.mean(missed**2, axis=0))[live] / motion[live]
        marks.extend(HALF_MARK / (HALF_MARK + share))
    return float(np.mean(marks)) if marks else 1.0


def coverage(ensemble: Ensemble, trajectories: Sequence[Trajectory], level: float) -> Reals:
    """Share of one-step truths inside the predictive mixture's central interval, (n,).

    The mixture has one Gaussian a member, all with the ensemble's noise; a calibrated model has
    a share of `level`. Coordinates that never move are left out.
    """
    shares = np.empty(len(trajectories))
    live = ensemble.live.numpy()
    unit, sigma = ensemble.arrays["unit"].numpy()[live], np.sqrt(ensemble.noise)
    for i, trajectory in enumerate(trajectories):
        check_shape(trajectory, ensemble.settings)
        before, after = trajectory.states[:-1], trajectory.states[1:]
        _, changes = ensemble.expect(before, trajectory.actions[:, None])
        moved = differences(after, before, ensemble.settings.angles)[:, live] / unit
        z = (moved - changes[:, :, 0].numpy()[..., live]) / sigma
        below = torch.special.ndtr(tensor(z)).mean(dim=0)
        shares[i] = float(((below - 0.5).abs() < level / 2).float().mean())
    return shares


def _windows(ensemble: Ensemble, trajectory: Trajectory, h: int) -> tuple[Reals, Reals]:
    """Error and motion after h steps from each of a trajectory's k starts, both (k, s)."""
    check_shape(trajectory, ensemble.settings)
    k, angles = len(trajectory.actions) - h + 1, ensemble.settings.angles
    starts, ends = trajectory.states[:k], trajectory.states[h:]
    actions = np.stack([trajectory.actions[i : i + h] for i in range(k)])
    path, _ = ensemble.expect(starts, actions)
    predicted = path[:, -1].numpy()
    return differences(predicted, ends, angles), differences(ends, starts, angles)
