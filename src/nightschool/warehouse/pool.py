"""The pool: contexts that could be asked, each on its side of the wall for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select

from nightschool.types import Context, Document, Partition
from nightschool.warehouse import tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import context_row, to_context, unpack_blobs
from nightschool.warehouse.dialect import insert_once

AT_ONCE = 2_000
"""Contexts in one transaction; answers that are kept meanwhile wait no longer than that takes."""


@dataclass(frozen=True)
class Added:
    """What `add_contexts` did: how many were new or known, and the new ones by partition."""

    new: int = 0
    known: int = 0
    training: int = 0
    exam: int = 0

    def __add__(self, other: Added) -> Added:
        return Added(
            self.new + other.new,
            self.known + other.known,
            self.training + other.training,
            self.exam + other.exam,
        )


def live() -> ColumnElement[bool]:
    """The condition that an answer still counts: nobody has retracted it."""
    retractions = tables.retractions
    return ~exists().where(retractions.c.answer_id == tables.answers.c.id)


def replied() -> Select[tuple[int]]:
    """Contexts that somebody replied to (a skip is a reply) with a reply that still counts."""
    return select(tables.answers.c.context_id).where(live())


def present(connection: Connection, ids: Collection[int]) -> set[int]:
    """Those of the context ids that the log has."""
    contexts = tables.contexts
    found: set[int] = set()
    for part in batches(ids, LISTED):
        found.update(connection.scalars(select(contexts.c.id).where(contexts.c.id.in_(part))))
    return found


def add(
    connection: Connection,
    contexts: Sequence[Context],
    partition: Callable[[Context], Partition],
) -> Added:
    """Add the contexts that are new; one that is known keeps the partition it was given."""
    given = {context.id: context for context in contexts}
    known = present(connection, given.keys())
    new = [(c, partition(c)) for name, c in given.items() if name not in known]
    if new:
        rows = [context_row(context, side) for context, side in new]
        connection.execute(insert_once(connection, tables.contexts), rows)
    exam = sum(side == Partition.EXAM for _, side in new)
    return Added(len(new), len(contexts) - len(new), len(new) - exam, exam)


def contexts_of(
    connection: Connection, partition: Partition, answered: bool | None
) -> list[Context]:
    """Contexts of a partition in the order of their ids; those with a reply, without, or all."""
    contexts = tables.contexts
    query = select(contexts).where(contexts.c.partition == partition.value)
    if answered is not None:
        inside = contexts.c.id.in_(replied())
        query = query.where(inside if answered else ~inside)
    return [to_context(row) for row in connection.execute(query.order_by(contexts.c.id))]


def sample(connection: Connection, partition: Partition, n: int, key: int) -> list[Context]:
    """At most n contexts that nobody has replied to and that may be asked, drawn at random.

    Ids are bits of a digest, so the n ids that follow a random one are a random sample; what is
    read does not grow with the pool. A test file's contexts have their answers and stay out; what
    the model wrote is asked on the day for which it was written, or never.
    """
    contexts = tables.contexts
    start = int.from_bytes(hashlib.sha256(f"{key}".encode()).digest()[:8], "big") >> 1
    open_ones = (
        select(contexts)
        .where(contexts.c.partition == partition.value)
        .where(contexts.c.source.not_in(("exam", "written")))
        .where(~exists().where(tables.answers.c.context_id == contexts.c.id, live()))
        .order_by(contexts.c.id)
    )
    rows = connection.execute(open_ones.where(contexts.c.id >= start).limit(n)).all()
    if len(rows) < n:
        rest = open_ones.where(contexts.c.id < start).limit(n - len(rows))
        rows = [*rows, *connection.execute(rest)]
    return [to_context(row) for row in rows]


def asked(connection: Connection, partition: Partition, n: int) -> list[Context]:
    """At most n contexts of a partition that were replied to lately, newest last."""
    contexts, answers = tables.contexts, tables.answers
    last = func.max(answers.c.seq).label("last")
    newest = (
        select(answers.c.context_id, last).where(live()).group_by(answers.c.context_id).subquery()
    )
    query = (
        select(contexts)
        .join(newest, newest.c.context_id == contexts.c.id)
        .where(contexts.c.partition == partition.value)
        .order_by(newest.c.last.desc())
        .limit(n)
    )
    return [to_context(row) for row in connection.execute(query)][::-1]


def documents(connection: Connection, partition: Partition) -> list[Document]:
    """The documents of all contexts of a partition, without their parts."""
    contexts = tables.contexts
    columns = select(contexts.c.body, contexts.c.kind, contexts.c.blobs)
    rows = connection.execute(columns.where(contexts.c.partition == partition.value))
    return [Document(row.body, row.kind, unpack_blobs(row.blobs)) for row in rows]


def reserve(connection: Connection, ids: Collection[int]) -> None:
    """Move contexts to the exam partition, and their questions out of the queue."""
    contexts, questions = tables.contexts, tables.questions
    for part in batches(ids, LISTED):
        connection.execute(
            contexts.update()
            .where(contexts.c.id.in_(part))
            .values(partition=Partition.EXAM.value, source="exam")
        )
        connection.execute(
            questions.update()
            .where(questions.c.context_id.in_(part))
            .values(queued=False, spare=False)
        )
