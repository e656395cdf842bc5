"""The outbox of the webhooks: what happened, read from the log itself, and who is still untold.

Nothing has to be announced where it happens: `gather` reads what the log holds beyond a mark and
moves the mark in the same write, so an event is neither lost with a process nor told twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from nightschool.warehouse import meta, tables
from nightschool.warehouse.codec import unpack_verdict
from nightschool.warehouse.dialect import insert_once
from nightschool.warehouse.log import Log

ANSWER_KEPT = "answer_kept"
NIGHT_ENDED = "night_ended"
CHAMPION_CHANGED = "champion_changed"
EVENTS = (ANSWER_KEPT, NIGHT_ENDED, CHAMPION_CHANGED)
"""What can be told; an event's data are ids and numbers, never a text nor a person."""

AT_ONCE = 500
"""Events of a kind that are gathered in one write."""

_t = tables.deliveries
_MARKS = {name: f"told.{name}" for name in EVENTS}


@dataclass(frozen=True)
class Delivery:
    """One message to one webhook; `tries` is how often it was sent in vain."""

    seq: int
    hook: str
    id: str
    event: str
    body: str
    at: float
    tries: int


@dataclass(frozen=True)
class Event:
    """Something that happened: `number` orders events of a kind, `id` is the same for ever."""

    name: str
    number: int
    id: str
    at: float
    data: Mapping[str, Any]


class Deliveries:
    """The outbox of one school."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def begin(self) -> None:
        """Tell from now on what happens; goes on where it stopped, if it was never paused."""
        self._log.write(_begin)

    def pause(self) -> None:
        """Tell nothing of what happens from now on, nor what was left untold."""
        self._log.write(_pause)

    def gather(self, hooks: Mapping[str, Collection[str]], now: float) -> int:
        """Put what happened into the outbox of every hook that wants it; how many messages.

        `hooks` names, for each webhook, the events that it wants.
        """
        with self._log.read() as connection:
            if not any(True for name in EVENTS for _ in _events(connection, name, 1)):
                return 0
        return self._log.write(lambda connection: _gather(connection, hooks, now))

    def due(self, now: float, n: int) -> Sequence[Delivery]:
        """At most n messages that should be sent now, oldest first."""
        columns = [_t.c[name] for name in Delivery.__dataclass_fields__]
        query = select(*columns).where(_t.c.done.is_(None), _t.c.due <= now)
        with self._log.read() as connection:
            rows = connection.execute(query.order_by(_t.c.seq).limit(n))
            return [Delivery(**row._mapping) for row in rows]

    def delivered(self, seq: int, now: float) -> None:
        """Record that a message arrived."""
        self._settle(seq, done=now, error="")

    def failed(self, seq: int, error: str, again: float | None, now: float) -> None:
        """Record that a message did not arrive; it is sent again at `again`, or never (None)."""
        if again is None:
            self._settle(seq, done=now, error=error, tries=_t.c.tries + 1)
        else:
            self._settle(seq, due=again, error=error, tries=_t.c.tries + 1)

    def forget(self, before: float) -> int:
        """Throw away settled messages from before a moment; how many."""
        gone = delete(_t).where(_t.c.done.is_not(None), _t.c.done < before)
        return self._log.write(lambda connection: int(connection.execute(gone).rowcount))

    def waiting(self) -> Mapping[str, int]:
        """How many messages wait, by webhook."""
        query = select(_t.c.hook, func.count()).where(_t.c.done.is_(None)).group_by(_t.c.hook)
        with self._log.read() as connection:
            return {str(hook): int(n) for hook, n in connection.execute(query)}

    def newest(self, n: int) -> Sequence[Mapping[str, Any]]:
        """The newest n messages and what became of them, newest first."""
        with self._log.read() as connection:
            rows = connection.execute(select(_t).order_by(_t.c.seq.desc()).limit(n))
            return [dict(row._mapping) for row in rows]

    def _settle(self, seq: int, **values: Any) -> None:
        done = update(_t).where(_t.c.seq == seq).values(**values)
        self._log.write(lambda connection: connection.execute(done) and None)


def _begin(connection: Connection) -> None:
    for name, (number, _) in _LAST.items():
        if meta.get(connection, _MARKS[name]) is None:
            newest = connection.execute(select(func.max(number))).scalar()
            meta.put(connection, {_MARKS[name]: str(int(newest or 0))})


def _pause(connection: Connection) -> None:
    connection.execute(delete(tables.meta).where(tables.meta.c.key.in_(list(_MARKS.values()))))
    connection.execute(delete(_t).where(_t.c.done.is_(None)))


def _gather(connection: Connection, hooks: Mapping[str, Collection[str]], now: float) -> int:
    told = 0
    for name in EVENTS:
        for event in _events(connection, name, AT_ONCE):
            body = {"type": event.name, "timestamp": event.at, "data": dict(event.data)}
            text = json.dumps(body, allow_nan=False)
            for hook in (hook for hook, wanted in hooks.items() if name in wanted):
                row = {"hook": hook, "id": event.id, "event": name, "body": text, "at": now}
                made = insert_once(connection, _t).values(**row, tries=0, due=now, error="")
                told += connection.execute(made).rowcount
            meta.put(connection, {_MARKS[name]: str(event.number)})
    return told


def _events(connection: Connection, name: str, n: int) -> Iterator[Event]:
    """At most n events of a kind beyond its mark, oldest first; none before `begin`."""
    mark = meta.get(connection, _MARKS[name])
    if mark is None:
        return
    number, find = _LAST[name]
    query = find().where(number > int(mark)).order_by(number).limit(n)
    for row in connection.execute(query).fetchall():
        yield _made(name, row)


def _made(name: str, row: Any) -> Event:
    if name == ANSWER_KEPT:
        keys = ("question_id", "reply", "seconds", "at")
        data = {"answer_id": row.id, **{key: row._mapping[key] for key in keys}}
        return Event(name, row.seq, f"{name}_{row.id}", row.at, data)
    if name == CHAMPION_CHANGED:
        data = {"version": row.version, "night": row.night, "by_hand": row.night == 0}
        return Event(name, row.seq, f"{name}_{row.seq}", row.at, data)
    data = {"night": row.number, "rebuild": row.rebuild, "seconds": row.finished - row.started}
    if row.body is not None:
        verdict = unpack_verdict(row.body)
        found = ("champion", "challenger", "serves", "before", "after", "items")
        data |= {key: _finite(getattr(verdict, key)) for key in found}
        data["decision"] = verdict.decision.value
    return Event(name, row.number, f"{name}_{row.number}", row.finished, data)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _answers() -> Any:
    t = tables.answers.c
    return select(t.seq, t.id, t.question_id, t.reply, t.seconds, t.at)


def _nights() -> Any:
    nights, verdicts = tables.nights, tables.verdicts
    joined = nights.outerjoin(verdicts, verdicts.c.night == nights.c.number)
    t = nights.c
    told = select(t.number, t.rebuild, t.started, t.finished, verdicts.c.body)
    return told.select_from(joined).where(t.finished.is_not(None))


def _champions() -> Any:
    t = tables.champions.c
    return select(t.seq, t.version, t.night, t.at)


_LAST: Mapping[str, tuple[Any, Any]] = {
    ANSWER_KEPT: (tables.answers.c.seq, _answers),
    NIGHT_ENDED: (tables.nights.c.number, _nights),
    CHAMPION_CHANGED: (tables.champions.c.seq, _champions),
}
"""For each event, the number that orders it and the rows that tell it."""
