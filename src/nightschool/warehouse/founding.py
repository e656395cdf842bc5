"""How a school begins: its folders and log, its original dataset, and version 0."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from nightschool.types import Document, Learner, Manifest, Recipe, Version, WarehouseError
from nightschool.warehouse import dataset, lineage, meta
from nightschool.warehouse.dialect import has_log, remember_address
from nightschool.warehouse.lineage import FOUNDER, Reign
from nightschool.warehouse.log import Log, open_log
from nightschool.warehouse.night import Stores, night_lock, version_id

FOLDERS = ("segments", "manifests", "weights", "blobs", "nights")


def begin(folder: Path, url: str | None, seed: int | None, now: float) -> Log:
    """The log of a new school, and its folders; raises WarehouseError when there is one already."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    if url is not None and not has_log(folder):
        remember_address(folder, url)
    first = {
        meta.CREATED: repr(float(now)),
        meta.SEED: str(secrets.randbits(31) if seed is None else seed),
    }
    log = open_log(folder)
    if _began(log):
        log.close()
        raise WarehouseError(
            f"{folder}, or the database that it names, is a school already; open it, or name "
            "another."
        )
    log.write(partial(meta.put, values=first))
    return log


def need_school(folder: Path) -> None:
    """Raise WarehouseError where the folder is no school's."""
    if not has_log(folder):
        raise WarehouseError(f"{folder} is not a school; make one with `nightschool init`.")


def resume(folder: Path) -> Log:
    """The log of the school in a folder; raises WarehouseError when it was never finished."""
    log = open_log(folder)
    if not _began(log):
        log.close()
        raise WarehouseError(f"{folder} was never finished; run `nightschool init` again.")
    return log


def _began(log: Log) -> bool:
    with log.read() as connection:
        return meta.get(connection, meta.CREATED) is not None


def seal_original(stores: Stores, documents: Iterable[Document], note: str) -> Manifest:
    """The original dataset as the manifest of night 0; `note` says where it came from."""
    with night_lock(stores.folder):
        with stores.log.read() as connection:
            taught = bool(lineage.versions(connection))
        if taught:
            raise WarehouseError(
                "The original dataset is sealed for ever once there is a model; "
                "begin another school for another one."
            )
        manifest = dataset.seal_documents(stores.segments, stores.parts, documents, note)
        stores.manifests.write(manifest)
        stores.log.write(partial(dataset.record, manifest=manifest))
    return manifest


def add_base(
    stores: Stores, model: Learner | Path, recipe: Recipe, manifest: Manifest, seed: int
) -> Version:
    """Version 0, from a learner or a folder that one saved: the first trainee and champion."""
    with night_lock(stores.folder):
        if isinstance(model, Path):
            weights = stores.files.put_folder(model)
        else:
            weights = stores.files.save(model.save)
        base = Version(version_id(0), 0, "", recipe, manifest.hash, seed, weights, 0)
        reign = Reign(base.id, 0, FOUNDER, "the model as it was brought", time.time())

        def work(connection: Connection) -> None:
            lineage.add_version(connection, base)
            if not lineage.reigns(connection):
                lineage.crown(connection, reign)

        stores.log.write(work)
    return base
