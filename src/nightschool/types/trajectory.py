"""Physical feedback: an experiment is asked, the trajectory that came of it is the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeIs

from nightschool.types.documents import Document
from nightschool.types.errors import AnswerError, PoolError

EXPERIMENT = "experiment"
TRAJECTORY = "trajectory"

Reals = NDArray[np.float64]

Reward = Callable[[Reals, Reals], Reals]
"""The task: states after a step (..., s) and the actions that led there (..., a) -> (...)."""

Policy = Callable[[Reals], Reals]
"""A controller: the states of e episodes, (e, s), to their next actions, (e, a)."""

_DIGITS = 9


@dataclass(frozen=True)
class Spec:
    """What a physical system is: its coordinates, its limits and its pace.

    `low` and `high` limit the actions; a state outside `safe_low` to `safe_high` ends a trial.
    `angles` are the positions of state coordinates in radians, whose errors are wrapped.
    `seconds` is the length of a step, `steps` the number of steps of an experiment.
    """

    name: str
    states: tuple[str, ...]
    actions: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    safe_low: tuple[float, ...]
    safe_high: tuple[float, ...]
    angles: tuple[int, ...]
    seconds: float
    steps: int


@dataclass(frozen=True, eq=False)
class Experiment:
    """A start and what to do from there; not yet tried.

    `start` (q,) is what puts the system there, `state` (s,) what is measured there, `actions`
    (t, a) what is done, step by step.
    """

    system: str
    start: Reals
    state: Reals
    actions: Reals

    def document(self) -> Document:
        """The experiment as a context's document; equal experiments have equal ids."""
        body = {
            "system": self.system,
            "start": _rounded(self.start),
            "state": _rounded(self.state),
            "actions": _rounded(self.actions),
        }
        return Document(json.dumps(body, sort_keys=True), EXPERIMENT)

    @classmethod
    def of(cls, document: Document) -> Experiment:
        """The reverse of `document`; PoolError when the document is no experiment."""
        body = _body(document, EXPERIMENT, PoolError)
        try:
            actions = _array(body["actions"], 2)
            return cls(
                str(body["system"]), _array(body["start"], 1), _array(body["state"], 1), actions
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise PoolError(
                f"{document.body[:60]!r} is no experiment ({error}); it needs system, start, state "
                "and actions, all finite numbers."
            ) from error


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What came of an experiment: k actions done, (k, a), and k + 1 measured states, (k + 1, s).

    `ended` is empty for a whole one and says otherwise why it stopped before its time.
    """

    system: str
    states: Reals
    actions: Reals
    ended: str = ""

    def document(self) -> Document:
        """The trajectory as an answer's document."""
        body = {
            "system": self.system,
            "states": _rounded(self.states),
            "actions": _rounded(self.actions),
            "ended": self.ended,
        }
        return Document(json.dumps(body, sort_keys=True), TRAJECTORY)

    @classmethod
    def of(cls, document: Document) -> Trajectory:
        """The reverse of `document`; AnswerError when the document is no trajectory."""
        body = _body(document, TRAJECTORY, AnswerError)
        try:
            states, actions = _array(body["states"], 2), _array(body["actions"], 2)
            made = cls(str(body["system"]), states, actions, str(body.get("ended", "")))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise AnswerError(
                f"{document.body[:60]!r} is no trajectory ({error}); it needs system, states and "
                "actions, all finite numbers."
            ) from error
        if len(states) != len(actions) + 1 or not len(actions):
            raise AnswerError(
                f"A trajectory of {len(actions)} actions needs one state more than that, not "
                f"{len(states)}, and one action at least."
            )
        return made


def check_trajectory(document: Document, experiment: Document) -> None:
    """Raise AnswerError for a trajectory that cannot have come of that experiment."""
    done, asked = Trajectory.of(document), Experiment.of(experiment)
    if done.system != asked.system:
        raise AnswerError(f"A trajectory of {done.system!r} was sent for one of {asked.system!r}.")
    if done.states.shape[1] != len(asked.state) or done.actions.shape[1] != asked.actions.shape[1]:
        raise AnswerError(
            f"The trajectory has {done.states.shape[1]} coordinates and {done.actions.shape[1]} "
            f"actions a step; the experiment has {len(asked.state)} and {asked.actions.shape[1]}."
        )
    if len(done.actions) > len(asked.actions):
        raise AnswerError(
            f"The trajectory has {len(done.actions)} steps, {len(asked.actions)} were asked for."
        )
    if len(done.actions) < len(asked.actions) and not done.ended:
        raise AnswerError(
            f"The trajectory has {len(done.actions)} of {len(asked.actions)} steps and does not "
            'say why it stopped; say so in "ended".'
        )


class System(Protocol):
    """Something physical that reacts: a robot, an instrument, a simulator.

    The smallest door there is: go to a start, act for one step, stop. All calls return within
    the system's own time or raise; whoever runs a trial watches the clock and the limits.
    """

    @property
    def spec(self) -> Spec:
        """Its coordinates, limits and pace."""

    def begin(self, start: Reals, seed: int) -> Reals:
        """Go to a start (q,); returns the state measured there, (s,)."""

    def step(self, action: Reals) -> Reals:
        """Act for one step; returns the state measured after it, (s,)."""

    def stop(self) -> None:
        """Make safe: no more power. May be called at any time, also twice."""


class Simulator(System, Protocol):
    """A system that can also be asked what would happen: for pools, exams and upper bounds."""

    @property
    def horizon(self) -> int:
        """Steps of one episode of its task."""

    def starts(self, n: int, seed: int) -> Reals:
        """n random starts, (n, q)."""

    def reward(self, states: Reals, actions: Reals) -> Reals:
        """The task's reward of states after a step, (..., s), and actions, (..., a)."""

    def rollout(self, states: Reals, actions: Reals) -> Reals:
        """What would happen without noise: states (n, s), actions (n, t, a) -> (n, t, s)."""


def simulates(system: System) -> TypeIs[Simulator]:
    """Whether a system is a simulator, by its type: nothing is asked of the system itself.

    (`isinstance` of a Protocol reads attributes, and a robot's spec is a call over the network.)
    """
    return all(hasattr(type(system), n) for n in ("horizon", "starts", "reward", "rollout"))


def _rounded(values: Reals) -> Any:
    """Numbers as they are written: nine significant digits, so that a retry has equal bytes."""
    flat = [float(f"{v:.{_DIGITS}g}") for v in np.asarray(values, dtype=np.float64).ravel()]
    return np.array(flat).reshape(np.shape(values)).tolist()


def _body(document: Document, kind: str, error: type[PoolError] | type[AnswerError]) -> Any:
    if document.kind != kind:
        raise error(f"A document of kind {document.kind!r} is no {kind}.")
    try:
        body = json.loads(document.body)
    except (ValueError, RecursionError) as broken:
        raise error(f"{document.body[:60]!r} is no {kind}: not JSON ({broken}).") from broken
    if not isinstance(body, dict):
        raise error(f"{document.body[:60]!r} is no {kind}: not a JSON object.")
    return body


def _array(values: Sequence[Any], axes: int) -> Reals:
    array = np.array(values, dtype=np.float64)
    if array.ndim != axes or not array.size:
        raise ValueError(f"shape {array.shape} where {axes} axes are needed")
    if not np.isfinite(array).all():
        raise ValueError("numbers that are not finite")
    return array
