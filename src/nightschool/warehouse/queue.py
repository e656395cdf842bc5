"""The day's queue: which question a person gets next, and how a night replaces the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from nightschool.faults import reach
from nightschool.types import Pick, Question, Retract, UnknownQuestion
from nightschool.warehouse import pool, tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import context_row, to_question
from nightschool.warehouse.dialect import insert_once, upsert

_q, _c, _l = tables.questions, tables.contexts, tables.leases
_a, _r = tables.answers, tables.retractions

AGAIN_AFTER = 86_400.0
"""Seconds after which a person who is alone may be asked again what they answered themselves."""

RECENT = 14 * 86_400.0
"""Seconds after their last reply during which a person still counts as somebody who answers."""


def questions() -> Select[Any]:
    """Questions with the columns of their contexts, ready for a WHERE."""
    return select(
        _q.c.id.label("question_id"),
        *(_q.c[name] for name in ("context_id", "strategy", "score", "version", "night", "rank")),
        *(_q.c[name] for name in ("wanted", "guess")),
        *(_c.c[name] for name in ("kind", "body", "blobs", "source", "grp", "partition")),
    ).join(_c, _c.c.id == _q.c.context_id)


def unanswered() -> ColumnElement[bool]:
    """The condition that a question waits: nobody replied to its context.

    A context that is asked again has replies; it waits until this very question has one.
    """
    here = or_(~_q.c.again, _a.c.question_id == _q.c.id)
    return ~exists().where(_a.c.context_id == _q.c.context_id, here, pool.live())


def leased_now(now: float) -> ColumnElement[bool]:
    """The condition that somebody has the question before them."""
    return exists().where(_l.c.question_id == _q.c.id, _l.c.until > now)


def _may_answer(person: str, now: float) -> ColumnElement[bool]:
    """The condition that a question is for that person: nobody checks their own answer.

    Where nobody else has answered anything lately (`active`), the same person may, a day later.
    """
    own = and_(_a.c.context_id == _q.c.context_id, _a.c.person == person, pool.live())
    said = _a.alias()
    gone = exists().where(_r.c.answer_id == said.c.id)
    others = exists().where(said.c.person != person, said.c.at > now - RECENT, ~gone)
    lately = exists().where(own, or_(others, _a.c.at > now - AGAIN_AFTER))
    return or_(~_q.c.again, ~lately)


def active(connection: Connection, now: float) -> set[str]:
    """Whoever gave a reply that still counts, of either partition, in the last `RECENT` seconds."""
    query = select(_a.c.person).distinct().where(_a.c.at > now - RECENT, pool.live())
    return set(connection.scalars(query))


def written(connection: Connection, night: int) -> set[int]:
    """Contexts that the model wrote and that night posted, as long as nobody replied to them."""
    query = select(_q.c.context_id).join(_c, _c.c.id == _q.c.context_id)
    query = query.where(_q.c.night == night, _c.c.source == "written", unanswered())
    return set(connection.scalars(query))


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
    query = select(func.count()).select_from(_q).where(~_q.c.spare)
    return int(connection.execute(query).scalar_one())


def left(connection: Connection) -> int:
    """How many questions of the queue nobody has replied to."""
    query = select(func.count()).select_from(_q).where(_q.c.queued, unanswered())
    return int(connection.execute(query).scalar_one())


def waiting(connection: Connection) -> list[Question]:
    """The questions of the queue that nobody has replied to, in the order they are asked."""
    query = questions().where(_q.c.queued, unanswered())
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
        or _best(connection, questions().where(~held, ~others, _may_answer(person, now)))
    )
    if row is None:
        return None
    given = {"person": person, "until": now + ttl}
    connection.execute(
        upsert(connection, _l)
        .values(question_id=row.question_id, **given)
        .on_conflict_do_update(index_elements=[_l.c.question_id, _l.c.person], set_=given)
    )
    return to_question(row)


def _undone(connection: Connection, person: str, *free: ColumnElement[bool]) -> Any:
    # An answer taken back is asked again first, newest first, whether or not it is still queued.
    again = _a.alias()
    still = ~exists().where(_r.c.answer_id == again.c.id)
    here = or_(~_q.c.again, again.c.question_id == _q.c.id)
    since = exists().where(
        again.c.context_id == _q.c.context_id, again.c.person == person, here, still
    )
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


def _best(connection: Connection, query: Select[Any]) -> Any:
    # In the order of the index `questions_queue`, so that it stops at the first one.
    query = query.where(_q.c.queued, unanswered()).order_by(_q.c.night.desc(), _q.c.rank)
    return connection.execute(query.limit(1)).first()


def post(
    connection: Connection, picks: Sequence[Pick], version: str, night: int, now: float
) -> int:
    """Replace the queue by the picks, best first; returns how many questions were queued.

    Questions that somebody has before them stay. Contexts that were replied to (unless they are
    to be asked again), or are among those, are left out. Spare picks wait behind the queue.
    """
    connection.execute(_q.update().where(_q.c.queued, ~leased_now(now)).values(queued=False))
    # A night that is resumed may choose otherwise: what it posted before is no spare any more.
    connection.execute(_q.update().where(_q.c.night == night, _q.c.spare).values(spare=False))
    reach("post.inside")
    first = {pick.context.id: (rank, pick) for rank, pick in reversed(list(enumerate(picks)))}
    if not first:
        return 0
    rows = [context_row(pick.context, pick.partition) for _, pick in first.values()]
    connection.execute(insert_once(connection, _c), rows)
    waits = and_(or_(_q.c.queued, leased_now(now)), unanswered())
    out = set(connection.scalars(select(_q.c.context_id).where(waits)))
    out |= _replied_among(connection, [n for n, (_, pick) in first.items() if not pick.again])
    rows = [
        _question_row(pick, rank, version, night)
        for name, (rank, pick) in sorted(first.items(), key=lambda item: item[1][0])
        if name not in out
    ]
    if rows:
        insert = upsert(connection, _q)
        place = {name: insert.excluded[name] for name in ("queued", "spare", "rank")}
        connection.execute(insert.on_conflict_do_update(index_elements=[_q.c.id], set_=place), rows)
    return sum(row["queued"] for row in rows)


def append(connection: Connection, picks: Sequence[Pick], version: str) -> int:
    """Add questions behind the queue; what waits or is before somebody stays as it is.

    A spare question of the newest night is moved there.
    """
    held = set(connection.scalars(select(_q.c.context_id).where(_q.c.queued, unanswered())))
    held |= _replied_among(connection, [pick.context.id for pick in picks])
    night = int(connection.execute(select(func.max(_q.c.night))).scalar() or 0)
    last = select(func.max(_q.c.rank)).where(_q.c.night == night)
    rank = int(connection.execute(last).scalar() or 0)
    waits = select(_q.c.context_id, _q.c.id).where(_q.c.night == night, _q.c.spare)
    spare = {row.context_id: row.id for row in connection.execute(waits)}
    rows = [
        _question_row(pick, rank + place, version, night)
        for place, pick in enumerate(picks, start=1)
        if pick.context.id not in held
    ]
    new = [row for row in rows if row["context_id"] not in spare]
    if new:
        connection.execute(insert_once(connection, _q), new)
    for row in rows:
        if row["context_id"] in spare:
            moved = _q.update().where(_q.c.id == spare[row["context_id"]])
            connection.execute(moved.values(queued=True, spare=False, rank=row["rank"]))
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
        "queued": not pick.spare,
        "spare": pick.spare,
        "again": pick.again,
        "wanted": pick.wanted,
        "guess": pick.guess,
    }
