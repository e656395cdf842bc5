"""A larger recipe on the same answers: would it do, where more answers will not?"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit
from safetensors import safe_open
from tomlkit.exceptions import TOMLKitError

from nightschool.app import parts
from nightschool.app.limits.cache import Cache
from nightschool.app.limits.lessons import fenced, scores, taught
from nightschool.app.school import School
from nightschool.app.tasks.words import STARTER, starter_folder
from nightschool.exams.text import bank_hash
from nightschool.limits import Forecast, Point, forecast
from nightschool.types import (
    TEXT,
    ConfigError,
    Context,
    Dataset,
    ExamItem,
    Example,
    Learner,
    Progress,
    uniform,
)

SHARES = (0.0, 0.25, 0.5, 1.0)
"""Shares of the manifest's examples on which a recipe is measured; nested, drawn by a key."""

PRESENT = "present"


@dataclass(frozen=True)
class Measured:
    """A recipe, taught from nothing on shares of the newest manifest and examined each time.

    `parameters` is the size of the model; `marks` are those of each item after all answers.
    """

    name: str
    points: tuple[Point, ...]
    parameters: int
    marks: Mapping[str, float]

    @property
    def score(self) -> float:
        """Its mean mark after all answers, in [0, 1]."""
        return self.points[-1].score

    @property
    def forecast(self) -> Forecast:
        """What its own curve promises."""
        return forecast(self.points)


def measure_larger(
    school: School, candidates: Sequence[str], progress: Progress | None = None
) -> list[Measured]:
    """The present recipe and each candidate, on the same examples, seeds and exam items.

    A candidate is a model (a folder or NAME@REVISION) or settings of the learner,
    `KEY=VALUE[,KEY=VALUE]`. All of them learn in one go from their first version, on nested
    shares of the examples, and sit today's exam, which holds no example. Costs three fits and
    four exams for each recipe; kept in the school's folder.
    """
    if school.kind != TEXT:
        raise ConfigError(
            f"Larger recipes are measured in schools of text only; this one is of {school.kind}s."
        )
    items = school.examiner.marked()
    dataset = fenced(school)
    examples = shuffled(dataset.new, school.warehouse.trainee().seed)
    if not items or len(examples) < 1 / SHARES[1]:
        raise ConfigError(
            f"A recipe is measured on an exam and at least 4 examples; there are {len(items)} "
            f"items and {len(examples)} examples. Answer more questions and run a night."
        )
    names = [PRESENT, *candidates]
    steps = len(names) * len(SHARES)
    found = []
    for place, name in enumerate(names):

        def tell(done: int, place: int = place) -> None:
            if progress is not None:
                progress(place * len(SHARES) + done, steps)

        found.append(_measure(school, name, items, examples, dataset, tell))
    return found


def shuffled(examples: Sequence[Example], key: int) -> list[Example]:
    """The examples in an order drawn by a key; the order they come in does not matter."""
    ids = np.array([Context(e.context).id for e in examples], dtype=np.uint64)
    return [examples[i] for i in np.lexsort((ids, uniform(ids, key)))]


def _measure(
    school: School,
    name: str,
    items: Sequence[ExamItem],
    examples: Sequence[Example],
    dataset: Dataset,
    tell: Callable[[int], None],
) -> Measured:
    """One recipe on each share of the examples, from the cache where it was measured before."""
    source, settings = recipe_of(school, name)
    seed = school.warehouse.trainee().seed
    cache = Cache(school.folder)
    model = (source, stamp(Path(source)), sorted(settings.items()))
    facts = (model, dataset.manifest.hash, bank_hash(items), seed)
    kept = cache.find("recipe", facts)
    if kept is not None:
        before = tuple(Point(*point) for point in kept["points"])
        return Measured(name, before, kept["parameters"], kept["marks"])
    start = parts.learner_kind(school.config.learner).begin(source, settings)
    points: list[Point] = []
    marks: dict[str, float] = {}
    for done, share in enumerate(SHARES, 1):
        lesson = examples[: round(share * len(examples))]
        marks = scores(school, taught(start, lesson, dataset, seed), items)
        points.append(Point(len(lesson), sum(marks.values()) / len(marks), len(marks)))
        tell(done)
    size = stored_parameters(start)
    value = {"points": [list(astuple(p)) for p in points], "parameters": size, "marks": marks}
    cache.keep("recipe", facts, value)
    return Measured(name, tuple(points), size, marks)


def recipe_of(school: School, name: str) -> tuple[str, dict[str, Any]]:
    """Where a recipe's model lies and its settings: the school's own, changed as `name` says."""
    model = school.warehouse.meta("model") or STARTER
    source = str(starter_folder()) if model == STARTER else model
    settings = dict(school.config.learner_settings)
    if name == PRESENT:
        return source, settings
    if "=" not in name:
        return name, settings
    for pair in name.split(","):
        key, _, value = pair.partition("=")
        settings[key.strip()] = _value(value.strip())
    parts.learner_kind(school.config.learner).check(settings)
    return source, settings


def stamp(folder: Path) -> list[tuple[str, int, int]]:
    """The files of a model's folder with size and time: another model there is another recipe."""
    files = sorted(folder.rglob("*")) if folder.is_dir() else []
    found = [(str(f), f.stat()) for f in files if f.is_file()]
    return [(name, s.st_size, s.st_mtime_ns) for name, s in found]


def _value(text: str) -> Any:
    """A setting as TOML reads it; a bare word is a text."""
    try:
        return tomlkit.parse(f"value = {text}").unwrap()["value"]
    except TOMLKitError:
        return text


def stored_parameters(learner: Learner) -> int:
    """How many numbers a learner keeps in its weights, its encoder's among them."""
    with tempfile.TemporaryDirectory(prefix="nightschool-") as folder:
        learner.save(Path(folder))
        total = 0
        for path in Path(folder).rglob("*.safetensors"):
            with safe_open(path, framework="numpy") as file:
                names = list(file.keys())
                total += sum(math.prod(file.get_slice(name).get_shape()) for name in names)
        return total
