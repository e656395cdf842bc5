"""The dynamics learner: an experiment is the context, the trajectory that came of it the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nightschool.learners.dynamics import scoring
from nightschool.learners.dynamics.cem import Controller, Rollout, Search
from nightschool.learners.dynamics.ensemble import Ensemble, fresh
from nightschool.learners.dynamics.lesson import lesson_of, read_lesson
from nightschool.learners.dynamics.planning import outlook, plan_experiments
from nightschool.learners.dynamics.settings import Settings, parse
from nightschool.learners.dynamics.storing import load_model, save_model
from nightschool.learners.dynamics.training import teach
from nightschool.types import (
    EXPERIMENT,
    Blocks,
    Context,
    Dataset,
    Document,
    ExamItem,
    Floats,
    Learner,
    LearnerError,
    Observation,
    Progress,
    Recipe,
    uniform,
)
from nightschool.types.trajectory import Experiment, Policy, Reals, Reward, Trajectory


@dataclass(frozen=True, eq=False)
class Dynamics:
    """A probabilistic ensemble of dynamics models (PETS: Chua et al. 2018)."""

    recipe: Recipe
    ensemble: Ensemble

    @property
    def settings(self) -> Settings:
        """The system, and how it is learned, explored and controlled."""
        return self.ensemble.settings

    def fit(
        self, dataset: Dataset, *, seed: int, workspace: Path, progress: Progress | None = None
    ) -> Dynamics:
        """A new ensemble fitted to everything known; goes on from a checkpoint.

        Itself when there is no trajectory at all.
        """
        lesson = read_lesson(dataset, self.settings, seed)
        if not len(lesson):
            return self
        return Dynamics(self.recipe, teach(self.settings, lesson, seed, workspace, progress))

    def observe(
        self, contexts: Sequence[Context], *, asked: Sequence[Context] = (), seed: int
    ) -> Blocks:
        """Experiments as the members' predictions along the mean rollout.

        `values` (s, n, m) are predicted changes in units of the usual step, for each moving
        coordinate at a few moments; `noise` (m,) their variance; `embeddings` (n, d) and `asked`
        (a, d) the normalised states and actions at those moments.
        """
        before = self._places(asked)
        blocks, size = [], self.settings.block
        for start in range(0, len(contexts), size):
            part = contexts[start : start + size]
            seen = outlook(self.ensemble, self._experiments(part))
            blocks.append(
                Observation(
                    np.array([c.id for c in part], dtype=np.uint64),
                    embeddings=seen.places.numpy(),
                    values=seen.changes.numpy(),
                    noise=np.tile(self.ensemble.noise, self.settings.moments),
                    asked=before,
                )
            )
        return blocks

    def write(
        self,
        pool: Sequence[Context],
        n: int,
        *,
        asked: Sequence[Context] = (),
        declined: Sequence[Context] = (),
        seed: int,
    ) -> Sequence[Context]:
        """At most n experiments of its own, from starts of the pool, that would tell most.

        Planned by the cross-entropy method for information along the mean rollout (MAX: Shyam et
        al. 2019). Starts are drawn by id, so the pool's order is moot.
        """
        if not pool or n <= 0:
            return []
        draws = uniform([c.id for c in pool], seed)
        chosen = [pool[i] for i in np.argsort(draws, kind="stable")[: min(n, self.settings.plans)]]
        each = -(-n // len(chosen))
        rng = np.random.default_rng([seed % 2**63, 3])
        made = plan_experiments(self.ensemble, self._experiments(chosen), each, rng)
        groups = [c.group for c in chosen for _ in range(each)]
        known = {c.id for c in (*pool, *asked)}
        written: dict[int, Context] = {}
        for experiment, group in zip(made, groups, strict=True):
            context = Context(experiment.document(), "written", group)
            if context.id not in known:
                written.setdefault(context.id, context)
        return list(written.values())[:n]

    def check(self, body: str) -> str:
        """Why the experiment of that body cannot be asked; empty when it can."""
        try:
            self._experiments([Context(Document(body, EXPERIMENT))])
        except LearnerError as error:
            return str(error)
        return ""

    def predict(self, contexts: Sequence[Context]) -> Sequence[Document]:
        """The mean rollout of each experiment, as a trajectory."""
        documents = []
        for experiment in self._experiments(contexts):
            path, _ = self.ensemble.expect(experiment.state[None], experiment.actions[None])
            states = path[0].numpy().astype(np.float64)
            states[0] = experiment.state
            made = Trajectory(experiment.system, states, experiment.actions)
            documents.append(made.document())
        return documents

    def mark(self, items: Sequence[ExamItem]) -> Sequence[float]:
        """How well each item's trajectories are predicted, in [0, 1]: see `scoring.mark`."""
        return [
            float(np.mean([scoring.mark(self.ensemble, Trajectory.of(a)) for a in item.accepted]))
            for item in items
        ]

    def step_errors(self, trajectories: Sequence[Trajectory], steps: Sequence[int]) -> Reals:
        """Errors after so many steps, (n, len(steps)): see `scoring.step_errors`."""
        return scoring.step_errors(self.ensemble, trajectories, steps)

    def coverage(self, trajectories: Sequence[Trajectory], level: float) -> Reals:
        """Share of one-step truths inside the central interval of that level, (n,)."""
        return scoring.coverage(self.ensemble, trajectories, level)

    def controller(
        self, reward: Reward, *, episodes: int, seed: int, rollout: Rollout | None = None
    ) -> Policy:
        """Model-predictive control of so many episodes at once, from their first step on.

        With `rollout` exactly the same controller uses that model instead of its own: a
        simulator's, for the best return that there is.
        """
        s = self.settings
        low, high = np.array(s.low), np.array(s.high)
        return Controller(
            rollout or self.ensemble.rollout,
            reward,
            low,
            high,
            Search(s.samples, s.rounds),
            np.tile((low + high) / 2, (episodes, s.horizon, 1)),
            np.random.default_rng([seed % 2**63, 4]),
        )

    def save(self, folder: Path) -> None:
        """model.safetensors and settings.json."""
        save_model(self.ensemble, folder)

    def _experiments(self, contexts: Sequence[Context]) -> list[Experiment]:
        experiments = [Experiment.of(c.document) for c in contexts]
        s, a = self.settings.states, len(self.settings.low)
        for experiment in experiments:
            if (len(experiment.state), experiment.actions.shape[1]) != (s, a):
                raise LearnerError(
                    f"An experiment on {experiment.system!r} has {len(experiment.state)} "
                    f"coordinates and {experiment.actions.shape[1]} actions; this model of "
                    f"{self.settings.system!r} has {s} and {a}."
                )
        return experiments

    def _places(self, contexts: Sequence[Context]) -> Floats:
        if not contexts:
            width = len(self.ensemble.arrays["centre"]) * self.settings.moments
            return np.empty((0, width), np.float32)
        places: Floats = outlook(self.ensemble, self._experiments(contexts)).places.numpy()
        return places


class DynamicsKind:
    """The entry point: begins knowing nothing, comes back from a folder."""

    def check(self, settings: Mapping[str, object]) -> None:
        """Raises LearnerError for a setting that it does not know."""
        parse(settings)

    def begin(self, source: str, settings: Mapping[str, object]) -> Learner:
        """Untaught members for the system that the settings name; `source` is not used.

        The recorded trajectories of the original dataset teach it in the first night.
        """
        chosen = parse(settings)
        chosen.check_system()
        ensemble = fresh(chosen, lesson_of([], chosen), 0)
        return Dynamics(Recipe("dynamics", dict(settings)), ensemble)

    def load(self, folder: Path, settings: Mapping[str, object]) -> Learner:
        """A learner from a folder that `save` wrote."""
        ensemble = load_model(folder, settings)
        return Dynamics(Recipe("dynamics", dict(settings)), ensemble)


KIND = DynamicsKind()
