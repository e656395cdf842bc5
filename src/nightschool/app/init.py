"""Begin a school: a folder, a model, its original dataset, perhaps a test file."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nightschool.app import parts
from nightschool.app.config import check_parts, make_config, write_config
from nightschool.app.pool import read_texts
from nightschool.app.school import School
from nightschool.types import ConfigError, Document, Learner
from nightschool.warehouse import Warehouse

STARTER = "starter"
ORIGINAL_TEXTS = 4000
SAMPLED_TEXTS = 1000


def init_school(
    folder: Path,
    *,
    model: str = STARTER,
    original: Path | None = None,
    exam: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    learner_settings: Mapping[str, Any] | None = None,
) -> None:
    """Make a school in a new or empty folder, wholly or not at all.

    `model` is a folder, a hub name with its revision (`name@revision`) or "starter", the small
    model in the package. It is built beside the folder and moved into place at the end, so a
    failure leaves nothing behind.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and is not empty; name a new folder for the school.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = folder.parent / f".{folder.name}.{os.getpid()}.part"
    building.mkdir()
    try:
        table = dict(settings or {})
        if learner_settings:
            table["learner_settings"] = dict(learner_settings)
        config = make_config(table, "init")
        check_parts(config)
        write_config(building, table)
        kind = parts.learner_kind(config.learner)
        source = str(starter_folder()) if model == STARTER else model
        learner = kind.begin(source, config.learner_settings)
        with Warehouse.create(building, seed=config.seed) as warehouse:
            fill(warehouse, learner, model, original, config.seed)
        if exam is not None:
            with School.open(building) as school:
                school.examiner.add(exam)
        if folder.exists():
            folder.rmdir()
        os.rename(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def fill(
    warehouse: Warehouse, learner: Learner, model: str, original: Path | None, seed: int
) -> None:
    """The first records: keys, the original dataset, and the model as version 0.

    With a seed the exam partition repeats, as simulations need, and can be guessed; without one
    (0) its key is random, so that who writes contexts cannot choose their side.
    """
    warehouse.set_meta("partition_key", secrets.token_hex(16) if seed == 0 else f"{seed:032x}")
    warehouse.set_meta("model", model)
    # The longest context that surely fits, in tokens; 0 where the learner has no window.
    window = getattr(learner, "window", 0) - getattr(learner, "room", 0)
    warehouse.set_meta("window", str(window))
    texts, note = original_dataset(learner, model, original, seed)
    warehouse.set_meta("original_note", note)
    manifest = warehouse.seal_original(texts, note)
    warehouse.add_base(learner, learner.recipe, manifest, seed)


def original_dataset(
    learner: Learner, model: str, original: Path | None, seed: int
) -> tuple[Iterable[Document], str]:
    """The texts that replay is drawn from, and a sentence that says where they came from."""
    if original is not None:
        return map(Document, read_texts(original)), f"the texts of {original.name}"
    if model == STARTER and learner.recipe.learner == "language":
        from nightschool.starter.stories import original_texts

        texts = original_texts(ORIGINAL_TEXTS, seed)
        return map(Document, texts), "stories like those that the starter was pretrained on"
    sample = getattr(learner, "sample", None)
    if sample is None:
        return (), "none: this learner cannot write texts; bring some with --original"
    return (
        sample(SAMPLED_TEXTS, seed=seed),
        "sampled from the model itself, for want of --original: it remembers what it says by "
        "itself, not what it was trained on",
    )


def starter_folder() -> Path:
    """Where the starter's weights lie in the package."""
    from nightschool.starter import weights_folder

    return weights_folder()
