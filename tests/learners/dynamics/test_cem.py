from __future__ import annotations

import numpy as np
import pytest

from nightschool.learners.dynamics.cem import Controller, Search, coloured, returns, search

LOW, HIGH = np.array([-1.0]), np.array([1.0])


def find(score, *, e=2, t=4, seed=0, settings=None, low=LOW, high=HIGH):
    settings = settings or Search(samples=64, rounds=6)
    mean = np.zeros((e, t, len(low)))
    return search(score, mean, low, high, settings, np.random.default_rng(seed))


def test_it_finds_the_best_sequence():
    goal = np.linspace(-0.5, 0.5, 4)[:, None]
    plans = find(lambda a: -np.square(a - goal).sum(axis=(1, 2)), settings=Search(200, 12, 20))
    assert np.abs(plans.best[:, 0] - goal).max() < 0.1
    assert np.allclose(plans.scores, np.sort(plans.scores, axis=1)[:, ::-1]), "best first"


def test_problems_of_a_batch_are_kept_apart():
    goals = np.repeat([-0.7, 0.7], 64)
    plans = find(lambda a: -np.abs(a[..., 0].mean(axis=1) - goals))
    assert np.allclose(plans.mean.mean(axis=(1, 2)), [-0.7, 0.7], atol=0.1)


def test_actions_stay_within_their_limits():
    plans = find(lambda a: a.sum(axis=(1, 2)), low=np.array([-0.2]), high=np.array([0.3]))
    assert plans.best.max() == pytest.approx(0.3)
    assert plans.best.min() >= -0.2


def test_scores_that_are_no_numbers_lose():
    plans = find(lambda a: np.where(a[:, 0, 0] > 0, np.nan, a[:, 0, 0]))
    assert (plans.best[:, 0, 0] <= 0).all()


def test_the_same_draws_give_the_same_plans():
    one, two, other = (find(lambda a: a.sum(axis=(1, 2)), seed=s).mean for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_coloured_noise_correlates_and_keeps_its_variance():
    noise = coloured(np.random.default_rng(0).standard_normal((4000, 10, 1)), 0.8)[..., 0]
    assert np.allclose(noise.std(axis=0), 1, atol=0.05)
    assert np.corrcoef(noise[:, 4], noise[:, 5])[0, 1] == pytest.approx(0.8, abs=0.03)


def test_returns_are_averaged_over_members():
    def rollout(states, actions):
        one = states[:, None] + np.cumsum(actions, axis=1)
        return np.stack([one, one + 2])

    gained = returns(rollout, lambda s, a: s[..., 0], np.zeros((3, 1)), np.ones((3, 2, 1)))
    assert np.allclose(gained, 3 + 2)


def test_a_controller_brings_a_point_to_the_origin():
    def rollout(states, actions):
        return states[:, None] + 0.5 * np.cumsum(actions, axis=1)

    plan, rng = np.zeros((3, 5, 1)), np.random.default_rng(0)
    control = Controller(
        rollout, lambda s, a: -np.abs(s[..., 0]), LOW, HIGH, Search(samples=64, rounds=4), plan, rng
    )
    states = np.array([[1.5], [-1.0], [0.2]])
    for _ in range(8):
        states = rollout(states, control(states)[:, None])[:, 0]
    assert np.abs(states).max() < 0.1
