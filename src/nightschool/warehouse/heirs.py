"""Erasures in the log: which segment took the place of which, and which versions had learned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from nightschool.warehouse import tables
from nightschool.warehouse.codec import canonical

_e = tables.erasures


@dataclass(frozen=True)
class Heir:
    """The file that holds what an erasure left of a segment: its sha256 and its rows."""

    sha256: str
    rows: int


@dataclass(frozen=True)
class Erasure:
    """That a person was erased: under which pseudonym they stand now, by whom, and when.

    `segments` maps each segment that was rewritten to its heir; `versions` had learned from the
    person, or go on from one that had. `blobs` are the parts to delete, while it is unfinished.
    """

    seq: int
    person: str
    by: str
    at: float
    segments: Mapping[str, Heir]
    versions: tuple[str, ...]
    blobs: tuple[str, ...] = ()
    finished: float | None = None


def erasures(connection: Connection) -> list[Erasure]:
    """Every erasure, oldest first."""
    rows = connection.execute(select(_e).order_by(_e.c.seq))
    return [
        Erasure(
            **{
                **row._mapping,
                "segments": {k: Heir(**v) for k, v in json.loads(row.segments).items()},
                "versions": tuple(json.loads(row.versions)),
                "blobs": tuple(json.loads(row.blobs)),
            }
        )
        for row in rows
    ]


def record(connection: Connection, erasure: Erasure) -> None:
    """Put an erasure into the log; its number is counted by the database."""
    row: dict[str, Any] = {name: getattr(erasure, name) for name in ("person", "by", "at")}
    heirs = {name: {"sha256": h.sha256, "rows": h.rows} for name, h in erasure.segments.items()}
    packed = {"segments": heirs, "versions": erasure.versions, "blobs": erasure.blobs}
    row |= {name: canonical(value) for name, value in packed.items()}
    connection.execute(_e.insert().values(**row, finished=None))


def unfinished(connection: Connection) -> bool:
    """Whether an erasure is in the log of which files are still to be deleted."""
    return connection.execute(select(_e.c.seq).where(_e.c.finished.is_(None))).first() is not None


def heirs(connection: Connection) -> dict[str, Heir]:
    """For each segment that was ever rewritten, the file that holds what is left of it now."""
    found: dict[str, Heir] = {}
    for erasure in erasures(connection):
        found.update(erasure.segments)
    return {name: _last(found, heir) for name, heir in found.items()}


def _last(found: Mapping[str, Heir], heir: Heir) -> Heir:
    seen = set()
    while heir.sha256 in found and heir.sha256 not in seen:
        seen.add(heir.sha256)
        heir = found[heir.sha256]
    return heir
