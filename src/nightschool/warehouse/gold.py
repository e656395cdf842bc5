"""Gold: contexts whose answers are known, by which a school sees who answers with care."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select

from nightschool.types import (
    AnsweredQuestion,
    Context,
    Partition,
    Question,
    Retract,
    Version,
)
from nightschool.warehouse import answers, meta, queue, tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import context_row, to_context
from nightschool.warehouse.dialect import insert_once, upsert
from nightschool.warehouse.log import Log
from nightschool.warehouse.members import refuse_shut

_g, _c, _q, _a = tables.gold, tables.contexts, tables.questions, tables.answers
_l, _r = tables.leases, tables.retractions

STRATEGY = "gold"
"""The name under which such questions stand in the log; nobody who answers sees it."""


GUESSES = "gold_guesses"
"""The key under which the log keeps what the model would say of gold: context id to text."""


@dataclass(frozen=True)
class GoldItem:
    """A context and the texts that are right; who brought it, and when (seconds since 1970)."""

    context: Context
    accepted: tuple[str, ...]
    person: str
    at: float


class GoldStore:
    """The gold of one school in its log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def items(self) -> Sequence[GoldItem]:
        """All items that are still gold, in the order of their contexts' ids."""
        with self._log.read() as connection:
            return _items(connection)

    def taken(self, ids: Collection[int]) -> set[int]:
        """Those of the contexts that somebody has replied to, whatever became of the reply."""
        found: set[int] = set()
        with self._log.read() as connection:
            for part in batches(ids, LISTED):
                query = select(_a.c.context_id).where(_a.c.context_id.in_(part))
                found.update(connection.scalars(query.join(_c, _c.c.id == _a.c.context_id)
                             .where(_c.c.partition != Partition.GOLD.value)))  # fmt: skip
        return found

    def add(self, items: Sequence[GoldItem]) -> None:
        """Put contexts on neither side, with their answers, and out of the queue; durably."""
        self._log.write(lambda c: _add(c, items))

    def answered(
        self, up_to: int | None = None, retracted_up_to: int | None = None
    ) -> Sequence[AnsweredQuestion]:
        """The items with each person's first reply, also where they took it back themselves.

        Whoever tries one answer after the other is judged by the first. Nobody is by an item on
        which a reply of theirs was withdrawn. Only answers and retractions up to the two sequence
        numbers are seen.
        """
        with self._log.read() as connection:
            return _answered(connection, up_to, retracted_up_to)

    def draws(self, person: str, held: int) -> int:
        """How many questions that person had, with those that they hold: it only grows."""
        with self._log.read() as connection:
            query = select(func.count()).select_from(_a).where(_a.c.person == person)
            return held + int(connection.execute(query).scalar_one())

    def lease(
        self,
        person: str,
        hold: Sequence[str],
        key: bytes,
        version: Version,
        now: float,
        ttl: float,
        member: bool = False,
    ) -> Question | None:
        """A gold question that the person has not had, theirs for `ttl` seconds; None without one.

        Each person meets the items in an order of their own, which `key` decides. What they took
        back comes before any gold. With `member` AccountError for whoever has no open account.
        """

        def work(connection: Connection) -> Question | None:
            if member:
                refuse_shut(connection, person)
            return _lease(connection, person, hold, key, version.id, now, ttl)

        return self._log.write(work)


def _items(connection: Connection) -> list[GoldItem]:
    query = select(_c, _g.c.accepted, _g.c.person, _g.c.at).join(_g, _g.c.context_id == _c.c.id)
    rows = connection.execute(query.where(_c.c.partition == Partition.GOLD.value).order_by(_c.c.id))
    return [
        GoldItem(to_context(row), tuple(json.loads(row.accepted)), row.person, row.at)
        for row in rows
    ]


def _answered(
    connection: Connection, up_to: int | None, retracted_up_to: int | None
) -> list[AnsweredQuestion]:
    gone = and_(_r.c.answer_id == _a.c.id, _r.c.why != Retract.UNDO.value)
    if retracted_up_to is not None:
        gone = and_(gone, _r.c.seq <= retracted_up_to)
    query = select(_a, exists().where(gone).label("withdrawn")).order_by(_a.c.seq)
    query = query.join(_c, _c.c.id == _a.c.context_id)
    query = query.where(_c.c.partition == Partition.GOLD.value, ~_a.c.settles)
    if up_to is not None:
        query = query.where(_a.c.seq <= up_to)
    first: dict[tuple[int, str], Any] = {}
    withdrawn = set()
    for row in connection.execute(query):
        first.setdefault((row.context_id, row.person), row)
        withdrawn |= {(row.context_id, row.person)} if row.withdrawn else set()
    return answers.grouped(connection, [r for key, r in first.items() if key not in withdrawn])


def _add(connection: Connection, items: Sequence[GoldItem]) -> None:
    contexts = [item.context for item in items]
    rows = [context_row(context, Partition.GOLD) for context in contexts]
    if rows:
        connection.execute(insert_once(connection, _c), rows)
    gold = {"partition": Partition.GOLD.value, "source": "gold"}
    for part in batches([context.id for context in contexts], LISTED):
        connection.execute(_c.update().where(_c.c.id.in_(part)).values(**gold))
        gone = _q.update().where(_q.c.context_id.in_(part))
        connection.execute(gone.values(queued=False, spare=False))
    for item in items:
        said = {"accepted": json.dumps(item.accepted, ensure_ascii=False)}
        row = {**said, "person": item.person, "at": float(item.at)}
        insert = upsert(connection, _g).values(context_id=item.context.id, **row)
        connection.execute(insert.on_conflict_do_update(index_elements=["context_id"], set_=row))


def _lease(
    connection: Connection,
    person: str,
    hold: Sequence[str],
    key: bytes,
    version: str,
    now: float,
    ttl: float,
) -> Question | None:
    if _took_back(connection, person):
        return None
    own = select(_q.c.id, _q.c.context_id, _q.c.strategy, _q.c.rank, _l.c.until)
    leased = connection.execute(
        own.join(_l, _l.c.question_id == _q.c.id).where(_l.c.person == person)
    ).all()
    had = set(connection.scalars(select(_a.c.context_id).where(_a.c.person == person)))
    waits = [r for r in leased if r.strategy == STRATEGY and r.context_id not in had]
    for row in waits:
        if row.id not in hold and row.until > now:
            queue.give(connection, row.id, person, now + ttl)
            return queue.find(connection, row.id)
    had |= {row.context_id for row in waits if row.id in hold}
    if queue.full(connection, person, now) is not None:
        return None
    # Ids alone: everybody else's answers wait while this is decided.
    of_gold = select(_g.c.context_id).join(_c, _c.c.id == _g.c.context_id)
    every = connection.scalars(of_gold.where(_c.c.partition == Partition.GOLD.value))
    left = [context_id for context_id in every if context_id not in had]
    beside = connection.execute(queue.BEST, {"me": person, "now": now, "hold": list(hold)}).first()
    guesses: dict[str, str] = {}
    if beside is not None and beside.guess:
        # It comes with a guess where the question in whose place it is has one.
        guesses = json.loads(meta.get(connection, GUESSES) or "{}")
        left = [context_id for context_id in left if guesses.get(f"{context_id}")]
    if not left:
        return None
    chosen = min(left, key=lambda context_id: _place(key, person, context_id))
    # What a person sees of it is like its neighbours': the night in its name, and the version.
    night = int(connection.execute(select(func.max(_q.c.night))).scalar() or 0)
    posted = select(_q.c.version).where(_q.c.night == night, _q.c.strategy != STRATEGY)
    version = connection.execute(posted.order_by(_q.c.rank).limit(1)).scalar() or version
    rank = max((row.rank for row in leased), default=-1) + 1
    name = queue.name_of(queue.name_key(connection), night, rank, chosen)
    made = {"id": name, "context_id": chosen, "strategy": STRATEGY, "score": 0.0}
    place = {"version": version, "night": night, "rank": rank, "wanted": 1}
    place["guess"] = guesses.get(f"{chosen}", "")
    flags = {"queued": False, "spare": False, "again": False, "done": False}
    connection.execute(insert_once(connection, _q), {**made, **place, **flags})
    queue.give(connection, name, person, now + ttl)
    return queue.find(connection, name)


def _took_back(connection: Connection, person: str) -> bool:
    """Whether the person's newest reply is one that they took back."""
    query = select(_a.c.id, _r.c.why).outerjoin(_r, _r.c.answer_id == _a.c.id)
    row = connection.execute(
        query.where(_a.c.person == person).order_by(_a.c.seq.desc()).limit(1)
    ).first()
    return row is not None and row.why == Retract.UNDO.value


def _place(key: bytes, person: str, context_id: int) -> bytes:
    return hashlib.sha256(key + f"gold {context_id} {person}".encode()).digest()


def draw(key: bytes, person: str, number: int) -> float:
    """A number in [0, 1) for a person's question of that number, that only the key tells."""
    digest = hashlib.sha256(key + f"draw {number} {person}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)
