from __future__ import annotations

import numpy as np
import pytest
import torch

from nightschool.learners.dynamics import scoring
from nightschool.learners.dynamics.ensemble import encode
from nightschool.learners.dynamics.lesson import differences
from nightschool.learners.dynamics.planning import information
from nightschool.learners.dynamics.settings import Settings
from nightschool.types.trajectory import Trajectory

from .conftest import experiments, tried

TRUTH = [tried(e, noise=0.0) for e in experiments(6, 80)]


def test_angles_are_compared_the_short_way_round():
    gap = differences(np.array([[3.1, 3.1]]), np.array([[-3.1, -3.1]]), (0,))
    assert np.allclose(gap, [[6.2 - 2 * np.pi, 6.2]])


def test_full_turns_do_not_count_as_errors(taught):
    turned = [Trajectory("swing", t.states + np.array([2 * np.pi, 0, 0]), t.actions) for t in TRUTH]
    one, two = (scoring.step_errors(taught.ensemble, t, (1, 5)) for t in (TRUTH, turned))
    assert np.allclose(one, two, atol=1e-3)


def test_predicting_no_motion_is_an_error_of_one(untaught):
    still = untaught.ensemble
    zero = type(still)(still.settings, {**still.arrays, "out": 0 * still.arrays["out"]})
    errors = scoring.step_errors(zero, TRUTH, (1, 5))
    assert np.allclose(np.sqrt((errors**2).mean(axis=0)), 1)
    assert scoring.mark(zero, TRUTH[0]) == pytest.approx(1 / 11)


def test_the_mark_falls_with_the_error(taught, monkeypatch):
    """A prediction whose error is a known share of the motion has the mark that is promised."""
    for share, mark in ((0.0, 1.0), (0.01, 10 / 11), (0.1, 0.5), (1.0, 1 / 11)):

        def windows(ensemble, trajectory, h, share=share):
            motion = trajectory.states[h:] - trajectory.states[:-h]
            return share * motion, motion

        monkeypatch.setattr(scoring, "_windows", windows)
        assert scoring.mark(taught.ensemble, TRUTH[0]) == pytest.approx(mark)


def test_a_trajectory_without_motion_says_nothing(taught):
    still = Trajectory("swing", np.zeros((2, 3)), np.zeros((1, 1)))
    assert 0 <= scoring.mark(taught.ensemble, still) <= 1
    never = np.zeros((2, 3))
    assert scoring.mark(taught.ensemble, Trajectory("swing", never, np.zeros((1, 1)))) == 1.0


def test_information_rises_where_nobody_was(taught):
    known, unknown = np.zeros((1, 3)), np.array([[0.0, 0.0, 9.0]])
    actions = np.zeros((1, 6, 1))
    near, far = (information(taught.ensemble, s, actions)[0] for s in (known, unknown))
    assert 0 <= near < far


def test_a_stopped_angle_enters_raw_as_well():
    """Cosine and sine alone would take the two ends of the range for neighbours."""
    free = Settings(states=1, angles=(0,), low=(-1.0,), high=(1.0,))
    stopped = Settings(states=1, angles=(0,), stopped=(0,), low=(-1.0,), high=(1.0,))
    ends, push = torch.tensor([[-3.1], [3.1]]), torch.zeros(2, 1)
    near = encode(ends, push, free)
    assert torch.dist(near[0], near[1]) < 0.1
    apart = encode(ends, push, stopped)
    assert torch.dist(apart[0], apart[1]) > 6


def test_a_rollout_cannot_explode(taught):
    wild = taught.ensemble.rollout(np.array([[0.0, 0.0, 1e6]]), np.ones((1, 50, 1)))
    reach = (taught.ensemble.arrays["unit"] * taught.ensemble.arrays["reach"]).numpy()
    assert np.isfinite(wild).all()
    assert (np.abs(np.diff(wild, axis=2)) <= 2.1 * reach + 0.2).all()
