"""Care of a school: is everything whole, a copy of it, and what may be thrown away."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, select

from nightschool.types import Manifest, Segment, Version, WarehouseError
from nightschool.warehouse import dataset, disk, lineage, tables
from nightschool.warehouse.codec import sha256
from nightschool.warehouse.dialect import FILE, copy_database, damage, make_engine
from nightschool.warehouse.files import file_sha256, folder_sha256
from nightschool.warehouse.heirs import Heir, unfinished
from nightschool.warehouse.heirs import heirs as every_heir
from nightschool.warehouse.locks import FileLock
from nightschool.warehouse.night import Stores, nights, workspace
from nightschool.warehouse.segments import Segments

TRAINEES = 7
"""So many of the newest trainees keep their weights."""

YOUNG = 86_400.0
"""Seconds that a blob which no record names yet is left alone: its answer may be on the way."""


def lasting(versions: Iterable[Version], champions: Iterable[str]) -> set[str]:
    """The weights that are never thrown away: of number 0, of champions, of new trainees."""
    crowned = set(champions)
    line = list(versions)
    newest = {version.id for version in line[-TRAINEES:]}
    return {v.weights for v in line if v.number == 0 or v.id in crowned or v.id in newest}


def verify(stores: Stores) -> list[str]:
    """What is missing or damaged, one sentence each; empty when everything is whole."""
    with stores.log.read() as connection:
        broken = damage(connection)
        bodies = connection.execute(select(tables.manifests.c.hash, tables.manifests.c.body)).all()
        manifests = dataset.every(connection)
        versions = lineage.versions(connection)
        champions = [reign.version for reign in lineage.reigns(connection)]
        blobs = blobs_in_log(connection)
        heirs = every_heir(connection)
        waiting = unfinished(connection)
    problems = [f"The log is damaged: {broken}"] if broken else []
    for row in bodies:
        if sha256(row.body.encode()) != row.hash:
            problems.append(f"Manifest {row.hash} in the log does not have its own hash.")
        problems += _check_file(stores.manifests.path(row.hash), row.hash)
    if waiting:
        problems.append("An erasure was not finished; it ends when nobody else uses the school.")
    for segment in every_segment(manifests, heirs):
        found = _check_file(stores.segments.folder / f"{segment.sha256}.parquet", segment.sha256)
        problems += found
        if not found:
            blobs |= blobs_in_segments(stores.segments, [segment])
    problems += _check_weights(stores, versions, lasting(versions, champions))
    for name in sorted(blobs):
        problems += _check_file(stores.files.blobs / name, name)
    return problems


def _check_file(path: Path, name: str) -> list[str]:
    if not path.is_file():
        return [f"{path} is missing."]
    found = file_sha256(path)
    return [] if found == name else [f"{path} was changed: its sha256 is {found}."]


def _check_weights(stores: Stores, versions: Iterable[Version], needed: set[str]) -> list[str]:
    problems = []
    checked: set[str] = set()
    for version in versions:
        path = stores.files.weights / version.weights
        if version.weights in checked:
            continue
        checked.add(version.weights)
        if not path.is_dir():
            if version.weights in needed:
                problems.append(f"The weights of {version.id} are missing: {path}.")
        elif folder_sha256(path) != version.weights:
            problems.append(f"The weights of {version.id} were changed: {path}.")
    return problems


def blobs_in_log(connection: Connection) -> set[str]:
    """The names of all blobs that records of the log name."""
    names: set[str] = set()
    for table in (tables.contexts, tables.answers):
        packed = connection.scalars(select(table.c.blobs).where(table.c.blobs.is_not(None)))
        for blobs in packed:
            names.update(json.loads(blobs).values())
    # A setting may name a blob, too: its key says so.
    named = tables.meta.c.key.startswith("blob:")
    names.update(connection.scalars(select(tables.meta.c.value).where(named)))
    return names


def every_segment(manifests: Iterable[Manifest], heirs: Mapping[str, Heir]) -> list[Segment]:
    """The segments that manifests name, as they are kept now: erasures left heirs of some."""
    found: dict[str, Segment] = {}
    for segment in (s for manifest in manifests for s in manifest.segments):
        heir = heirs.get(segment.sha256)
        now = replace(segment, sha256=heir.sha256, rows=heir.rows) if heir else segment
        found[now.sha256] = now
    return list(found.values())


def blobs_in_segments(store: Segments, segments: Iterable[Segment]) -> set[str]:
    """The names of all blobs that examples of the segments name."""
    names: set[str] = set()
    for segment in segments:
        for packed in filter(None, store.column(segment, "blobs")):
            for blobs in json.loads(packed).values():
                names.update(blobs.values())
    return names


def backup(stores: Stores, target: Path) -> None:
    """Copy the school, consistently, into an empty or absent folder, while it goes on."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WarehouseError(f"{target} is not empty; name a folder that does not exist yet.")
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = sum(map(disk.weigh, _parts(stores)))
    disk.need_space(target.parent, whole)
    new = disk.temporary(target.parent)
    new.mkdir()
    # Nothing is thrown away meanwhile; whatever the copied log names is still there.
    with care_lock(stores):
        try:
            _copy(stores, new)
            if target.exists():
                target.rmdir()
            new.rename(target)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    disk.sync(target.parent)


def care_lock(stores: Stores) -> FileLock:
    """Held while files are copied or cleaned up, and while somebody needs them to stay."""
    return FileLock(stores.folder / "care.lock", "A backup or a clean-up is running")


def _parts(stores: Stores) -> Iterator[Path]:
    yield stores.folder / FILE
    yield from (stores.segments.folder, stores.manifests.folder)
    yield from (stores.files.weights, stores.files.blobs)


def _copy(stores: Stores, new: Path) -> None:
    copy_database(stores.log.engine, new)
    engine = make_engine(new)
    with engine.connect() as connection:
        manifests = dataset.every(connection)
        versions = lineage.versions(connection)
        blobs = blobs_in_log(connection)
        heirs = every_heir(connection)
    engine.dispose()
    segments = every_segment(manifests, heirs)
    for folder in ("segments", "manifests", "weights", "blobs", "nights"):
        (new / folder).mkdir()
    for segment in segments:
        shutil.copy2(stores.segments.path(segment), new / "segments")
    for manifest in manifests:
        shutil.copy2(stores.manifests.path(manifest.hash), new / "manifests")
    for name in {version.weights for version in versions}:
        if (stores.files.weights / name).is_dir():  # older ones may have been thrown away
            shutil.copytree(stores.files.weights / name, new / "weights" / name)
    for name in blobs | blobs_in_segments(stores.segments, segments):
        shutil.copy2(stores.files.blobs / name, new / "blobs")
    disk.sync_tree(new)


def collect_garbage(stores: Stores, young: float = YOUNG) -> int:
    """Delete what no record needs; returns the bytes freed. The caller holds the night lock.

    Never a segment that a manifest names, nor the weights that `lasting` lists.
    """
    with care_lock(stores):
        return _collect(stores, young)


def _collect(stores: Stores, young: float) -> int:
    with stores.log.read() as connection:
        manifests = dataset.every(connection)
        versions = lineage.versions(connection)
        champions = [reign.version for reign in lineage.reigns(connection)]
        blobs = blobs_in_log(connection)
        heirs = every_heir(connection)
        finished = [night.number for night in nights(connection) if night.finished is not None]
    kept = every_segment(manifests, heirs)
    blobs |= blobs_in_segments(stores.segments, kept)
    weights = lasting(versions, champions)
    segments = {f"{segment.sha256}.parquet" for segment in kept}
    listed = {f"{manifest.hash}.json" for manifest in manifests}
    freed = sweep(stores.files.weights, weights)
    freed += sweep(stores.segments.folder, segments)
    freed += sweep(stores.manifests.folder, listed)
    freed += sweep(stores.files.blobs, blobs, older_than=time.time() - young)
    for number in finished:
        left = workspace(stores.folder, number)
        freed += disk.remove(left) if left.exists() else 0
    return freed


def sweep(folder: Path, keep: set[str], older_than: float = float("inf")) -> int:
    """Delete what is in a folder and not among those names; returns the bytes freed."""
    freed = 0
    for path in sorted(folder.iterdir()):
        if path.name not in keep and path.stat().st_mtime < older_than:
            freed += disk.remove(path)
    return freed
