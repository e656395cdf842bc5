"""Spare questions: posted behind the day's queue, and how answers change places with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, or_, select

from nightschool.types import Partition, Question
from nightschool.warehouse import tables
from nightschool.warehouse.codec import to_question
from nightschool.warehouse.queue import leased_now, questions, unanswered

_q, _c = tables.questions, tables.contexts

# Made once: a day re-ranks after every answer.
_PLACE = (
    _q.update()
    .where(_q.c.id == bindparam("which"))
    .values(rank=bindparam("place"), queued=bindparam("now"), spare=bindparam("later"))
)


def newest(connection: Connection) -> int:
    """The night of the newest questions; 0 before the first night."""
    return int(connection.execute(select(func.max(_q.c.night))).scalar() or 0)


def spares(connection: Connection) -> list[Question]:
    """The spare questions of the newest night that nobody has replied to, best first."""
    query = questions().where(_q.c.night == newest(connection), _q.c.spare, *_open())
    rows = connection.execute(query.order_by(_q.c.rank))
    return [to_question(row) for row in _once(rows)]


def _once(rows: Iterable[Any]) -> list[Any]:
    """The first row about each context: nobody is asked the same twice."""
    first: dict[int, Any] = {}
    for row in rows:
        first.setdefault(row.context_id, row)
    return list(first.values())


def _open() -> tuple[ColumnElement[bool], ...]:
    return unanswered(), _c.c.partition == Partition.TRAINING.value


def rerank(connection: Connection, night: int, order: Sequence[int], now: float) -> int:
    """Let that night's questions change places: `order` names contexts, the best first.

    The queue stays as long as it is. Only questions about those contexts move, and among them
    none that somebody has before them, nor one that examines or asks again. Returns how many
    moved; 0 when the newest questions are of another night.
    """
    if newest(connection) != night:
        return 0
    place = {context: at for at, context in enumerate(order)}
    query = select(_q.c.id, _q.c.context_id, _q.c.rank, _q.c.queued, _q.c.spare).join(
        _c, _c.c.id == _q.c.context_id
    )
    query = query.where(
        _q.c.night == night, or_(_q.c.queued, _q.c.spare), ~_q.c.again, ~leased_now(now), *_open()
    )
    # What is queued comes first: a spare about the same context stays where it is.
    found = connection.execute(query.order_by(_q.c.spare, _q.c.rank))
    rows = _once(row for row in found if row.context_id in place)
    slots = sorted((not row.queued, row.rank) for row in rows)
    best = sorted(rows, key=lambda row: place[row.context_id])
    moves: list[dict[str, Any]] = [
        {"which": row.id, "place": rank, "now": not later, "later": later}
        for row, (later, rank) in zip(best, slots, strict=True)
        if (row.rank, row.spare) != (rank, later)
    ]
    if moves:
        connection.execute(_PLACE, moves)
    return len(moves)
