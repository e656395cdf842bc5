"""Gymnasium's bodies as systems: the quick pendulum, and the arms that MuJoCo computes.

What happens in a trial is the environment's own: `begin` sets its state, `step` is its step. The
measured state has everything that the motion depends on, in radians, metres and seconds, and a
little sensor noise.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nightschool.oracles.systems.rewards import pendulum_reward, pusher_reward, reacher_reward
from nightschool.types.errors import ConfigError
from nightschool.types.trajectory import Reals, Reward, Spec

INF = float("inf")
_TURNS = 2 * np.pi


@dataclass(frozen=True)
class Body:
    """A Gymnasium environment as a system: what it is, how it is set, measured and paid.

    `sensor` (s,) is the standard deviation of each measured coordinate at noise 1. `write` puts
    the environment into a start (q,), `read` gives its true state (s,), `start` draws a start,
    `predict` is the exact rollout of states (n, s) under actions (n, t, a).
    """

    spec: Spec
    environment: str
    horizon: int
    sensor: tuple[float, ...]
    reward: Reward
    write: Callable[[Any, Reals], None]
    read: Callable[[Any], Reals]
    start: Callable[[Any], Reals]
    predict: Callable[[Any, Reals, Reals], Reals]


@dataclass
class GymnasiumSystem:
    """A simulator with one environment of its own; used by one trial at a time.

    `noise` scales the sensor noise: 1 is the body's own, 0 measures exactly.
    """

    body: Body
    environment: Any
    noise: float
    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    @property
    def spec(self) -> Spec:
        """Coordinates, limits and pace."""
        return self.body.spec

    @property
    def horizon(self) -> int:
        """Steps of one episode of the task."""
        return self.body.horizon

    def begin(self, start: Reals, seed: int) -> Reals:
        """Put the body into a start (q,); the state measured there, (s,). Seed: the noise."""
        self._random = np.random.default_rng(seed)
        self.environment.reset(seed=seed % 2**31)
        self.body.write(self.environment, np.asarray(start, dtype=np.float64))
        return self._measured()

    def step(self, action: Reals) -> Reals:
        """One step of the environment; the state measured after it, (s,)."""
        self.environment.step(np.asarray(action, dtype=np.float64))
        return self._measured()

    def stop(self) -> None:
        """Nothing moves between steps: there is nothing to stop."""

    def starts(self, n: int, seed: int) -> Reals:
        """n random starts, (n, q), as the environment draws them (the pendulum: hanging)."""
        self.environment.reset(seed=seed % 2**31)
        return np.stack([self.body.start(self.environment) for _ in range(n)])

    def reward(self, states: Reals, actions: Reals) -> Reals:
        """The task's reward of states after a step (..., s) and its actions (..., a)."""
        return self.body.reward(states, actions)

    def rollout(self, states: Reals, actions: Reals) -> Reals:
        """What would happen without noise: states (n, s), actions (n, t, a) -> (n, t, s)."""
        return self.body.predict(self.environment, states, actions)

    def _measured(self) -> Reals:
        state = self.body.read(self.environment)
        noise = np.array(self.body.sensor) * self._random.standard_normal(len(state))
        measured: Reals = state + self.noise * noise
        return measured


def pendulum(noise: float = 1.0) -> GymnasiumSystem:
    """Pendulum-v1, hanging at rest: theta (0 is upright) and its speed, clipped at 8 rad/s.

    Starts lie within 0.1 rad of hanging. Sensor noise: 0.0005 rad (an encoder of 12 bits) and
    0.005 rad/s.
    """
    spec = Spec(
        "pendulum",
        ("theta", "theta speed"),
        ("torque",),
        low=(-2.0,),
        high=(2.0,),
        safe_low=(-INF, -INF),
        safe_high=(INF, INF),
        angles=(0,),
        seconds=0.05,
        steps=25,
    )
    body = Body(
        spec,
        "Pendulum-v1",
        horizon=100,
        sensor=(0.0005, 0.005),
        reward=pendulum_reward,
        write=_swing,
        read=lambda environment: np.array(environment.state, dtype=np.float64),
        start=lambda environment: np.array([np.pi + environment.np_random.uniform(-0.1, 0.1), 0.0]),
        predict=_swung,
    )
    return _system(body, noise)


def reacher(noise: float = 1.0) -> GymnasiumSystem:
    """Reacher-v5: an arm with two joints (the second stops at 3 rad) and a target to reach.

    Sensor noise: 0.0005 rad and 0.005 rad/s; the target is known exactly.
    """
    spec = Spec(
        "reacher",
        ("joint 0", "joint 1", "target x", "target y", "joint 0 speed", "joint 1 speed"),
        ("torque 0", "torque 1"),
        low=(-1.0, -1.0),
        high=(1.0, 1.0),
        safe_low=(-INF, -_TURNS, -INF, -INF, -300.0, -300.0),
        safe_high=(INF, _TURNS, INF, INF, 300.0, 300.0),
        angles=(0, 1),
        seconds=0.02,
        steps=25,
    )
    layout = Layout(np.arange(4), np.array([0, 1]))
    sensor = (0.0005, 0.0005, 0.0, 0.0, 0.005, 0.005)
    return _system(_arm(spec, "Reacher-v5", 50, sensor, reacher_reward, layout), noise)


def pusher(noise: float = 1.0) -> GymnasiumSystem:
    """Pusher-v5: an arm with seven joints and an object that it should push to the goal.

    Sensor noise: 0.0005 rad and 0.005 rad/s for the joints, 0.5 mm and 5 mm/s for the object.
    """
    joints = tuple(f"joint {i}" for i in range(7))
    places = (*joints, "object y", "object x")
    spec = Spec(
        "pusher",
        (*places, *(f"{name} speed" for name in places)),
        tuple(f"torque {i}" for i in range(7)),
        low=(-2.0,) * 7,
        high=(2.0,) * 7,
        safe_low=(*(-_TURNS,) * 7, -2.0, -2.0, *(-300.0,) * 9),
        safe_high=(*(_TURNS,) * 7, 2.0, 2.0, *(300.0,) * 9),
        angles=tuple(range(7)),
        seconds=0.05,
        steps=25,
    )
    layout = Layout(np.arange(9), np.arange(9))
    sensor = (*(0.0005,) * 9, *(0.005,) * 9)
    return _system(_arm(spec, "Pusher-v5", 100, sensor, pusher_reward, layout), noise)


@dataclass(frozen=True, eq=False)
class Layout:
    """Which of MuJoCo's positions, then speeds, make up the state; the others stay as at rest.

    (A target does not move, so the speed of it is no part of the state.)
    """

    places: Any
    speeds: Any

    def read(self, environment: Any) -> Reals:
        """The true state, (s,)."""
        data = environment.data
        state: Reals = np.concatenate([data.qpos[self.places], data.qvel[self.speeds]])
        return state

    def physics(self, environment: Any, states: Reals) -> Reals:
        """States (n, s) as MuJoCo's own: time, all positions, all speeds, (n, 1 + nq + nv)."""
        model, split = environment.model, len(self.places)
        full = np.zeros((len(states), 1 + model.nq + model.nv))
        full[:, 1 + self.places] = states[:, :split]
        full[:, 1 + model.nq + self.speeds] = states[:, split:]
        return full

    def predict(self, environment: Any, states: Reals, actions: Reals) -> Reals:
        """The rollout that MuJoCo computes, without Python between its steps."""
        rollout = _import("mujoco.rollout")
        data = _import("mujoco").MjData(environment.model)
        skip, model = environment.frame_skip, environment.model
        control = np.repeat(np.asarray(actions, dtype=np.float64), skip, axis=1)
        full, _ = rollout.rollout(model, data, self.physics(environment, states), control)
        after = full[:, skip - 1 :: skip]
        places, speeds = 1 + self.places, 1 + model.nq + self.speeds
        predicted: Reals = np.concatenate([after[..., places], after[..., speeds]], axis=-1)
        return predicted


def _arm(
    spec: Spec,
    environment: str,
    horizon: int,
    sensor: tuple[float, ...],
    reward: Reward,
    layout: Layout,
) -> Body:
    """A body that MuJoCo computes; a start is all its positions, then all its speeds."""
    return Body(
        spec,
        environment,
        horizon,
        sensor,
        reward,
        write=_set_state,
        read=layout.read,
        start=_drawn_start,
        predict=layout.predict,
    )


def _set_state(environment: Any, start: Reals) -> None:
    environment.set_state(*np.split(start, [environment.model.nq]))


def _drawn_start(environment: Any) -> Reals:
    environment.reset()
    return np.concatenate([environment.data.qpos, environment.data.qvel])


def _swing(environment: Any, start: Reals) -> None:
    environment.state = start.copy()


def _swung(environment: Any, states: Reals, actions: Reals) -> Reals:
    """The pendulum's equation for many at once, as Pendulum-v1 has it."""
    theta, speed = states[:, 0], states[:, 1]
    gravity, inertia = 3 * environment.g / (2 * environment.l), environment.m * environment.l**2
    after = np.empty((*actions.shape[:2], 2))
    torques = np.clip(actions[..., 0], -environment.max_torque, environment.max_torque)
    for t in range(actions.shape[1]):
        push = gravity * np.sin(theta) + 3.0 / inertia * torques[:, t]
        speed = np.clip(
            speed + push * environment.dt, -environment.max_speed, environment.max_speed
        )
        theta = theta + speed * environment.dt
        after[:, t, 0], after[:, t, 1] = theta, speed
    return after


def _system(body: Body, noise: float) -> GymnasiumSystem:
    if not (isinstance(noise, int | float) and 0 <= noise < INF):
        raise ConfigError(f"noise is {noise!r}; give 0 (exact) or more, 1 is the body's own.")
    gymnasium = _import("gymnasium")
    try:
        environment = gymnasium.make(body.environment).unwrapped
    except gymnasium.error.DependencyNotInstalled as error:
        raise _missing(str(error)) from error
    return GymnasiumSystem(body, environment, float(noise))


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise _missing(str(error)) from error


def _missing(what: str) -> ConfigError:
    return ConfigError(
        f"The simulated bodies need packages that are not installed ({what}); get them with "
        f'`pip install "nightschool[control]"`.'
    )
