"""A cart on a rail, computed with NumPy, on which anything can go wrong at a chosen call."""

from __future__ import annotations

import numpy as np

from nightschool.types import Context, Experiment, Partition, Question, Spec

SPEC = Spec(
    name="cart",
    states=("place", "speed"),
    actions=("push",),
    low=(-1.0,),
    high=(1.0,),
    safe_low=(-2.0, -float("inf")),
    safe_high=(2.0, float("inf")),
    angles=(),
    seconds=0.1,
    steps=10,
)


class Cart:
    """`trouble` maps a call ("begin", "step 3", "stop") to what happens instead of its return."""

    spec = SPEC

    def __init__(self, **trouble):
        self.trouble = {name.replace("_", " "): act for name, act in trouble.items()}
        self.calls, self.seeds, self.actions = [], [], []
        self.state = np.zeros(2)

    def _done(self, name):
        self.calls.append(name)
        return self.trouble[name]() if name in self.trouble else self.state.copy()

    def begin(self, start, seed):
        self.actions = []
        self.seeds.append(seed)
        self.state = np.asarray(start, dtype=float)
        return self._done("begin")

    def step(self, action):
        self.actions.append(np.array(action))
        speed = self.state[1] + 0.1 * action[0]
        self.state = np.array([self.state[0] + 0.1 * speed, speed])
        return self._done(f"step {len(self.actions)}")

    def stop(self):
        self._done("stop")


def raising(error):
    def act():
        raise error

    return act


def ask(actions=((0.5,),) * 6, start=(0.0, 0.0), system="cart"):
    made = Experiment(system, np.array(start), np.array(start), np.array(actions, dtype=float))
    return question(made.document())


def question(document):
    return Question("q1", Context(document), Partition.TRAINING, "random", 0.0, "v0", 1, 0)
