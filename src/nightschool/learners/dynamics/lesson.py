"""What is learned from: the single steps of all trajectories, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nightschool.learners.dynamics.settings import Settings
from nightschool.types import Dataset, LearnerError
from nightschool.types.trajectory import Reals, Trajectory


@dataclass(frozen=True, eq=False)
class Lesson:
    """n transitions: `states` (n, s), `actions` (n, a), `moves` (n, s), the change that came.

    Changes of angles are wrapped to [-pi, pi). `weights` (n,) are those of the examples.
    """

    states: Reals
    actions: Reals
    moves: Reals
    weights: Reals

    def __len__(self) -> int:
        return len(self.states)


def wrap(angles: Reals) -> Reals:
    """Angles in radians brought to [-pi, pi)."""
    wrapped: Reals = np.remainder(angles + np.pi, 2 * np.pi) - np.pi
    return wrapped


def differences(one: Reals, two: Reals, angles: Sequence[int]) -> Reals:
    """one - two for states (..., s), the short way round for angles."""
    gap: Reals = np.asarray(one, dtype=np.float64) - two
    which = list(angles)
    gap[..., which] = wrap(gap[..., which])
    return gap


def read_lesson(dataset: Dataset, settings: Settings, seed: int) -> Lesson:
    """Everything that tonight is learned from: new, earlier and original trajectories.

    A trajectory that ended early counts as far as it goes. Raises LearnerError for one of
    another system.
    """
    earlier = dataset.earlier(settings.earlier, seed)
    examples = {e.id: e for e in (*dataset.new, *earlier)}
    originals = [Trajectory.of(d) for d in dataset.original(settings.original, seed)]
    taught = [(Trajectory.of(e.target), e.weight) for e in examples.values()]
    return lesson_of([*((t, 1.0) for t in originals), *taught], settings)


def lesson_of(weighted: Iterable[tuple[Trajectory, float]], settings: Settings) -> Lesson:
    """The transitions of trajectories, each with its weight, in their order."""
    s, a = settings.states, len(settings.low)
    states, actions, moves, weights = [np.empty((0, s))], [np.empty((0, a))], [np.empty((0, s))], []
    for trajectory, weight in weighted:
        check_shape(trajectory, settings)
        states.append(trajectory.states[:-1])
        actions.append(trajectory.actions)
        after, before = trajectory.states[1:], trajectory.states[:-1]
        moves.append(differences(after, before, settings.angles))
        weights.extend([weight] * len(trajectory.actions))
    return Lesson(
        np.concatenate(states),
        np.concatenate(actions),
        np.concatenate(moves),
        np.array(weights, dtype=np.float64),
    )


def check_shape(trajectory: Trajectory, settings: Settings) -> None:
    """Raise LearnerError for a trajectory that is not of the system that is learned."""
    s, a = trajectory.states.shape[1], trajectory.actions.shape[1]
    if (s, a) != (settings.states, len(settings.low)):
        raise LearnerError(
            f"A trajectory of {trajectory.system!r} has {s} coordinates and {a} actions; this "
            f"model of {settings.system!r} learns {settings.states} and {len(settings.low)}. Keep "
            "each system in a school of its own."
        )
