"""What the morning needs of the log, summed up by the database: no record leaves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import case, func, select

from nightschool.warehouse import pool, tables
from nightschool.warehouse.codec import unpack_result
from nightschool.warehouse.log import Log

_a = tables.answers
_r = tables.results

FRESH = "fresh"
"""The bank of marks that answers had before they were learned from."""


class Digest:
    """Sums over the log of one school."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def effort(self, longest: float, up_to: int | None = None) -> tuple[int, float]:
        """How many answers count, skips and all, and the seconds that all ever given took.

        More than `longest` is a pause and counts as this. `up_to` is the sequence number of the
        last answer that is counted (a night's mark).
        """
        own = case((_a.c.seconds > longest, longest), else_=_a.c.seconds)
        counts = func.sum(case((pool.live(), 1), else_=0))
        query: Any = select(func.coalesce(counts, 0), func.coalesce(func.sum(own), 0.0))
        if up_to is not None:
            query = query.where(_a.c.seq <= up_to)
        with self._log.read() as connection:
            count, seconds = connection.execute(query).one()
            return int(count), float(seconds)

    def spells(self, since: float) -> Sequence[tuple[float, float]]:
        """When each answer was thought about, from shown to sent, that was sent since then."""
        query = select(_a.c.at, _a.c.seconds).where(_a.c.at >= since).order_by(_a.c.at)
        with self._log.read() as connection:
            return [(row.at - row.seconds, row.at) for row in connection.execute(query)]

    def remembered(self, prefix: str) -> Mapping[str, str]:
        """What the school remembers under names that begin so."""
        meta = tables.meta
        query = select(meta.c.key, meta.c.value).where(
            meta.c.key.startswith(prefix, autoescape=True)
        )
        with self._log.read() as connection:
            return {row.key: row.value for row in connection.execute(query)}

    def fresh(self) -> Sequence[tuple[int, tuple[float, ...]]]:
        """By night, the marks that its answers had before they were learned from, in [0, 1]."""
        query = select(_r.c.night, _r.c.body).where(_r.c.bank == FRESH).order_by(_r.c.night)
        with self._log.read() as connection:
            return [(row.night, _values(row.body)) for row in connection.execute(query)]


def _values(body: str) -> tuple[float, ...]:
    return tuple(mark.value for mark in unpack_result(body).marks)
