"""The stop set: what successive versions say of the same contexts, whose answers nobody knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nightschool.app.limits.cache import Cache
from nightschool.app.school import School
from nightschool.limits import WINDOW, Stability, stability
from nightschool.types import (
    Context,
    LearnerError,
    Partition,
    Progress,
    Version,
    WarehouseError,
    uniform,
)

CONTEXTS = 1000
"""Contexts of the stop set (Bloodgood and Vijay-Shanker use 2000 and find a few hundred enough)."""

KEY = 20_091
"""The stop set is the same every day while the pool is."""


def stop_set(school: School, n: int = CONTEXTS) -> list[Context]:
    """At most n contexts of the training partition, answered or not, drawn by a fixed key."""
    pool = school.warehouse.contexts(Partition.TRAINING)
    ids = np.array([c.id for c in pool], dtype=np.uint64)
    order = np.lexsort((ids, uniform(ids, KEY)))
    return [pool[i] for i in order[:n]]


def measure_stability(
    school: School, versions: int = WINDOW + 1, progress: Progress | None = None
) -> Stability:
    """How much the newest versions agree with each other on the stop set.

    Costs one prediction of the stop set for each version; kept in the school's folder. Versions
    whose weights were thrown away are passed over.
    """
    contexts = stop_set(school)
    if not contexts:
        return Stability((), 0)
    asked = [c.id for c in contexts]
    line = school.warehouse.versions()[-versions:]
    said = []
    for done, version in enumerate(line, 1):
        found = _predictions(school, version, contexts, asked)
        if found is not None:
            said.append(found)
        if progress is not None:
            progress(done, len(line))
    return stability(said)


def _predictions(
    school: School, version: Version, contexts: Sequence[Context], asked: Sequence[int]
) -> list[str] | None:
    cache = Cache(school.folder)
    facts = (version.weights, version.recipe, asked)
    kept = cache.find("predictions", facts)
    if kept is None:
        try:
            learner = school.learner(version)
        except (WarehouseError, LearnerError):  # its weights may have been thrown away
            return None
        kept = [d.digest.hex()[:16] for d in learner.predict(contexts)]
        cache.keep("predictions", facts, kept)
    return list(map(str, kept))
