"""The exam of a simulator's school: held-out trajectories, and episodes of its task.

Half of the trajectories are random, half come from a controller that plans with the true
simulator; so do the best returns of the episodes. That takes seconds to minutes, and is the same
for everybody: it is computed once for a system and a seed, and kept in the cache folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from nightschool.app import exam_file
from nightschool.exams.control import task_items, trajectory_items
from nightschool.exams.text import item_id
from nightschool.types import (
    ExamItem,
    Experiment,
    NightschoolError,
    Policy,
    Progress,
    Reward,
    Simulator,
    Spec,
    Trajectory,
)

TRAJECTORIES = 20
"""Held-out trajectories of each half: as many as a lost skill needs to be told."""

EPISODES = 5
VERSION = "2"
"""Changed with whatever changes an exam's items: a cache of another version is not read."""


def control_items(
    system: Simulator, seed: int, progress: Progress | None = None
) -> Sequence[ExamItem]:
    """The items for a seed, from the cache where they are there."""
    settings = {name: getattr(system.spec, name) for name in Spec.__dataclass_fields__}
    facts = [
        VERSION,
        seed,
        behaviour(system),
        TRAJECTORIES,
        EPISODES,
        sorted(settings.items()),
        system.horizon,
    ]
    path = cache_folder() / f"exam-{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}.jsonl"
    try:
        return exam_file.decode(path.read_bytes())
    except (OSError, ValueError, KeyError, NightschoolError):
        pass  # not there, or broken: it is made (again)
    packed = exam_file.encode(made(system, seed, progress))
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_bytes(packed)
    os.replace(new, path)
    return exam_file.decode(packed)


def behaviour(system: Simulator) -> list[object]:
    """What a system is and does: changed, it has another exam."""
    spec = system.spec
    starts = system.starts(2, 0)
    states = np.stack([system.begin(start, 0) for start in starts])
    actions = np.broadcast_to(np.array(spec.high), (2, 5, len(spec.high)))
    ahead = system.rollout(states, actions)
    felt = [np.round(a, 6).tolist() for a in (states, ahead, system.reward(ahead, actions))]
    return [type(system).__qualname__, getattr(system, "noise", None), felt]


def made(system: Simulator, seed: int, progress: Progress | None = None) -> list[ExamItem]:
    """The items, computed."""
    from nightschool.learners.dynamics import KIND, Dynamics, settings_for

    told = progress or (lambda done, total: None)
    planner = cast(Dynamics, KIND.begin("", settings_for(system.spec)))

    def controller(reward: Reward, episodes: int, number: int) -> Policy:
        return planner.controller(reward, episodes=episodes, seed=number, rollout=system.rollout)

    steps, whole = system.spec.steps, system.horizon
    items = trajectory_items(system, None, TRAJECTORIES, steps, seed, "random")
    told(1, 3)
    runs = -(-TRAJECTORIES * steps // whole)
    controlled = trajectory_items(system, controller, runs, whole, seed + 1, "controller")
    items += [piece for item in controlled for piece in pieces(item, steps)][:TRAJECTORIES]
    told(2, 3)
    items += task_items(system, controller, EPISODES, seed + 2)
    told(3, 3)
    return items


def pieces(item: ExamItem, steps: int) -> list[ExamItem]:
    """A long trajectory as several, each as long as an experiment.

    A controller's whole episodes are recorded, for it takes a while until it is where random
    actions never come: a pendulum must be swung up first.
    """
    done = Trajectory.of(item.accepted[0])
    cuts = []
    for at in range(0, len(done.actions) - steps + 1, steps):
        states, actions = done.states[at : at + steps + 1], done.actions[at : at + steps]
        context = Experiment(done.system, states[0], states[0], actions).document()
        accepted = Trajectory(done.system, states, actions).document()
        cuts.append(ExamItem(item_id(context), context, (accepted,), item.group, item.source))
    return cuts


def cache_folder() -> Path:
    """Where computed exams are kept: NIGHTSCHOOL_CACHE, or the user's cache folder."""
    named = os.environ.get("NIGHTSCHOOL_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(named) if named else Path(base) / "nightschool"
