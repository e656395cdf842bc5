"""The day's queue: which question a person gets next, and how a night replaces the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select

from nightschool.faults import reach
from nightschool.types import Pick, Question, Retract, UnknownQuestion
from nightschool.warehouse import pool, tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import context_row, to_question
from nightschool.warehouse.dialect import insert_once, upsert

_q, _c, _l = tables.questions, tables.contexts, tables.leases
_a, _r = tables.answers, tables.retractions


def questions() -> Select[Any]:
    """Questions with the columns of their contexts, ready for a WHERE."""
    return select(
        _q.c.id.label("question_id"),
        *(_q.c[name] for name in ("context_id", "strategy", "score", "version", "night", "rank")),
        *(_c.c[name] for name in ("kind", "body", "blobs", "source", "grp", "partition")),
    ).join(_c, _c.c.id == _q.c.context_id)


def _unanswered() -> ColumnElement[bool]:
    return ~exists().where(_a.c.context_id == _q.c.context_id, pool.live())


def _leased_now(now: float) -> ColumnElement[bool]:
    return exists().where(_l.c.question_id == _q.c.id, _l.c.until > now)


def find(connection: Connection, question_id: str) -> Question:
    """The question with that id; raises UnknownQuestion."""
    row = connection.execute(questions().where(_q.c.id == question_id)).first()
    if row is None:
        raise UnknownQuestion(
            f"No question has the id {question_id!r}; ask for one and answer that."
        )
    return to_question(row)


def count(connection: Connection) -> int:
    """How many questions were ever queued."""
    return int(connection.execute(select(func.count()).select_from(_q)).scalar_one())


def left(connection: Connection) -> int:
    """How many questions of the queue nobody has replied to."""
    query = select(func.count()).select_from(_q).where(_q.c.queued, _unanswered())
    return int(connection.execute(query).scalar_one())


def waiting(connection: Connection) -> list[Question]:
    """The questions of the queue that nobody has replied to, in the order they are asked."""
    query = questions().where(_q.c.queued, _unanswered())
    rows = connection.execute(query.order_by(_q.c.night.desc(), _q.c.rank))
    return [to_question(row) for row in rows]


def lease(
    connection: Connection, person: str, ttl: float, hold: Sequence[str], now: float
) -> Question | None:
    """The person's next question, kept for them for `ttl` seconds; None when none is left."""
    held = _q.c.id.in_(list(hold))
    others = exists().where(_l.c.question_id == _q.c.id, _l.c.person != person, _l.c.until > now)
    row = (
        _undone(connection, person, ~held, ~others)
        or _own(connection, person, now, ~held)
        or _first(connection, ~held, ~others)
    )
    if row is None:
        return None
    given = {"person": person, "until": now + ttl}
    connection.execute(
        upsert(connection, _l)
        .values(question_id=row.question_id, **given)
        .on_conflict_do_update(index_elements=[_l.c.question_id], set_=given)
    )
    return to_question(row)


def _undone(connection: Connection, person: str, *free: ColumnElement[bool]) -> Any:
    # An answer taken back is asked again first, newest first, whether or not it is still queued.
    again = _a.alias()
    still = ~exists().where(_r.c.answer_id == again.c.id)
    since = exists().where(again.c.context_id == _q.c.context_id, again.c.person == person, still)
    query = (
        questions()
        .join(_a, _a.c.question_id == _q.c.id)
        .join(_r, _r.c.answer_id == _a.c.id)
        .where(_r.c.person == person, _a.c.person == person, _r.c.why == Retract.UNDO.value)
        .where(~since, *free)
        .order_by(_r.c.seq.desc())
    )
    return connection.execute(query.limit(1)).first()


def _own(connection: Connection, person: str, now: float, *free: ColumnElement[bool]) -> Any:
    query = questions().join(_l, _l.c.question_id == _q.c.id)
    return _best(connection, query.where(_l.c.person == person, _l.c.until > now, *free))


def _first(connection: Connection, *free: ColumnElement[bool]) -> Any:
    return _best(connection, questions().where(*free))


def _best(connection: Connection, query: Select[Any]) -> Any:
    # In the order of the index `questions_queue`, so that it stops at the first one.
    query = query.where(_q.c.queued, _unanswered()).order_by(_q.c.night.desc(), _q.c.rank)
    return connection.execute(query.limit(1)).first()


def post(
    connection: Connection, picks: Sequence[Pick], version: str, night: int, now: float
) -> int:
    """Replace the queue by the picks, best first; returns how many questions were queued.

    Questions that somebody has before them stay. Contexts that were replied to, or are among
    those, are left out.
    """
    connection.execute(_q.update().where(_q.c.queued, ~_leased_now(now)).values(queued=False))
    reach("post.inside")
    first = {pick.context.id: (rank, pick) for rank, pick in reversed(list(enumerate(picks)))}
    if not first:
        return 0
    rows = [context_row(pick.context, pick.partition) for _, pick in first.values()]
    connection.execute(insert_once(connection, _c), rows)
    out = set(connection.scalars(select(_q.c.context_id).where(or_(_q.c.queued, _leased_now(now)))))
    out |= _replied_among(connection, list(first))
    rows = [
        _question_row(pick, rank, version, night)
        for name, (rank, pick) in sorted(first.items(), key=lambda item: item[1][0])
        if name not in out
    ]
    if rows:
        again = upsert(connection, _q)
        connection.execute(
            again.on_conflict_do_update(index_elements=[_q.c.id], set_={"queued": True}), rows
        )
    return len(rows)


def append(connection: Connection, picks: Sequence[Pick], version: str) -> int:
    """Add questions behind the queue; what waits or is before somebody stays as it is."""
    held = set(connection.scalars(select(_q.c.context_id).where(_q.c.queued, _unanswered())))
    held |= _replied_among(connection, [pick.context.id for pick in picks])
    night = int(connection.execute(select(func.max(_q.c.night))).scalar() or 0)
    last = select(func.max(_q.c.rank)).where(_q.c.night == night)
    rank = int(connection.execute(last).scalar() or 0)
    rows = [
        _question_row(pick, rank + place, version, night)
        for place, pick in enumerate(picks, start=1)
        if pick.context.id not in held
    ]
    if rows:
        connection.execute(insert_once(connection, _q), rows)
    return len(rows)


def _replied_among(connection: Connection, ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for part in batches(ids, LISTED):
        query = select(_a.c.context_id).where(_a.c.context_id.in_(part), pool.live())
        found.update(connection.scalars(query))
    return found


def _question_row(pick: Pick, rank: int, version: str, night: int) -> dict[str, Any]:
    return {
        # The same in a night that was killed here and resumed.
        "id": f"q{night}-{rank}-{pick.context.id:x}",
        "context_id": pick.context.id,
        "strategy": pick.strategy,
        "score": float(pick.score),
        "version": version,
        "night": night,
        "rank": rank,
        "queued": True,
    }
