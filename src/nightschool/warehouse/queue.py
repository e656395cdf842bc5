"""The day's queue: which question a person gets next, and how a night replaces the queue."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Select,
    Text,
    and_,
    bindparam,
    case,
    distinct,
    exists,
    func,
    or_,
    select,
)

from nightschool.faults import reach
from nightschool.types import Partition, Pick, Question, Retract, UnknownQuestion
from nightschool.warehouse import meta, pool, tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import context_row, to_question
from nightschool.warehouse.dialect import insert_into, insert_once, upsert
from nightschool.warehouse.members import refuse_shut

_q, _c, _l = tables.questions, tables.contexts, tables.leases
_a, _r = tables.answers, tables.retractions

AGAIN_AFTER = 86_400.0
"""Seconds after which a person who is alone may be asked again what they answered themselves."""

AT_ONCE = 50
"""Questions that are added to the queue in one transaction."""

MOST_LEASED = 20
"""Questions that one person has before them at most: nobody takes the queue from the others."""

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
    """The condition that a question waits: fewer people than wanted replied to its context.

    A context that is asked again has replies; it waits until this very question has one. Where
    several people are asked, an owner who settles the matter ends the wait.
    """
    here = and_(_a.c.context_id == _q.c.context_id, or_(~_q.c.again, _a.c.question_id == _q.c.id))
    many = select(func.count(distinct(_a.c.person))).where(here, pool.live()).scalar_subquery()
    settled = exists().where(here, _a.c.settles, pool.live())
    more = and_(_q.c.wanted > 1, ~settled, many.correlate(_q) < _q.c.wanted)
    return or_(~exists().where(here, pool.live()), more)


def leased_now(now: float) -> ColumnElement[bool]:
    """The condition that somebody has the question before them."""
    return exists().where(_l.c.question_id == _q.c.id, _l.c.until > now)


def _may_answer(person: Any, now: Any) -> ColumnElement[bool]:
    """The condition that a question is for that person: nobody checks their own answer.

    Where nobody else has answered anything lately (`active`), the same person may, a day later.
    What is asked of several people is asked of each once.
    """
    own = and_(_a.c.context_id == _q.c.context_id, _a.c.person == person, pool.live())
    said = _a.alias()
    gone = exists().where(_r.c.answer_id == said.c.id)
    others = exists().where(said.c.person != person, said.c.at > now - RECENT, ~gone)
    lately = exists().where(own, or_(others, _a.c.at > now - AGAIN_AFTER))
    # Alone, a question that wants one reply has none.
    once = or_(_q.c.wanted == 1, ~exists().where(own))
    return case((_q.c.again, ~lately), else_=once)


def _is_free(person: Any, now: Any) -> ColumnElement[bool]:
    """The condition that fewer other people have or had the question than are wanted."""
    held = and_(_l.c.question_id == _q.c.id, _l.c.person != person, _l.c.until > now)
    here = and_(_a.c.context_id == _q.c.context_id, _a.c.person != person, pool.live())
    replied = select(func.count(distinct(_a.c.person))).where(here).scalar_subquery()
    same = and_(_a.c.context_id == _q.c.context_id, _a.c.person == _l.c.person)
    said = exists().where(same, pool.live()).correlate(_q, _l)
    hold = select(func.count()).select_from(_l).where(held, ~said)
    taken = replied.correlate(_q) + hold.scalar_subquery().correlate(_q)
    return case((_q.c.wanted > 1, taken < _q.c.wanted), else_=~exists().where(held))


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


def held(connection: Connection, now: float) -> int:
    """How many questions somebody holds at that moment and has not replied to."""
    mine = (_a.c.question_id == _l.c.question_id) & (_a.c.person == _l.c.person)
    query = select(func.count()).select_from(_l).where(_l.c.until > now, ~exists().where(mine))
    return int(connection.execute(query).scalar() or 0)


def left(connection: Connection) -> int:
    """How many questions of the queue nobody has replied to."""
    query = select(func.count()).select_from(_q).where(_q.c.queued, ~_q.c.done, unanswered())
    return int(connection.execute(query).scalar_one())


def waiting_contexts(connection: Connection) -> set[int]:
    """The contexts of the questions of the queue that wait for replies."""
    query = select(_q.c.context_id).where(_q.c.queued, ~_q.c.done, unanswered())
    return set(connection.scalars(query))


def leased(connection: Connection, now: float) -> int:
    """How many questions that wait for replies somebody has before them."""
    query = select(func.count(distinct(_l.c.question_id))).join(_q, _q.c.id == _l.c.question_id)
    query = query.where(_l.c.until > now, ~_q.c.done)
    return int(connection.execute(query).scalar_one())


def waiting(connection: Connection) -> list[Question]:
    """The questions of the queue that nobody has replied to, in the order they are asked."""
    query = questions().where(_q.c.queued, ~_q.c.done, unanswered())
    rows = connection.execute(query.order_by(_q.c.night.desc(), _q.c.rank))
    return [to_question(row) for row in rows]


def lease(
    connection: Connection,
    person: str,
    ttl: float,
    hold: Sequence[str],
    now: float,
    member: bool = False,
) -> Question | None:
    """The person's next question, kept for them for `ttl` seconds; None when none is left.

    With `member` only of whoever has an open account at this very moment; AccountError otherwise.

    What their client says it holds stays theirs for as long. Whoever has `MOST_LEASED` before
    them and leaves them all gets one of those again.
    """
    if member:
        refuse_shut(connection, person)
    given = {"me": person, "now": now, "ending": now + ttl}
    connection.execute(_ENDED, given)
    if hold:
        connection.execute(_RENEWED, {**given, "hold": list(hold[:MOST_LEASED])})
    for query in (_UNDONE, _OWN, BEST):
        if query is BEST and (again := full(connection, person, now)) is not None:
            give(connection, again.id, person, now + ttl)
            return again
        row = connection.execute(query, {"me": person, "now": now, "hold": list(hold)}).first()
        if row is not None:
            give(connection, row.question_id, person, now + ttl)
            return to_question(row)
    return None


def full(connection: Connection, person: str, now: float) -> Question | None:
    """The first of the questions before a person who has as many as one may; else None."""
    rows = connection.execute(_BEFORE_ME, {"me": person, "now": now}).all()
    return to_question(rows[0]) if len(rows) >= MOST_LEASED else None


def give(connection: Connection, question_id: str, person: str, until: float) -> None:
    """Let a person have a question before them until then (seconds since 1970)."""
    row = {"question_id": question_id, "person": person, "until": until}
    connection.execute(_given(connection.dialect.name), row)


@cache
def _given(dialect: str) -> Any:
    insert = insert_into(dialect, _l)
    keys = [_l.c.question_id, _l.c.person]
    return insert.on_conflict_do_update(index_elements=keys, set_={"until": insert.excluded.until})


def close(connection: Connection, context_id: int) -> None:
    """Mark the questions about a context that got all the replies they wait for."""
    connection.execute(_CLOSED, {"about": context_id})


def reopen(connection: Connection, context_ids: Select[tuple[int]]) -> None:
    """Look again at the questions about contexts of which a reply no longer counts."""
    opened = _q.update().where(_q.c.context_id.in_(context_ids), _q.c.done)
    connection.execute(opened.values(done=False))


def _undone() -> Select[Any]:
    # An answer taken back is asked again first, newest first, whether or not it is still queued,
    # unless others have said enough since; gold is everybody's, and must not stand out by it.
    again, mine, taken = _a.alias(), _a.alias(), _r.alias()
    still = ~exists().where(_r.c.answer_id == again.c.id)
    here = or_(~_q.c.again, again.c.question_id == _q.c.id)
    since = exists().where(
        again.c.context_id == _q.c.context_id, again.c.person == _ME, here, still
    )
    return (
        questions()
        .join(mine, mine.c.question_id == _q.c.id)
        .join(taken, taken.c.answer_id == mine.c.id)
        .where(taken.c.person == _ME, mine.c.person == _ME, taken.c.why == Retract.UNDO.value)
        .where(or_(_c.c.partition == Partition.GOLD.value, unanswered()))
        .where(~since, ~_HELD, or_(_q.c.wanted > 1, _is_free(_ME, _NOW)))
        .order_by(taken.c.seq.desc())
        .limit(1)
    )


def _own() -> Select[Any]:
    query = questions().join(_l, _l.c.question_id == _q.c.id)
    mine = and_(_l.c.person == _ME, _l.c.until > _NOW)
    return _first(query.where(mine, ~_HELD, or_(_q.c.wanted == 1, _may_answer(_ME, _NOW))))


def _before_me() -> Select[Any]:
    said = exists().where(_a.c.question_id == _q.c.id, _a.c.person == _ME, pool.live())
    query = questions().join(_l, _l.c.question_id == _q.c.id)
    query = query.where(_l.c.person == _ME, _l.c.until > _NOW, ~_q.c.done, ~said)
    return query.order_by(_l.c.until, _q.c.id).limit(MOST_LEASED)


def _first(query: Select[Any]) -> Select[Any]:
    # In the order of the index `questions_queue`, so that it stops at the first one.
    query = query.where(_q.c.queued, ~_q.c.done, unanswered())
    return query.order_by(_q.c.night.desc(), _q.c.rank).limit(1)


# Made once: a question is handed out in a third of the time when its statements are not built anew.
_ME, _NOW = bindparam("me", type_=Text), bindparam("now", type_=Double)
_HELD = _q.c.id.in_(bindparam("hold", expanding=True))
_UNDONE, _OWN, _BEFORE_ME = _undone(), _own(), _before_me()
BEST = _first(questions().where(~_HELD, _is_free(_ME, _NOW), _may_answer(_ME, _NOW)))
_ENDED = _l.delete().where(_l.c.person == _ME, _l.c.until <= _NOW)
_RENEWED = (
    _l.update()
    .where(_l.c.person == _ME, _l.c.question_id.in_(bindparam("hold", expanding=True)))
    .where(_l.c.until < bindparam("ending"))
    .values(until=bindparam("ending"))
)
_CLOSED = (
    _q.update()
    .where(_q.c.context_id == bindparam("about"), ~_q.c.done, ~unanswered())
    .values(done=True)
)


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
    key = name_key(connection)
    rows = [
        _question_row(pick, rank, version, night, key)
        for name, (rank, pick) in sorted(first.items(), key=lambda item: item[1][0])
        if name not in out
    ]
    if rows:
        insert = upsert(connection, _q)
        place = {name: insert.excluded[name] for name in ("queued", "spare", "rank", "wanted")}
        connection.execute(insert.on_conflict_do_update(index_elements=[_q.c.id], set_=place), rows)
    return sum(row["queued"] for row in rows)


def append(connection: Connection, picks: Sequence[Pick], version: str, now: float) -> int:
    """Add questions behind the queue; what waits or is before somebody stays as it is.

    A spare question of the newest night is moved there.
    """
    waits = and_(or_(_q.c.queued, leased_now(now)), unanswered())
    held = set(connection.scalars(select(_q.c.context_id).where(waits)))
    held |= _replied_among(connection, [pick.context.id for pick in picks])
    night = int(connection.execute(select(func.max(_q.c.night))).scalar() or 0)
    last = select(func.max(_q.c.rank)).where(_q.c.night == night)
    rank = int(connection.execute(last).scalar() or 0)
    behind = select(_q.c.context_id, _q.c.id).where(_q.c.night == night, _q.c.spare)
    spare = {row.context_id: row.id for row in connection.execute(behind)}
    key = name_key(connection)
    rows = [
        _question_row(pick, rank + place, version, night, key)
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


def name_key(connection: Connection) -> bytes:
    """The school's secret, by which the names of its questions are made."""
    return bytes.fromhex(meta.get(connection, "partition_key") or "")


def name_of(key: bytes, night: int, rank: int, context_id: int, again: bool = False) -> str:
    """A question's id: the same whenever it is posted anew; only its night can be read from it.

    A place in the queue would tell gold questions, which have none, from the others.
    """
    told = f"question {night} {rank} {context_id} {again}".encode()
    return f"q{night}-{hashlib.blake2b(told, key=key[:64], digest_size=10).hexdigest()}"


def _question_row(pick: Pick, rank: int, version: str, night: int, key: bytes) -> dict[str, Any]:
    return {
        # The same in a night that was killed here and resumed.
        "id": name_of(key, night, rank, pick.context.id, pick.again),
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
