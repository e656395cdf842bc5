"""Nights as runs of an MLflow experiment that has the school's name."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.types import NightReport

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

SAME = "tags.school = '{night.id}' and tags.night = '{night.verdict.night}'"
"""The runs of one night of one school: others may have a folder of the same name."""

LONGEST = 500
"""MLflow refuses longer values of parameters and tags on some stores."""


class MlflowTracker:
    """One run a night, in the store that MLFLOW_TRACKING_URI names, else in the school's folder.

    A night that is reported again (because it was resumed) takes the place of its earlier run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def report(self, night: NightReport) -> None:
        """Add the night; raises what MLflow raises."""
        # A school at night is not to talk to anybody but the store it was told of.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=self._store())
        experiment = client.get_experiment_by_name(night.school)
        number = experiment.experiment_id if experiment else client.create_experiment(night.school)
        for old in client.search_runs([number], SAME.format(night=night)):
            client.delete_run(old.info.run_id)
        made = client.create_run(number, run_name=f"night {night.verdict.night}", tags=tags(night))
        _fill(client, made.info.run_id, night)

    def _store(self) -> str:
        told = os.environ.get("MLFLOW_TRACKING_URI")
        if told:
            return told
        self._folder.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self._folder.resolve() / 'mlflow.db'}"


def _fill(client: MlflowClient, run: str, night: NightReport) -> None:
    for name, value in params(night).items():
        client.log_param(run, name, value)
    for name, number in night.metrics().items():
        client.log_metric(run, name, number, step=night.verdict.night)
    client.set_terminated(run)


def params(night: NightReport) -> dict[str, str]:
    """What a version is a pure function of: where it began, recipe, manifest, seed."""
    recipe = json.dumps({"learner": night.version.recipe.learner, **night.version.recipe.settings})
    return {
        "parent": night.version.parent,
        "recipe": recipe[:LONGEST],
        "manifest": night.version.manifest,
        "seed": str(night.version.seed),
    }


def tags(night: NightReport) -> dict[str, str]:
    """What the night decided, and whose it was."""
    return {
        "school": night.id,
        "night": str(night.verdict.night),
        "verdict": night.verdict.decision.value,
        "version": night.version.id,
        "serves": night.verdict.serves,
        "reason": night.verdict.reason[:LONGEST],
    }
