"""What the tasks of the bodies want: rewards of states after a step and the actions of it."""

from __future__ import annotations

import numpy as np

from nightschool.types.trajectory import Reals

# Reacher-v5: the two links, in metres (the fingertip is 0.01 m beyond the second).
_LINKS = (0.1, 0.11)

# Pusher-v5: each joint's offset from the joint before, in metres, and the axis it turns about.
_ARM = (
    ((0.0, -0.6, 0.0), 2),
    ((0.1, 0.0, 0.0), 1),
    ((0.0, 0.0, 0.0), 0),
    ((0.4, 0.0, 0.0), 1),
    ((0.0, 0.0, 0.0), 0),
    ((0.321, 0.0, 0.0), 1),
    ((0.0, 0.0, 0.0), 0),
)
_REST = (0.45, -0.05)
_OBJECT_HEIGHT, _GOAL_HEIGHT = -0.275, -0.323


def pendulum_reward(states: Reals, actions: Reals) -> Reals:
    """Pendulum-v1: upright, at rest, with little torque; 0 at best.

    States (..., 2) are theta (0 is upright) and its speed. Gymnasium pays for the state before
    the step, this for the state after it: one episode's sum differs by its two ends only.
    """
    upright = np.remainder(states[..., 0] + np.pi, 2 * np.pi) - np.pi
    reward: Reals = -(
        upright**2 + 0.1 * states[..., 1] ** 2 + 0.001 * np.clip(actions[..., 0], -2, 2) ** 2
    )
    return reward


def fingertip(states: Reals) -> Reals:
    """Where Reacher's fingertip is, (..., 2) in metres, from its joint angles."""
    first, second = states[..., 0], states[..., 0] + states[..., 1]
    return np.stack(
        [
            _LINKS[0] * np.cos(first) + _LINKS[1] * np.cos(second),
            _LINKS[0] * np.sin(first) + _LINKS[1] * np.sin(second),
        ],
        axis=-1,
    )


def reacher_reward(states: Reals, actions: Reals) -> Reals:
    """Reacher-v5: fingertip at the target (metres), with little torque; 0 at best."""
    distance = np.linalg.norm(fingertip(states) - states[..., 2:4], axis=-1)
    reward: Reals = -distance - np.square(actions).sum(axis=-1)
    return reward


def arm_tip(joints: Reals) -> Reals:
    """Where the tip of Pusher's arm is, (..., 3) in metres, from its seven joint angles."""
    tip = np.zeros((*joints.shape[:-1], 3))
    for turn in range(len(_ARM) - 1, -1, -1):
        offset, axis = _ARM[turn]
        tip = _turned(tip, joints[..., turn], axis) + offset
    return tip


def pusher_reward(states: Reals, actions: Reals) -> Reals:
    """Pusher-v5: the object at the goal, the arm's tip near the object, with little torque.

    States (..., 18) are seven joint angles, the object's y and x (metres from its rest), and
    the speeds of the nine. Gymnasium reads positions one simulation step (0.01 s) late, this
    does not.
    """
    away = states[..., (8, 7)]
    object_place = np.concatenate(
        [away + _REST, np.full((*away.shape[:-1], 1), _OBJECT_HEIGHT)], axis=-1
    )
    near = np.linalg.norm(object_place - arm_tip(states[..., :7]), axis=-1)
    goal = np.linalg.norm(object_place - (*_REST, _GOAL_HEIGHT), axis=-1)
    reward: Reals = -0.5 * near - goal - 0.1 * np.square(actions).sum(axis=-1)
    return reward


def _turned(points: Reals, angle: Reals, axis: int) -> Reals:
    """Points (..., 3) turned about a coordinate axis by angles (...) in radians."""
    one, two = (axis + 1) % 3, (axis + 2) % 3
    cos, sin = np.cos(angle), np.sin(angle)
    turned = points.copy()
    turned[..., one] = cos * points[..., one] - sin * points[..., two]
    turned[..., two] = sin * points[..., one] + cos * points[..., two]
    return turned
