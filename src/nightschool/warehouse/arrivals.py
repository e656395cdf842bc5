"""Answers that come from elsewhere: contexts, questions and answers of a file, in one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from nightschool.types import Answer, ConflictingAnswer, Context, Partition, Person
from nightschool.warehouse import answers, audit, pool, queue, tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import answer_row
from nightschool.warehouse.dialect import insert_once
from nightschool.warehouse.log import Log
from nightschool.warehouse.pool import Added

STRATEGY = "import"
"""Why such a question was asked: it was not chosen here."""

_q, _a = tables.questions, tables.answers
_SAID = ("person", "reply", "kind", "body", "note")


@dataclass(frozen=True)
class Note:
    """What the audit trail says of it: who took which file in, what it was, and when."""

    person: str
    file: str
    told: str
    at: float


@dataclass(frozen=True)
class Arrived:
    """What was new: contexts (and by partition), answers; and the answers that were known."""

    contexts: Added
    answers: int
    known: int


class Arrivals:
    """Takes answers of a file in, all or nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def take(
        self,
        said: Sequence[tuple[Context, Answer]],
        partition: Callable[[Context], Partition],
        version: str,
        note: Note,
        *,
        check: bool = False,
    ) -> Arrived:
        """Keep what is new, durably; with `check` nothing is kept, and what would be is told.

        Each answer's question must be `question_id` of its context. The queue stays as it is.
        Raises ConflictingAnswer for an id that was used for something else.
        """

        # All that takes long is made before the log is held: people answer meanwhile.
        contexts = {context.id: context for context, _ in said}
        rows = {answer.id: answer_row(answer, _about(answer)) for _, answer in said}

        def work(connection: Connection) -> Arrived:
            arrived = take(connection, contexts, rows, partition, version, note)
            if check:
                raise _Checked(arrived)
            return arrived

        try:
            return self._log.write(work)
        except _Checked as done:
            return done.arrived


class _Checked(Exception):
    """Thrown inside a write so that nothing of it is kept."""

    def __init__(self, arrived: Arrived) -> None:
        super().__init__()
        self.arrived = arrived


def question_id(context_id: int) -> str:
    """The question under which imported answers about a context stand: one for each context."""
    return f"i{context_id:016x}"


def _about(answer: Answer) -> int:
    return int(answer.question_id[1:], 16)


def take(
    connection: Connection,
    contexts: Mapping[int, Context],
    rows: Mapping[str, Mapping[str, Any]],
    partition: Callable[[Context], Partition],
    version: str,
    note: Note,
) -> Arrived:
    """Keep contexts by id, and answers as rows by id, that are new; the queue stays as it is.

    Raises ConflictingAnswer for an id that was used for something else.
    """
    added = Added()
    for chunk in batches(contexts.values(), pool.AT_ONCE):
        added += pool.add(connection, chunk, partition)
    _ask(connection, contexts, version)
    for name in sorted({row["person"] for row in rows.values()}):
        answers.add_person(connection, Person(name))
    before = _known(connection, list(rows))
    for name, row in rows.items():
        if name in before and any(before[name][part] != row[part] for part in _SAID):
            raise ConflictingAnswer(
                f"The id {name!r} is that of another answer here ({before[name]['person']}'s); "
                "nothing was imported. Give each answer of the file an id of its own."
            )
    new = [row for name, row in rows.items() if name not in before]
    for part in batches(new, LISTED):
        connection.execute(insert_once(connection, _a), part)
    for context_id in _waiting(connection, {row["context_id"] for row in new}):
        queue.close(connection, context_id)
    if new or added.new:
        told = f"{len(new)} new answers; {note.told}"
        audit.note(connection, note.person, "import", note.file, told, note.at)
    return Arrived(added, len(new), len(before))


def _ask(connection: Connection, contexts: Iterable[int], version: str) -> None:
    for part in batches(contexts, LISTED):
        rows = [
            {
                "id": question_id(name), "context_id": name, "strategy": STRATEGY, "score": 0.0,
                "version": version, "night": 0, "rank": 0, "queued": False, "spare": False,
                "again": False, "done": True, "wanted": 1, "guess": "",
            }
            for name in part
        ]  # fmt: skip
        connection.execute(insert_once(connection, _q), rows)


def _known(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for part in batches(ids, LISTED):
        rows = connection.execute(select(_a).where(_a.c.id.in_(part)))
        found.update({row.id: dict(row._mapping) for row in rows})
    return found


def _waiting(connection: Connection, contexts: set[int]) -> list[int]:
    """Those of the contexts about which a question waits in the queue."""
    found: list[int] = []
    for part in batches(sorted(contexts), LISTED):
        open_ones = select(_q.c.context_id).where(_q.c.context_id.in_(part), ~_q.c.done)
        found += connection.scalars(open_ones.distinct())
    return found
