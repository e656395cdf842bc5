"""A small swinging system whose motion is known, so that nothing needs to be installed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nightschool.learners.dynamics import KIND, settings_for
from nightschool.testing.learners import MemoryDataset
from nightschool.types import Context, ExamItem, Example
from nightschool.types.trajectory import Experiment, Spec, Trajectory

torch.set_num_threads(1)

INF = float("inf")
SPEC = Spec(
    "swing",
    ("angle", "weight", "speed"),
    ("push",),
    low=(-1.0,),
    high=(1.0,),
    safe_low=(-INF, -INF, -INF),
    safe_high=(INF, INF, INF),
    angles=(0,),
    seconds=0.1,
    steps=12,
)
QUICK = {**settings_for(SPEC), "steps": 60, "checkpoint": 25, "hidden": 24, "horizon": 10}


def physics(states, actions):
    """The truth: states (n, 3), actions (n, t, 1) -> (n, t, 3); the weight never changes."""
    angle, weight, speed = states.T
    after = []
    for t in range(actions.shape[1]):
        speed = speed + 0.1 * (-4 * np.sin(angle) + 3 * actions[:, t, 0])
        angle = angle + 0.1 * speed
        after.append(np.stack([angle, weight, speed], axis=1))
    return np.stack(after, axis=1)


def experiments(n, seed, steps=12):
    rng = np.random.default_rng(seed)
    starts = rng.uniform((-1.0, 0.0, -1.0), (1.0, 1.0, 1.0), (n, 3))
    pushes = np.repeat(rng.uniform(-1, 1, (n, -(-steps // 4), 1)), 4, axis=1)[:, :steps]
    return [Experiment("swing", s, s, a) for s, a in zip(starts, pushes, strict=True)]


def tried(experiment, noise=0.002, seed=0, until=None):
    after = physics(experiment.state[None], experiment.actions[None])[0]
    states = np.concatenate([experiment.state[None], after])
    error = noise * np.random.default_rng(seed).standard_normal(states.shape)
    error[:, 1] = 0.0
    k = until or len(experiment.actions)
    ended = "" if until is None else "stopped"
    return Trajectory("swing", (states + error)[: k + 1], experiment.actions[:k], ended)


def contexts(n, seed):
    return [Context(e.document(), "pool", f"g{i % 2}") for i, e in enumerate(experiments(n, seed))]


def example(experiment, seed, weight=1.0):
    name = f"{seed:032x}"
    target = tried(experiment, seed=seed).document()
    return Example(name, experiment.document(), target, weight, (name,), 1)


def item(trajectory, name="i"):
    context = Experiment("swing", trajectory.states[0], trajectory.states[0], trajectory.actions)
    return ExamItem(name, context.document(), (trajectory.document(),), "", "bank")


def dataset(n=6, seed=1):
    made = experiments(n, seed)
    new = [example(e, i) for i, e in enumerate(made[2:])]
    return MemoryDataset(
        new, texts=[tried(e, seed=90 + i).document() for i, e in enumerate(made[:2])]
    )


@pytest.fixture(scope="session")
def untaught():
    return KIND.begin("", QUICK)


@pytest.fixture(scope="session")
def taught(untaught, tmp_path_factory):
    return untaught.fit(dataset(), seed=3, workspace=tmp_path_factory.mktemp("night"))
