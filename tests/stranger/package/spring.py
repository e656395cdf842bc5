"""A stranger's laboratory: a mass on a spring, and somebody who works it by hand."""

import json

import numpy as np

from nightschool.types import Document, Reply, Said, Spec

SECONDS, STIFFNESS, FRICTION = 0.1, 4.0, 0.3


def pulled(states, forces):
    """States (..., 2) after one step under forces (...)."""
    speed = states[..., 1] + SECONDS * (
        forces - STIFFNESS * np.sin(states[..., 0]) - FRICTION * states[..., 1]
    )
    return np.stack([states[..., 0] + SECONDS * speed, speed], axis=-1)


class Spring:
    """A simulator: the spring is stiffer near the middle; the task is to hold it at 1."""

    horizon = 15
    spec = Spec(
        "spring", ("place", "speed"), ("force",), (-3.0,), (3.0,), (-9.0, -9.0), (9.0, 9.0),
        (), SECONDS, 12,
    )  # fmt: skip

    def __init__(self, noise: float = 0.001):
        self.noise = noise
        self.state, self.random = np.zeros(2), np.random.default_rng(0)

    def begin(self, start, seed):
        self.random = np.random.default_rng(seed)
        self.state = np.array(start, dtype=float)
        return self._measured()

    def step(self, action):
        self.state = pulled(self.state, np.asarray(action)[0])
        return self._measured()

    def stop(self):
        pass

    def _measured(self):
        return self.state + self.noise * self.random.standard_normal(2)

    def starts(self, n, seed):
        return np.random.default_rng(seed).uniform(-1.0, 0.0, (n, 2))

    def reward(self, states, actions):
        return -((states[..., 0] - 1.0) ** 2) - 0.001 * actions[..., 0] ** 2

    def rollout(self, states, actions):
        ahead = []
        for t in range(actions.shape[1]):
            states = pulled(states, actions[:, t, 0])
            ahead.append(states)
        return np.stack(ahead, axis=1)


class ByHand:
    """An oracle of its own kind: no driver, no limits, a person at a bench."""

    person = "bench"

    def answer(self, question):
        asked = json.loads(question.context.document.body)
        states = [np.array(asked["state"])]
        for (force,) in asked["actions"]:
            states.append(pulled(states[-1], force))
        body = {
            "system": asked["system"],
            "states": [[float(f"{v:.9g}") for v in s] for s in states],
            "actions": asked["actions"],
            "ended": "",
        }
        document = Document(json.dumps(body, sort_keys=True), "trajectory")
        return Said(Reply.ANSWER, document, 60.0)
