"""Where the words of one person stand among what others decided and what the model said."""

from __future__ import annotations

from sqlalchemy import Connection, select

from nightschool.types import normalise
from nightschool.warehouse import tables

_q, _a = tables.questions, tables.answers


def own_words(connection: Connection, person: str) -> set[str]:
    """Normalised texts that this person gave and nobody else did, but to settle a question."""
    given = select(_a.c.body).where(_a.c.body.is_not(None))
    texts = connection.scalars(given.where(_a.c.person == person))
    mine = {normalise(text) for text in texts if text.strip()}
    if not mine:
        return mine
    theirs = connection.scalars(given.where(_a.c.person != person, ~_a.c.settles))
    return mine - {normalise(text) for text in theirs}


def settled_by(connection: Connection, person: str, words: set[str]) -> set[str]:
    """Ids of the answers by which others settled what this person was asked, in their words.

    Elsewhere the same word is whoever settled's own: in a school with labels it may well be one.
    """
    query = select(_a.c.id, _a.c.context_id, _a.c.body).where(_a.c.body.is_not(None))
    given = connection.execute(query.where(_a.c.person == person))
    said = {(row.context_id, normalise(row.body)) for row in given}
    rows = connection.execute(query.where(_a.c.settles, _a.c.person != person))
    told = ((row.id, row.context_id, normalise(row.body)) for row in rows)
    return {name for name, about, text in told if text in words and (about, text) in said}


def forget_guesses(connection: Connection, words: set[str]) -> None:
    """Blank what the model said of a question, where it is one of these words."""
    rows = connection.execute(select(_q.c.id, _q.c.guess).where(_q.c.guess != ""))
    for name in [row.id for row in rows if normalise(row.guess) in words]:
        connection.execute(_q.update().where(_q.c.id == name).values(guess=""))
