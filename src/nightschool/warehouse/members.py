"""Whether somebody may still come in, asked inside the write that lets them do something."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from nightschool.types.people import AccountError
from nightschool.warehouse.tables import accounts

# Made once: it is asked at every question and every answer.
_OPEN = select(accounts.c.person).where(
    accounts.c.person == bindparam("person"), accounts.c.disabled.is_(None)
)


def refuse_shut(connection: Connection, person: str) -> None:
    """Raise AccountError for whoever was shut out or erased since they were let in.

    Who was let in is remembered for some seconds, also by other processes; inside a write nothing
    is: they get no question and say no more, and are not made anew.
    """
    if connection.execute(_OPEN, {"person": person}).first() is None:
        raise AccountError("Your account was shut or erased; nothing was kept. Ask the owner.")
