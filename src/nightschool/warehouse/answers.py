"""Answers: kept once each, verbatim, for ever; a retraction is a record beside them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, distinct, exists, func, select

from nightschool.types import (
    Answer,
    AnsweredQuestion,
    AnswerError,
    ConflictingAnswer,
    Partition,
    Person,
    Reply,
    Retract,
    Retraction,
    UnknownQuestion,
)
from nightschool.warehouse import dataset, lineage, pool, queue, tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import answer_row, to_answer, to_question
from nightschool.warehouse.dialect import insert_once
from nightschool.warehouse.members import refuse_shut
from nightschool.warehouse.segments import ANSWERS

_q, _c, _a, _r = tables.questions, tables.contexts, tables.answers, tables.retractions

# Made once: an answer is kept in half the time when its statements are not built anew.
_ASKED = (
    select(_q.c.context_id, tables.people.c.id.label("person"))
    .outerjoin(tables.people, tables.people.c.id == bindparam("person"))
    .where(_q.c.id == bindparam("question"))
)


@dataclass(frozen=True)
class Counts:
    """How much the warehouse holds; `bank` counts exam contexts with an answer that counts.

    `answers` counts, by reply, those that still count; `examples` are those of the newest
    version's manifest; `queue_left` questions wait for an answer.
    """

    training: int
    exam: int
    questions: int
    answers: dict[Reply, int]
    retractions: int
    examples: int
    bank: int
    queue_left: int


def check(answer: Answer) -> None:
    """Raise AnswerError when the parts of an answer do not fit together."""
    if not answer.id or not answer.person:
        raise AnswerError(
            f"Answer {answer.id!r} of person {answer.person!r} needs an id and a person."
        )
    if (answer.document is not None) != (answer.reply == Reply.ANSWER):
        raise AnswerError(
            f"Answer {answer.id!r} is a reply of kind {answer.reply.value!r} "
            f"{'without' if answer.document is None else 'with'} a document; "
            "replies of kind 'answer' have one, and no others do."
        )
    if not (math.isfinite(answer.seconds) and answer.seconds >= 0):
        raise AnswerError(
            f"Answer {answer.id!r} took {answer.seconds} seconds; send a number from 0 up."
        )


def keep(connection: Connection, answer: Answer, member: bool = False) -> bool:
    """Keep an answer: True when new, False when it was kept before.

    Raises UnknownQuestion, and ConflictingAnswer when its id was used for something else. With
    `member` the person must have an account that is not shut, at this very moment: AccountError.
    """
    if member:
        refuse_shut(connection, answer.person)
    asked = connection.execute(
        _ASKED, {"question": answer.question_id, "person": answer.person}
    ).first()
    if asked is None:
        raise UnknownQuestion(
            f"No question has the id {answer.question_id!r}, which answer {answer.id!r} names; "
            "ask for a question and answer that."
        )
    if asked.person is None:
        add_person(connection, Person(answer.person))
    row = answer_row(answer, asked.context_id)
    if connection.execute(insert_once(connection, _a), row).rowcount == 1:
        queue.close(connection, asked.context_id)
        return True
    before = connection.execute(select(_a).where(_a.c.id == answer.id)).one()
    # Seconds and time of a retry may differ: a server may have measured them anew.
    said = ("question_id", "person", "reply", "kind", "body", "blobs", "note")
    if any(getattr(before, name) != row[name] for name in said):
        raise ConflictingAnswer(
            f"The id {answer.id!r} was used before, for {before.person}'s reply to "
            f"{before.question_id}; make a new id for every answer."
        )
    return False


def retract(connection: Connection, retraction: Retraction) -> bool:
    """Take an answer back: True when it counted until now, False when it did not any more.

    Raises AnswerError for an answer that is not there, ConflictingAnswer for an id used before.
    """
    given_by = select(_a.c.person).where(_a.c.id == retraction.answer_id)
    person = connection.execute(given_by).scalar()
    if person is None:
        raise AnswerError(
            f"No answer has the id {retraction.answer_id!r}; it is the id that its client made."
        )
    if retraction.why is Retract.UNDO and person != retraction.person:
        raise AnswerError(
            f"{retraction.person!r} cannot undo an answer of {person!r}; undo is for one's own "
            "answers, withdrawal for somebody else's."
        )
    row = {
        **{name: getattr(retraction, name) for name in ("id", "answer_id", "person", "reason")},
        "why": retraction.why.value,
        "at": float(retraction.at),
    }
    if connection.execute(insert_once(connection, _r), row).rowcount:
        queue.reopen(connection, select(_a.c.context_id).where(_a.c.id == retraction.answer_id))
        return True
    used = connection.execute(select(_r.c.answer_id).where(_r.c.id == retraction.id)).scalar()
    if used not in (None, retraction.answer_id):
        raise ConflictingAnswer(
            f"The id {retraction.id!r} was used before, to retract {used!r}; make a new one."
        )
    return False


def add_person(connection: Connection, person: Person) -> None:
    """Add a person; one who is known stays as they are."""
    row = {"id": person.id, "name": person.name}
    connection.execute(insert_once(connection, tables.people), row)


def people(connection: Connection) -> list[Person]:
    """Everybody who answers, by id."""
    rows = connection.execute(select(tables.people).order_by(tables.people.c.id))
    return [Person(row.id, row.name) for row in rows]


def find(connection: Connection, answer_id: str) -> Answer | None:
    """The answer with that id, whether or not it still counts."""
    row = connection.execute(select(_a).where(_a.c.id == answer_id)).first()
    return to_answer(row) if row is not None else None


def last(connection: Connection, person: str) -> Answer | None:
    """The person's newest answer that still counts; what they settled is reopened elsewhere."""
    query = select(_a).where(_a.c.person == person, ~_a.c.settles, pool.live())
    row = connection.execute(query.order_by(_a.c.seq.desc()).limit(1)).first()
    return to_answer(row) if row else None


def listed(
    connection: Connection, person: str | None, retracted: bool, newest: int | None
) -> list[Answer]:
    """Answers, oldest first: of one person or of all, with retracted ones, or the newest few."""
    query = select(_a).order_by(_a.c.seq.desc())
    if person is not None:
        query = query.where(_a.c.person == person)
    if not retracted:
        query = query.where(pool.live())
    rows = connection.execute(query.limit(newest) if newest is not None else query)
    return [to_answer(row) for row in reversed(rows.all())]


def seconds(connection: Connection, person: str | None, newest: int) -> list[float]:
    """Seconds of the newest timed answers, newest first: one person's or everybody's."""
    query = select(_a.c.seconds).where(_a.c.seconds > 0).order_by(_a.c.seq.desc()).limit(newest)
    if person is not None:
        query = query.where(_a.c.person == person)
    return list(connection.scalars(query))


def replies(connection: Connection, contexts: Collection[int]) -> list[tuple[int, Answer]]:
    """Each answer to those training contexts that counts, with its context, oldest first."""
    rows: list[Any] = []
    for part in batches(contexts, LISTED):
        query = select(_a).join(_c, _c.c.id == _a.c.context_id)
        # A test file may have taken a context over since: what was said there is the exam's.
        training = _c.c.partition == Partition.TRAINING.value
        query = query.where(_a.c.context_id.in_(part), training, pool.live())
        rows += connection.execute(query).all()
    rows.sort(key=lambda row: row.seq)
    return [(row.context_id, to_answer(row)) for row in rows]


def retractions(connection: Connection) -> list[Retraction]:
    """Every retraction, oldest first."""
    columns = [column for column in _r.c if column.name != "seq"]
    rows = connection.execute(select(*columns).order_by(_r.c.seq))
    return [Retraction(**row._mapping) for row in rows]


def answered(
    connection: Connection,
    partition: Partition,
    up_to: int | None = None,
    retracted_up_to: int | None = None,
) -> list[AnsweredQuestion]:
    """Contexts with every answer that counts, as their first question, by their first answer.

    Only answers and retractions up to the two sequence numbers are seen.
    """
    return grouped(connection, _answers_between(connection, partition, up_to, retracted_up_to))


def grouped(connection: Connection, answers: Sequence[Any]) -> list[AnsweredQuestion]:
    """Rows of answers, oldest first, by context: each as the question of its first answer."""
    about: dict[int, list[Any]] = {}
    for row in answers:
        about.setdefault(row.context_id, []).append(row)
    firsts = _questions_of(connection, [rows[0].question_id for rows in about.values()])
    return [
        AnsweredQuestion(firsts[rows[0].question_id], tuple(to_answer(row) for row in rows))
        for rows in about.values()
    ]


def _answers_between(
    connection: Connection, partition: Partition, up_to: int | None, retracted_up_to: int | None
) -> Sequence[Any]:
    gone: ColumnElement[bool] = _r.c.answer_id == _a.c.id
    if retracted_up_to is not None:
        gone = and_(gone, _r.c.seq <= retracted_up_to)
    query = (
        select(_a)
        .join(_c, _c.c.id == _a.c.context_id)
        .where(_c.c.partition == partition.value, ~exists().where(gone))
    )
    if up_to is not None:
        query = query.where(_a.c.seq <= up_to)
    return connection.execute(query.order_by(_a.c.seq)).all()


def _questions_of(connection: Connection, ids: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in batches(ids, LISTED):
        rows = connection.execute(queue.questions().where(_q.c.id.in_(part)))
        found.update({row.question_id: to_question(row) for row in rows})
    return found


def marks(connection: Connection) -> tuple[int, int]:
    """The highest sequence numbers of answers and of retractions; 0 when there are none."""
    answer = connection.execute(select(func.max(_a.c.seq))).scalar()
    retraction = connection.execute(select(func.max(_r.c.seq))).scalar()
    return int(answer or 0), int(retraction or 0)


def count(connection: Connection) -> Counts:
    """How much there is of everything."""
    sides = _tally(connection, select(_c.c.partition, func.count()).group_by(_c.c.partition))
    replies = select(_a.c.reply, func.count()).where(pool.live()).group_by(_a.c.reply)
    by_reply = _tally(connection, replies)
    bank = (
        select(func.count(distinct(_a.c.context_id)))
        .join(_c, _c.c.id == _a.c.context_id)
        .where(
            pool.live(), _a.c.reply == Reply.ANSWER.value, _c.c.partition == Partition.EXAM.value
        )
    )
    return Counts(
        training=sides.get(Partition.TRAINING.value, 0),
        exam=sides.get(Partition.EXAM.value, 0),
        questions=queue.count(connection),
        answers={reply: by_reply.get(reply.value, 0) for reply in Reply},
        retractions=_how_many(connection, _r),
        examples=_examples(connection),
        bank=int(connection.execute(bank).scalar_one()),
        queue_left=queue.left(connection),
    )


def _examples(connection: Connection) -> int:
    if lineage.next_number(connection) == 0:
        return 0
    manifest = dataset.find(connection, lineage.newest(connection).manifest)
    rows = sum(segment.rows for segment in manifest.segments if segment.role == ANSWERS)
    return rows - len(manifest.excluded)


def _tally(connection: Connection, query: Any) -> dict[str, int]:
    return {name: int(number) for name, number in connection.execute(query)}


def _how_many(connection: Connection, table: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
