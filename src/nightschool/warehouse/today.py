"""How many replies a person gave since a moment: today's count, on whichever device."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from nightschool.warehouse import pool, tables


def replies_since(connection: Connection, person: str, since: float) -> int:
    """That person's replies of any kind since that second (since 1970, UTC) that still count."""
    answers = tables.answers.c
    query = select(func.count()).where(answers.person == person, answers.at >= since, pool.live())
    return int(connection.execute(query.select_from(tables.answers)).scalar_one())
