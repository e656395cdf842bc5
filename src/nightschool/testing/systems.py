"""The conformance suite of a physical system."""

from __future__ import annotations

import numpy as np

from nightschool.types import Simulator, System, simulates


def check_system(system: System, start: np.ndarray | None = None) -> None:
    """Every promise of a system; a robot's `start` must be given, a simulator draws its own."""
    spec = system.spec
    size, acts = len(spec.states), len(spec.actions)
    assert size and acts, "a system has coordinates and actions"
    assert len(spec.low) == len(spec.high) == acts, "every action has its limits"
    assert len(spec.safe_low) == len(spec.safe_high) == size, "every coordinate has its limits"
    assert all(a < b for a, b in zip(spec.low, spec.high, strict=True)), "low is below high"
    assert all(0 <= i < size for i in spec.angles), "angles are positions of coordinates"
    assert spec.seconds > 0, "a step takes time"
    assert spec.steps > 0, "an experiment has steps"
    if start is None:
        assert simulates(system), "give the start of a system that draws none"
        start = system.starts(1, 0)[0]
    middle = (np.array(spec.low) + np.array(spec.high)) / 2
    for _ in range(2):  # a second trial after a first one
        states = [system.begin(start, 1), system.step(middle), system.step(middle)]
        system.stop()
        assert all(np.shape(s) == (size,) for s in states), "a measured state is (s,)"
        assert np.isfinite(states).all(), "a measured state is all numbers"
    system.stop()  # twice is harmless
    if simulates(system):
        _simulates(system)


def _simulates(system: Simulator) -> None:
    spec = system.spec
    starts = system.starts(3, 7)
    assert np.array_equal(starts, system.starts(3, 7)), "the same seed drew other starts"
    rng = np.random.default_rng(0)
    actions = rng.uniform(spec.low, spec.high, (3, 4, len(spec.low)))
    states = np.stack([system.begin(start, i) for i, start in enumerate(starts)])
    ahead = system.rollout(states, actions)
    assert ahead.shape == (3, 4, len(spec.states)), "a rollout is (n, t, s)"
    again = system.rollout(states, actions)
    assert np.array_equal(ahead, again), "a rollout has no noise and no memory"
    pieces = system.rollout(ahead[:, 1], actions[:, 2:])
    assert np.allclose(pieces, ahead[:, 2:], atol=1e-6), "a state holds all that the future needs"
    reward = system.reward(ahead, actions)
    assert reward.shape == (3, 4), "a reward for each step"
    assert np.isfinite(reward).all(), "rewards are numbers"
    assert system.horizon > 0, "an episode has steps"
