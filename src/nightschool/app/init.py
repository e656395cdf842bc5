"""Begin a school: a folder, a model, its original dataset, perhaps a pool and a test file."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nightschool.app import parts
from nightschool.app.config import TABLES, Config, check_parts, make_config, write_config
from nightschool.app.school import School
from nightschool.app.tasks import Task, WordsTask
from nightschool.types import ConfigError, Learner, Progress
from nightschool.warehouse import Warehouse


def init_school(
    folder: Path,
    task: Task | None = None,
    *,
    exam: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    database: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Make a school in a new or empty folder, wholly or not at all; of words by default.

    `settings` come before the task's own; `database` is the address of an empty PostgreSQL
    database for the log, which is SQLite in the folder otherwise. The school is built beside the
    folder and moved into place at the end: a failure leaves nothing in the folder, but what was
    written into the database.
    """
    task = task or WordsTask()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and is not empty; name a new folder for the school.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(".part", f".{folder.name}.", folder.parent))
    try:
        table = combined(task.settings, settings or {})
        config = make_config(table, "init")
        check_parts(config)
        write_config(building, table)
        learner = parts.learner_kind(config.learner).begin(task.source(), config.learner_settings)
        with Warehouse.create(building, database, seed=config.seed) as warehouse:
            fill(warehouse, learner, task, config)
        with School.open(building) as school:
            school.add_contexts(task.contexts(config.seed))
            items = task.exam(config.seed, progress)
            if items:
                school.examiner.put(items)
            if exam is not None:
                school.examiner.add(exam)
        if folder.exists():
            folder.rmdir()
        os.rename(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def combined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables of settings as one; where both set a thing, the second does."""
    table = {**first, **second}
    for name in TABLES:
        if name in first and name in second:
            table[name] = {**first[name], **second[name]}
    return {key: value for key, value in table.items() if key not in TABLES or value}


def fill(warehouse: Warehouse, learner: Learner, task: Task, config: Config) -> None:
    """The first records: keys, the original dataset, and the model as version 0.

    With a seed the exam partition repeats, as simulations need, and can be guessed; without one
    (0) its key is random, so that who writes contexts cannot choose their side.
    """
    seed = config.seed
    warehouse.set_meta("partition_key", secrets.token_hex(16) if seed == 0 else f"{seed:032x}")
    warehouse.set_meta("model", task.model)
    warehouse.set_meta("kind", task.kind)
    # The longest context that surely fits, in tokens; 0 where the learner has no window.
    window = getattr(learner, "window", 0) - getattr(learner, "room", 0)
    warehouse.set_meta("window", str(window))
    documents, note = task.original(learner, seed)
    warehouse.set_meta("original_note", note)
    manifest = warehouse.seal_original(documents, note)
    if task.untaught:
        with tempfile.TemporaryDirectory() as workspace:
            original = warehouse.dataset(manifest)
            learner = learner.fit(original, seed=seed, workspace=Path(workspace))
    warehouse.add_base(learner, learner.recipe, manifest, seed)
