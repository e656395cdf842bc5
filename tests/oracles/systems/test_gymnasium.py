from __future__ import annotations

import importlib

import numpy as np
import pytest

from nightschool.oracles.systems import gymnasium as module
from nightschool.oracles.systems import pendulum, pusher, reacher
from nightschool.oracles.systems.rewards import arm_tip, fingertip
from nightschool.types import ConfigError, simulates

MAKERS = [pendulum, reacher, pusher]


def actions_of(system, n, t, seed=0):
    spec = system.spec
    return np.random.default_rng(seed).uniform(spec.low, spec.high, (n, t, len(spec.low)))


def trial(system, start, actions, seed=0):
    states = [system.begin(start, seed)]
    states += [system.step(action) for action in actions]
    system.stop()
    return np.array(states)


@pytest.mark.parametrize("make", MAKERS)
def test_a_trial_is_what_gymnasium_does(make):
    """Stepped by hand, the environment itself goes where the system says it goes."""
    system = make(noise=0.0)
    start, actions = system.starts(1, 3)[0], actions_of(system, 1, 12)[0]
    states = trial(system, start, actions)
    environment = importlib.import_module("gymnasium").make(system.body.environment).unwrapped
    environment.reset(seed=0)
    system.body.write(environment, start)
    for action, expected in zip(actions, states[1:], strict=True):
        environment.step(action)
        assert np.allclose(system.body.read(environment), expected, atol=1e-9)


@pytest.mark.parametrize("make", MAKERS)
def test_a_rollout_is_the_trial_without_the_steps(make):
    system = make(noise=0.0)
    starts, actions = system.starts(3, 4), actions_of(system, 3, 25)
    tried = np.stack([trial(system, s, a) for s, a in zip(starts, actions, strict=True)])
    rolled = system.rollout(tried[:, 0], actions)
    assert rolled.shape == (3, 25, len(system.spec.states))
    assert np.allclose(rolled, tried[:, 1:], atol=1e-6)
    assert np.abs(rolled[:, -1] - tried[:, 0]).max() > 0.1, "nothing moved"


def test_the_pendulum_is_paid_as_by_gymnasium():
    system = pendulum(noise=0.0)
    actions = actions_of(system, 1, 20)[0]
    states = [system.begin(system.starts(1, 0)[0], 0)]
    for action in actions:
        paid = system.environment.step(action)[1]
        assert np.isclose(system.reward(states[-1], action), paid), "theta, speed and torque"
        states.append(system.body.read(system.environment))
    assert system.reward(np.array(states[1:]), actions).shape == (20,)


@pytest.mark.parametrize(("make", "close"), [(reacher, 1e-4), (pusher, 0.01)])
def test_the_arms_are_paid_as_by_gymnasium(make, close):
    """Gymnasium reads some positions one simulation step late: hence the tolerance."""
    system = make(noise=0.0)
    system.begin(system.starts(1, 5)[0], 0)
    for action in actions_of(system, 1, 20)[0]:
        paid = system.environment.step(action)[1]
        state = system.body.read(system.environment)
        assert abs(system.reward(state, action) - paid) < close


def test_the_places_of_the_arms_are_mujocos():
    mujoco = importlib.import_module("mujoco")
    for system, body, place in (
        (reacher(noise=0.0), "fingertip", lambda s: [*fingertip(s), 0.01]),
        (pusher(noise=0.0), "tips_arm", lambda s: arm_tip(s[:7])),
    ):
        state = trial(system, system.starts(1, 2)[0], actions_of(system, 1, 15)[0])[-1]
        environment = system.environment
        mujoco.mj_forward(environment.model, environment.data)
        assert np.allclose(environment.data.body(body).xpos, place(state), atol=1e-9)


@pytest.mark.parametrize("make", MAKERS)
def test_starts_and_specs_agree(make):
    system = make()
    spec = system.spec
    assert simulates(system)
    assert len(spec.safe_low) == len(spec.safe_high) == len(spec.states) == len(system.body.sensor)
    starts = system.starts(5, 8)
    assert np.array_equal(starts, system.starts(5, 8))
    assert not np.array_equal(starts, system.starts(5, 9))
    state = system.begin(starts[0], 0)
    assert state.shape == (len(spec.states),)
    assert (state > spec.safe_low).all()
    assert (state < spec.safe_high).all()
    assert system.horizon > spec.steps


def test_the_pendulum_hangs_at_rest():
    starts = pendulum().starts(50, 1)
    assert np.abs(starts[:, 0] - np.pi).max() <= 0.1
    assert (starts[:, 1] == 0).all()


def test_noise_is_keyed_by_the_seed_and_scaled():
    exact, usual, wild = reacher(noise=0.0), reacher(), reacher(noise=10.0)
    start, actions = exact.starts(1, 6)[0], actions_of(exact, 1, 25)[0]
    truth, one, two = (trial(s, start, actions, 1) for s in (exact, usual, usual))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, trial(usual, start, actions, 2))
    assert np.allclose((one - truth) * 10, trial(wild, start, actions, 1) - truth)
    assert np.array_equal(one[:, 2:4], truth[:, 2:4]), "the target is known exactly"
    assert np.allclose((one - truth).std(axis=0)[[0, 4]], (0.0005, 0.005), rtol=0.5)


@pytest.mark.parametrize("noise", [-1.0, float("nan"), float("inf"), "much"])
def test_noise_must_be_a_number_that_can_be(noise):
    with pytest.raises(ConfigError, match="noise is"):
        pendulum(noise=noise)


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    def gone(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(module.importlib, "import_module", gone)
    with pytest.raises(ConfigError, match=r'pip install "nightschool\[control\]"'):
        pendulum()


def test_gymnasium_without_mujoco_is_named_as_well(monkeypatch):
    gymnasium = importlib.import_module("gymnasium")

    def make(name):
        raise gymnasium.error.DependencyNotInstalled("MuJoCo is not installed")

    monkeypatch.setattr(gymnasium, "make", make)
    with pytest.raises(ConfigError, match=r"MuJoCo is not installed.*nightschool\[control\]"):
        reacher()
