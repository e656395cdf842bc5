"""Random experiments, and trials in a simulator, where nothing can go wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nightschool.types import Experiment, Reals, Simulator, Spec, System, Trajectory

SHORTEST, LONGEST = 3, 10
"""Steps for which a piecewise-constant random action is held."""


def experiments(system: Simulator, n: int, seed: int, noise: str) -> Iterator[Experiment]:
    """n random experiments from the system's own starts."""
    spec = system.spec
    rng = np.random.default_rng([seed, 5])
    for start in system.starts(n, seed):
        state = system.begin(start, int(rng.integers(2**31)))
        actions = white(rng, spec) if noise == "white" else held(rng, spec)
        yield Experiment(spec.name, start, state, actions)


def white(rng: np.random.Generator, spec: Spec) -> Reals:
    """Independent uniform actions, (steps, a): they cancel out, and flatter whoever plans."""
    return rng.uniform(spec.low, spec.high, (spec.steps, len(spec.low)))


def held(rng: np.random.Generator, spec: Spec) -> Reals:
    """Piecewise-constant uniform actions, (steps, a): the honest random baseline."""
    rows: list[Reals] = []
    while len(rows) < spec.steps:
        rows += [rng.uniform(spec.low, spec.high)] * int(rng.integers(SHORTEST, LONGEST + 1))
    return np.array(rows[: spec.steps])


def run(system: System, experiment: Experiment, seed: int) -> Trajectory:
    """An experiment's whole trajectory, where nothing can go wrong: in a simulator."""
    states = [system.begin(experiment.start, seed)]
    states += [system.step(action) for action in experiment.actions]
    return Trajectory(experiment.system, np.array(states), experiment.actions)
