"""What the morning needs of the log, summed up by the database: no record leaves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, case, func, select

from nightschool.types import Partition, Reply
from nightschool.warehouse import pool, tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import unpack_result
from nightschool.warehouse.log import Log

_a = tables.answers
_c = tables.contexts
_r = tables.results

FRESH = "fresh"
"""The bank of marks that answers had before they were learned from."""


class Digest:
    """Sums over the log of one school."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._fresh: dict[int, tuple[float, ...]] = {}  # a night's results are written once

    def effort(self, longest: float, up_to: int | None = None) -> tuple[int, int, float]:
        """How many answers count, skips and all, how many were ever given, and their seconds.

        Minutes that were given stay given: the seconds are of those that were taken back, too.
        More than `longest` is a pause and counts as this. `up_to` is the sequence number of the
        last answer that is counted (a night's mark).
        """
        own = case((_a.c.seconds > longest, longest), else_=_a.c.seconds)
        counts = func.sum(case((pool.live(), 1), else_=0))
        sums = func.coalesce(counts, 0), func.count(), func.coalesce(func.sum(own), 0.0)
        query: Any = select(*sums).select_from(_a)
        if up_to is not None:
            query = query.where(_a.c.seq <= up_to)
        with self._log.read() as connection:
            count, given, seconds = connection.execute(query).one()
            return int(count), int(given), float(seconds)

    def taught(self, person: str, after: int, up_to: int) -> int:
        """How many answers to learn from that person gave between two marks that still count."""
        own = _a.c.person == person, _a.c.seq > after, _a.c.seq <= up_to, pool.live()
        kind = _a.c.reply == Reply.ANSWER.value, _c.c.partition == Partition.TRAINING.value
        query = select(func.count()).select_from(_a.join(_c, _c.c.id == _a.c.context_id))
        with self._log.read() as connection:
            return int(connection.execute(query.where(*own, *kind)).scalar_one())

    def by_side(self, mark: int) -> Mapping[Partition, tuple[int, int, int]]:
        """By partition, the replies that count: after the mark, up to it no answers, and answers.

        `mark` is the sequence number of the last answer that a night saw.
        """
        said, seen = _a.c.reply == Reply.ANSWER.value, _a.c.seq <= mark
        parts = ~seen, and_(seen, ~said), and_(seen, said)
        sums = [func.sum(case((part, 1), else_=0)) for part in parts]
        query: Any = select(_c.c.partition, *sums).group_by(_c.c.partition)
        query = query.select_from(_a.join(_c, _c.c.id == _a.c.context_id)).where(pool.live())
        with self._log.read() as connection:
            rows = connection.execute(query).all()
        return {Partition(side): (int(a), int(b), int(c)) for side, a, b, c in rows}

    def exam_answers(self) -> tuple[int, int]:
        """How many answers to exam contexts count, and the newest one's sequence number.

        As long as both stay, so does what these answers make of the exam.
        """
        query = select(func.count(), func.coalesce(func.max(_a.c.seq), 0))
        exam = _c.c.partition == Partition.EXAM.value
        joined = query.select_from(_a.join(_c, _c.c.id == _a.c.context_id)).where(exam, pool.live())
        with self._log.read() as connection:
            count, newest = connection.execute(joined).one()
            return int(count), int(newest)

    def spells(self, since: float, longest: float) -> Sequence[tuple[float, ...]]:
        """When each answer that was sent since then was thought about: from shown to sent.

        More than `longest` seconds is a pause and counts as this.
        """
        own = case((_a.c.seconds > longest, longest), else_=_a.c.seconds)
        query = select(_a.c.at - own, _a.c.at).where(_a.c.at >= since)
        with self._log.read() as connection:
            return list(map(tuple, connection.execute(query)))

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
        with self._log.read() as connection:
            nights = select(_r.c.night).where(_r.c.bank == FRESH).order_by(_r.c.night)
            found = list(connection.scalars(nights))
            lacking = [night for night in found if night not in self._fresh]
            for part in batches(lacking, LISTED):
                rows = select(_r.c.night, _r.c.body).where(_r.c.bank == FRESH, _r.c.night.in_(part))
                self._fresh |= {r.night: _values(r.body) for r in connection.execute(rows)}
        return [(night, self._fresh[night]) for night in found]


def _values(body: str) -> tuple[float, ...]:
    return tuple(mark.value for mark in unpack_result(body).marks)
