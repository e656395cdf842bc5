"""The lineage in the log: versions, who serves, exam results, verdicts and the time ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from nightschool.types import Decision, ExamResult, Span, Verdict, Version, WarehouseError
from nightschool.warehouse import tables
from nightschool.warehouse.codec import (
    pack_result,
    pack_verdict,
    to_version,
    unpack_result,
    unpack_verdict,
    version_row,
)
from nightschool.warehouse.dialect import insert_once

_v, _champions = tables.versions, tables.champions

FOUNDER = "school"
"""By whom version 0 began to serve: nobody decided it."""


@dataclass(frozen=True)
class Reign:
    """One change of who serves: the version, since when, in which night, by whom and why."""

    version: str
    night: int
    by: str
    reason: str
    at: float

    @property
    def by_hand(self) -> bool:
        """Whether a person decided it: no night's verdict, and not the founding of the school."""
        return self.night == 0 and self.by != FOUNDER


def versions(connection: Connection) -> list[Version]:
    """Every version, in the order of the lineage."""
    return [to_version(row) for row in connection.execute(select(_v).order_by(_v.c.number))]


def version(connection: Connection, version_id: str) -> Version:
    """The version with that id; raises WarehouseError."""
    row = connection.execute(select(_v).where(_v.c.id == version_id)).first()
    if row is None:
        raise WarehouseError(
            f"There is no version {version_id!r}. They are called v0, v1 and so on; `nightschool "
            "versions` lists them."
        )
    return to_version(row)


def newest(connection: Connection) -> Version:
    """The trainee: the version with the highest number; raises WarehouseError before any."""
    row = connection.execute(select(_v).order_by(_v.c.number.desc()).limit(1)).first()
    if row is None:
        raise WarehouseError("This school has no model yet; bring one with `nightschool init`.")
    return to_version(row)


def next_number(connection: Connection) -> int:
    """The number that the next version will have."""
    found = connection.execute(select(func.max(_v.c.number))).scalar()
    return 0 if found is None else int(found) + 1


def add_version(connection: Connection, new: Version) -> None:
    """Add a version to the log; harmless when the very same is there."""
    row = connection.execute(select(_v).where(_v.c.id == new.id)).first()
    if row is not None:
        if dict(row._mapping) != version_row(new):
            raise WarehouseError(
                f"Version {new.id} exists already and is another one ({to_version(row)}); "
                "a version never changes. Finish or repeat the night that made it."
            )
        return
    if new.number != next_number(connection):
        raise WarehouseError(
            f"Version {new.id} has number {new.number}, but the next is "
            f"{next_number(connection)}; store it again."
        )
    connection.execute(_v.insert().values(version_row(new)))


def reigns(connection: Connection) -> list[Reign]:
    """Every change of who serves, oldest first."""
    rows = connection.execute(select(_champions).order_by(_champions.c.seq))
    return [Reign(row.version, row.night, row.person, row.reason, row.at) for row in rows]


def succession(history: Sequence[str]) -> list[str]:
    """The champions that a roll back would return to, oldest first; the last one serves.

    Going back to an earlier champion takes away those that came after it, so that rolling back
    twice goes back two champions, and never to the one that was just found worse.
    """
    line: list[str] = []
    for name in history:
        if name in line:
            del line[line.index(name) + 1 :]
        else:
            line.append(name)
    return line


def line(connection: Connection) -> list[str]:
    """The ids of `succession`; raises WarehouseError before there is any champion."""
    found = succession([reign.version for reign in reigns(connection)])
    if not found:
        raise WarehouseError("This school has no model yet; bring one with `nightschool init`.")
    return found


def crown(connection: Connection, reign: Reign) -> None:
    """Let a version serve; harmless when it serves already."""
    version(connection, reign.version)
    serving = succession([past.version for past in reigns(connection)])[-1:]
    if serving == [reign.version]:
        return
    row = {"version": reign.version, "night": reign.night, "person": reign.by}
    connection.execute(_champions.insert().values(**row, reason=reign.reason, at=reign.at))


def roll_back(connection: Connection, by: str, reason: str, at: float) -> None:
    """Let the champion before the present one serve; raises WarehouseError when there is none."""
    succeeding = line(connection)
    if len(succeeding) < 2:
        raise WarehouseError(
            f"There is no champion before {succeeding[-1]} to roll back to; "
            "choose a version with `nightschool promote`."
        )
    crown(connection, Reign(succeeding[-2], 0, by, reason, at))


def keep(
    connection: Connection,
    new: Version,
    results: Sequence[ExamResult],
    verdict: Verdict,
    at: float,
) -> None:
    """Version, results, verdict and who serves; harmless when the night's verdict is there."""
    before = find_verdict(connection, verdict.night)
    if before is not None:
        _check_same(before, verdict)
        return
    _check_champion(connection, verdict)
    add_version(connection, new)
    for result in results:
        row = {"night": verdict.night, "version": result.version, "bank": result.bank}
        row["body"] = pack_result(result)
        connection.execute(insert_once(connection, tables.results), row)
    connection.execute(
        tables.verdicts.insert().values(night=verdict.night, body=pack_verdict(verdict))
    )
    if verdict.decision != Decision.KEEP:
        crown(connection, Reign(verdict.serves, verdict.night, "gate", verdict.reason, at))


def _check_same(before: Verdict, verdict: Verdict) -> None:
    for name in ("decision", "champion", "challenger", "serves"):
        if getattr(before, name) != getattr(verdict, name):
            raise WarehouseError(
                f"Night {verdict.night} has a verdict already ({before.decision.value}, "
                f"{before.serves} serves) and cannot have another; begin a new night."
            )


def _check_champion(connection: Connection, verdict: Verdict) -> None:
    serving = line(connection)[-1]
    if serving != verdict.champion:
        raise WarehouseError(
            f"Somebody let {serving} serve while night {verdict.night} examined "
            f"{verdict.champion}; run the night again, it resumes and examines {serving}."
        )


def find_verdict(connection: Connection, night: int) -> Verdict | None:
    """The verdict of a night, when it has one."""
    verdicts = tables.verdicts
    body = connection.execute(select(verdicts.c.body).where(verdicts.c.night == night)).scalar()
    return unpack_verdict(body) if body is not None else None


def verdicts(connection: Connection) -> list[Verdict]:
    """Every verdict, oldest first."""
    rows = connection.execute(select(tables.verdicts).order_by(tables.verdicts.c.night))
    return [unpack_verdict(row.body) for row in rows]


def results(
    connection: Connection, night: int | None = None, version_id: str | None = None
) -> list[ExamResult]:
    """Exam results of a night, of a version, or all, oldest first."""
    query: Any = select(tables.results).order_by(tables.results.c.night, tables.results.c.version)
    if night is not None:
        query = query.where(tables.results.c.night == night)
    if version_id is not None:
        query = query.where(tables.results.c.version == version_id)
    return [unpack_result(row.body) for row in connection.execute(query)]


def add_span(connection: Connection, span: Span) -> None:
    """Add an entry to the time ledger."""
    row = {"name": span.name, "seconds": float(span.seconds), "at": float(span.at)}
    connection.execute(tables.spans.insert().values(**row, night=span.night))


def spans(connection: Connection, night: int | None) -> list[Span]:
    """The time ledger of a night (0: by day), or all of it, oldest first."""
    query = select(tables.spans).order_by(tables.spans.c.seq)
    if night is not None:
        query = query.where(tables.spans.c.night == night)
    rows = connection.execute(query)
    return [Span(row.name, row.seconds, row.at, row.night) for row in rows]
