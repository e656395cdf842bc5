"""The models of a school's versions, loaded when they are needed."""

from __future__ import annotations

from typing import cast

from nightschool.app import parts
from nightschool.app.config import Config
from nightschool.timeline import LOADING, during
from nightschool.types import Generator, Learner, LearnerError, Version
from nightschool.warehouse import Warehouse

KEPT = 3
"""Models in memory: champion, challenger and the champion before."""


class Models:
    """Loads versions by their recipe; the last few are kept in memory."""

    def __init__(self, warehouse: Warehouse, config: Config) -> None:
        self._warehouse = warehouse
        self._config = config
        self._loaded: dict[str, Learner] = {}

    def learner(self, version: Version) -> Learner:
        """The model of a version, ready to fit, observe and predict."""
        found = self._loaded.get(version.id)
        if found is None:
            with during(LOADING):
                kind = parts.learner_kind(version.recipe.learner)
                path = self._warehouse.weights_path(version)
                found = kind.load(path, self._config.learner_settings)
            self.remember(version, found)
        return found

    def generator(self, version: Version) -> Generator:
        """The model of a version, ready to complete texts; LearnerError if it cannot."""
        learner = self.learner(version)
        if not hasattr(learner, "complete"):
            raise LearnerError(
                f"Learner {version.recipe.learner!r} does not complete texts; "
                "the completions API needs a language model."
            )
        return cast(Generator, learner)

    def remember(self, version: Version, learner: Learner) -> None:
        """Keep a model in memory, and let the oldest go."""
        self._loaded[version.id] = learner
        for old in list(self._loaded)[:-KEPT]:
            self._loaded.pop(old, None)
