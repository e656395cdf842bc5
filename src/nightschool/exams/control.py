"""The control exam: predictions of held-out trajectories, and episodes of the task itself."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from nightschool.exams.text import bank_items, item_id, latest_of_each, probability
from nightschool.types import (
    EXPERIMENT,
    TRAJECTORY,
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    ExamError,
    ExamItem,
    Experiment,
    Learner,
    LearnerError,
    Mark,
    Policy,
    Reals,
    Reward,
    Simulator,
    Spec,
    System,
    Trajectory,
    simulates,
)

TASK, TASK_RETURNS = "task", "task_returns"
"""Kinds of documents: an episode of the task, and the returns that its marks lie between."""

TASK_GROUP = "task"

PREDICTION, RETURN = "prediction", "return"
"""The marks that gate."""

OVER_RANDOM, CALIBRATION = "return_over_random", "calibration"
STEPS = (1, 5, 20)
LEVEL = 0.9

ControllerFactory = Callable[[Reward, int, int], Policy]
"""The task's reward, how many episodes side by side, and a seed, to a policy for them."""

_SHORTEST, _LONGEST = 3, 10
_RANDOM_RUNS = 8
_WORTHWHILE = 0.1
_SEEDS = 2**31


@runtime_checkable
class Forecaster(Protocol):
    """A learner of a physical system that tells how wrong it is, and how sure."""

    def step_errors(self, trajectories: Sequence[Trajectory], steps: Sequence[int]) -> Reals:
        """Errors after so many steps, (n, len(steps)), 0 or more; nan where one is too short."""

    def coverage(self, trajectories: Sequence[Trajectory], level: float) -> Reals:
        """The share of the truth inside the predictions' central interval of that level, (n,)."""


@dataclass(frozen=True)
class ControlExam:
    """Marks a model of a physical system by what it foresees, and by what it can do with that.

    Both gate: "prediction" on every trajectory, "return" on every episode of the task. A system
    that is no simulator has no episodes: there, predictions alone gate.
    """

    system: System

    def items(self, answered: Iterable[AnsweredQuestion]) -> Sequence[ExamItem]:
        """Bank items: the exam partition's experiments with the trajectories that came of them.

        Trajectories that ended early count as far as they go; a context without any is left out.
        """
        return bank_items(answered, _trajectories)

    def sit(self, learner: Learner, items: Sequence[ExamItem]) -> Sequence[Mark]:
        """The marks of a learner, in the order of the items; see `predictions` and `returns`.

        Raises LearnerError when a mark is no number, or the learner cannot do what is asked; and
        ExamError for items that are neither trajectories nor this system's task.
        """
        forecasts = [item for item in items if item.context.kind == EXPERIMENT]
        episodes = [item for item in items if item.context.kind == TASK]
        if len(forecasts) + len(episodes) < len(items):
            kinds = sorted({i.context.kind for i in items} - {EXPERIMENT, TASK})
            raise ExamError(
                f"The control exam marks experiments and tasks, not {', '.join(kinds)}; take "
                "those items out of the test file."
            )
        marks: dict[str, list[Mark]] = {item.id: [] for item in items}
        for mark in predictions(learner, forecasts):
            marks[mark.item].append(mark)
        if episodes:
            if not simulates(self.system):
                raise ExamError(
                    "The exam holds episodes of a task, and this school's system is no simulator; "
                    "take them out of the test file."
                )
            for mark in returns(learner, self.system, episodes):
                marks[mark.item].append(mark)
        return [mark for item in items for mark in marks[item.id]]


def predictions(learner: Learner, items: Sequence[ExamItem]) -> Iterator[Mark]:
    """ "prediction" of each item, the learner's own mark, gates; of a Forecaster, also reports.

    "error_1", "error_5" and "error_20" are 1 / (1 + error) at that many steps, where the
    trajectory is that long: 1 is perfect. "calibration" is 1 - |share - 0.9| / 0.9 of the share of
    the truth inside the predictions' central 90 % interval: 1 is calibrated, 0 never inside.
    """
    if not items:
        return
    soft = learner.mark(items)
    if len(soft) != len(items):
        raise LearnerError(f"The learner gave {len(soft)} marks for {len(items)} exam items.")
    for item, value in zip(items, soft, strict=True):
        yield Mark(PREDICTION, probability(value, item), True, item.id, item.group)
    if isinstance(learner, Forecaster):
        yield from _reports(learner, items)


def _reports(learner: Forecaster, items: Sequence[ExamItem]) -> Iterator[Mark]:
    held_out = [(item, Trajectory.of(done)) for item in items for done in item.accepted]
    trajectories = [done for _, done in held_out]
    errors = np.asarray(learner.step_errors(trajectories, STEPS), dtype=np.float64)
    shares = np.asarray(learner.coverage(trajectories, LEVEL), dtype=np.float64)
    lengths = np.array([len(done.actions) for done in trajectories])
    values = {f"error_{h}": 1 / (1 + errors[:, column]) for column, h in enumerate(STEPS)}
    values[CALIBRATION] = 1 - np.abs(shares - LEVEL) / LEVEL
    for name, least in zip(values, (*STEPS, 1), strict=True):
        own: dict[str, list[float]] = {}
        for (item, _), value, length in zip(held_out, values[name], lengths, strict=True):
            if length >= least:
                own.setdefault(item.id, []).append(probability(value, item))
        for item in items:
            if item.id in own:
                yield Mark(name, float(np.mean(own[item.id])), False, item.id, item.group)


def returns(learner: Learner, simulator: Simulator, items: Sequence[ExamItem]) -> Iterator[Mark]:
    """ "return" of each episode under the learner's own control, between 0 and 1, gates.

    0 is as good as doing nothing, 1 as the same controller with the true simulator. Reported is
    "return_over_random", where 0 is as good as random actions. Episodes go on side by side,
    without sensor noise; one whose return is no number is worth 0.
    """
    make = getattr(learner, "controller", None)
    if make is None:
        raise LearnerError(
            f"The learner {learner.recipe.learner!r} controls nothing; take the episodes of the "
            "task out of the test file, or choose a learner that has a controller."
        )
    ordered = sorted(items, key=lambda item: item.id)
    tasks = [Task.of(item.context) for item in ordered]
    for task in tasks:
        if task.system != simulator.spec.name:
            raise ExamError(
                f"An episode is of {task.system!r}, this school's system is "
                f"{simulator.spec.name!r}; take it out of the test file."
            )
    policy = make(simulator.reward, episodes=len(tasks), seed=Context(ordered[0].context).id)
    steps = max(task.steps for task in tasks)
    rewards = run_episodes(simulator, policy, np.stack([task.state for task in tasks]), steps)
    for item, task, row in zip(ordered, tasks, rewards, strict=True):
        gained, bounds = row[: task.steps].sum(), _bounds(item)
        value = _between(gained, bounds["nothing"], bounds["best"])
        yield Mark(RETURN, value, True, item.id, item.group)
        if bounds.get("random", math.inf) < bounds["best"]:
            value = _between(gained, bounds["random"], bounds["best"])
            yield Mark(OVER_RANDOM, value, False, item.id, item.group)


def run_episodes(simulator: Simulator, policy: Policy, states: Reals, steps: int) -> Reals:
    """Rewards (e, steps) of e episodes side by side, from states (e, s), without sensor noise.

    Actions are held to their limits; LearnerError when one is no number.
    """
    spec = simulator.spec
    rewards = np.empty((len(states), steps))
    for t in range(steps):
        actions = _actions(policy, states, spec)
        states = simulator.rollout(states, actions[:, None])[:, 0]
        rewards[:, t] = simulator.reward(states, actions)
    return rewards


def _actions(policy: Policy, states: Reals, spec: Spec) -> Reals:
    actions = np.asarray(policy(states), dtype=np.float64)
    if actions.shape != (len(states), len(spec.actions)) or not np.isfinite(actions).all():
        raise LearnerError(
            f"The controller gave actions of shape {actions.shape} for {len(states)} episodes of "
            f"{len(spec.actions)} actions, or some that are no numbers; the model is broken: learn "
            "again from version 0 with `nightschool night --rebuild`."
        )
    held: Reals = np.clip(actions, spec.low, spec.high)
    return held


@dataclass(frozen=True, eq=False)
class Task:
    """An episode of the task: where it starts, (q,), what is measured there, (s,), how long."""

    system: str
    start: Reals
    state: Reals
    steps: int

    def document(self) -> Document:
        """The episode as an exam item's context."""
        body = {
            "system": self.system,
            "start": self.start.tolist(),
            "state": self.state.tolist(),
            "steps": self.steps,
        }
        return Document(json.dumps(body, sort_keys=True), TASK)

    @classmethod
    def of(cls, document: Document) -> Task:
        """The reverse of `document`; ExamError when it is no task."""
        body = _read(document, TASK)
        try:
            start, state = (np.array(body[k], dtype=np.float64) for k in ("start", "state"))
            return cls(str(body["system"]), start, state, int(body["steps"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ExamError(f"{document.body[:60]!r} is no task ({error}).") from error


def task_document(simulator: Simulator, start: Reals, seed: int) -> Document:
    """The episode of the simulator's task that begins at a start (q,), measured once."""
    state = simulator.begin(start, seed)
    simulator.stop()
    return Task(simulator.spec.name, start, state, simulator.horizon).document()


def task_items(
    simulator: Simulator, controller: ControllerFactory, n: int, seed: int
) -> list[ExamItem]:
    """At most n episodes with the returns that their marks lie between, computed here.

    They are those of doing nothing, of random actions (a mean), and of the controller, which is
    given the true simulator by whoever makes it. Where the controller gains less than a tenth of
    what it gains elsewhere (the median), the episode tells nothing and is left out. ExamError
    when nothing can be gained anywhere.
    """
    spec, steps = simulator.spec, simulator.horizon
    rng = np.random.default_rng([seed, 7])
    documents = [
        task_document(simulator, start, int(rng.integers(_SEEDS)))
        for start in simulator.starts(n, seed)
    ]
    states = np.stack([Task.of(document).state for document in documents])
    rest = np.broadcast_to(np.clip(0.0, spec.low, spec.high), (n, steps, len(spec.actions)))
    tried = [held_actions(rng, spec, n, steps) for _ in range(_RANDOM_RUNS)]
    nothing = _open_loop(simulator, states, rest)
    random = np.mean([_open_loop(simulator, states, actions) for actions in tried], axis=0)
    best = run_episodes(simulator, controller(simulator.reward, n, seed), states, steps).sum(axis=1)
    gains = best - nothing
    worth = gains > _WORTHWHILE * max(float(np.median(gains)), 0.0)
    if not worth.any():
        raise ExamError(
            f"On {spec.name} the controller gains nothing over doing nothing, even with the true "
            "simulator; its search, or the task's reward, is at fault."
        )
    found = np.stack([nothing, random, best], axis=1).tolist()
    bounds = [dict(zip(("nothing", "random", "best"), row, strict=True)) for row in found]
    return [
        _item(document, Document(json.dumps(bound, sort_keys=True), TASK_RETURNS), TASK_GROUP)
        for document, bound, kept in zip(documents, bounds, worth, strict=True)
        if kept
    ]


def trajectory_items(
    simulator: Simulator,
    controller: ControllerFactory | None,
    n: int,
    steps: int,
    seed: int,
    group: str,
) -> list[ExamItem]:
    """n held-out experiments of so many steps with what came of them, sensor noise and all.

    Without a controller the actions are random, each held for 3 to 10 steps; with one, every
    trial is under its control, by what is measured.
    """
    rng = np.random.default_rng([seed, 8])
    random = held_actions(rng, simulator.spec, n, steps)
    items = []
    for i, start in enumerate(simulator.starts(n, seed)):
        own = int(rng.integers(_SEEDS))
        policy = controller(simulator.reward, 1, own) if controller else _played(random[i])
        done = _trial(simulator, policy, start, steps, own)
        experiment = Experiment(done.system, start, done.states[0], done.actions)
        items.append(_item(experiment.document(), done.document(), group))
    return items


def held_actions(rng: np.random.Generator, spec: Spec, n: int, steps: int) -> Reals:
    """n sequences of uniform random actions, each held for 3 to 10 steps: (n, steps, a)."""
    low, high = np.array(spec.low), np.array(spec.high)
    made = np.empty((n, steps, len(low)))
    for row in made:
        t = 0
        while t < steps:
            length = int(rng.integers(_SHORTEST, _LONGEST + 1))
            row[t : t + length] = rng.uniform(low, high)
            t += length
    return made


def _trial(simulator: Simulator, policy: Policy, start: Reals, steps: int, seed: int) -> Trajectory:
    states, sent = [simulator.begin(start, seed)], []
    for _ in range(steps):
        sent.append(_actions(policy, states[-1][None], simulator.spec)[0])
        states.append(simulator.step(sent[-1]))
    simulator.stop()
    return Trajectory(simulator.spec.name, np.array(states), np.array(sent))


def _played(actions: Reals) -> Policy:
    """A policy that does what was written down, (t, a), whatever it sees."""
    rows = iter(actions)
    return lambda states: next(rows)[None]


def _open_loop(simulator: Simulator, states: Reals, actions: Reals) -> Reals:
    rewards = simulator.reward(simulator.rollout(states, actions), actions)
    total: Reals = rewards.sum(axis=1)
    return total


def _item(context: Document, accepted: Document, group: str) -> ExamItem:
    return ExamItem(item_id(context), context, (accepted,), group, "file")


def _trajectories(answers: Sequence[Answer]) -> tuple[Document, ...]:
    """What came of each person's newest try."""
    given = [answer.document for answer in latest_of_each(answers)]
    return tuple(d for d in given if d is not None and d.kind == TRAJECTORY)


def _bounds(item: ExamItem) -> dict[str, float]:
    """The returns that the marks of an episode lie between."""
    try:
        body = _read(item.accepted[0], TASK_RETURNS)
        bounds = {name: float(value) for name, value in body.items()}
        if bounds["nothing"] < bounds["best"] and np.isfinite(list(bounds.values())).all():
            return bounds
    except (IndexError, KeyError, TypeError, ValueError):
        pass  # said below, with the cure
    raise ExamError(
        f"The episode {item.id} has no returns to be marked by: it needs two numbers, nothing "
        "and best, the first below the second."
    )


def _between(value: float, worst: float, best: float) -> float:
    share = (value - worst) / (best - worst)
    return min(max(float(share), 0.0), 1.0) if math.isfinite(share) else 0.0


def _read(document: Document, kind: str) -> Any:
    try:
        body = json.loads(document.body) if document.kind == kind else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ExamError(f"{document.body[:60]!r} is no document of kind {kind}.")
    return body
