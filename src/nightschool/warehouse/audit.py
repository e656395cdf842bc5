"""The audit trail: who changed what about people, settings, champions and answers, and when."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from nightschool.warehouse import tables
from nightschool.warehouse.log import Log

_t = tables.audit


@dataclass(frozen=True)
class Entry:
    """One change: when (seconds since 1970), by whom, what was done, to what, and the details."""

    seq: int
    at: float
    person: str
    action: str
    subject: str
    detail: str = ""


class Audit:
    """The trail of one school; entries are appended and never changed."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def note(
        self, person: str, action: str, subject: str, detail: str = "", at: float | None = None
    ) -> None:
        """Record that a person did something to a subject, durably."""
        moment = time.time() if at is None else at
        self._log.write(lambda c: note(c, person, action, subject, detail, moment))

    def entries(self, newest: int = 200) -> Sequence[Entry]:
        """The newest entries, newest first."""
        with self._log.read() as connection:
            rows = connection.execute(select(_t).order_by(_t.c.seq.desc()).limit(newest))
            return [Entry(**row._mapping) for row in rows]


def note(
    connection: Connection, person: str, action: str, subject: str, detail: str, at: float
) -> None:
    """The same inside a write, so that a change and its entry are kept together or not at all."""
    row = {"at": float(at), "person": person, "action": action, "subject": subject}
    connection.execute(_t.insert().values(**row, detail=detail))
