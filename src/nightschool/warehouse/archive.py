"""The archive: what the warehouse keeps, searched, filtered, and one record's traces found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select

from nightschool.types import (
    Answer,
    Context,
    Document,
    Example,
    Manifest,
    Mark,
    Partition,
    Question,
    Reply,
    Retract,
    Retraction,
    Segment,
)
from nightschool.warehouse import dataset, pool, queue, tables
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.codec import to_answer, to_context, to_question, unpack_result
from nightschool.warehouse.dialect import holds
from nightschool.warehouse.log import Log
from nightschool.warehouse.parts import Parts
from nightschool.warehouse.segments import ANSWERS, Segments, to_example

_q, _c, _a, _r = tables.questions, tables.contexts, tables.answers, tables.retractions

_SAID = tuple((column.name, f"a_{column.name}") for column in _a.c)

AT_ONCE = 1_000
"""Rows that are read together when all of a selection is read."""


class State(StrEnum):
    """Which answers: those that count, those that were taken back, or both."""

    LIVE = "live"
    RETRACTED = "retracted"
    ANY = "any"


@dataclass(frozen=True)
class Selection:
    """Which records; an empty field selects all. All that is given must hold.

    `text` is looked for in contexts, answers and notes, letters large or small. `night` is the
    night that asked (0: before the first).
    """

    text: str = ""
    person: str = ""
    reply: Reply | None = None
    group: str = ""
    source: str = ""
    partition: Partition | None = None
    night: int | None = None
    strategy: str = ""
    state: State = State.LIVE


@dataclass(frozen=True)
class FoundAnswer:
    """An answer with what was asked; `retraction` is None while it counts.

    `seq` is its place in the log, by which pages follow each other.
    """

    seq: int
    answer: Answer
    question: Question
    retraction: Retraction | None


@dataclass(frozen=True)
class FoundContext:
    """A context with its side of the wall, and how often it was asked and answered (and counts)."""

    context: Context
    partition: Partition
    questions: int
    answers: int


@dataclass(frozen=True)
class Traces:
    """Everything that the log has about one context, oldest first."""

    context: Context
    partition: Partition
    questions: Sequence[Question]
    answers: Sequence[FoundAnswer]


@dataclass(frozen=True)
class Learned:
    """An example in the dataset: its segment, and the manifests that name it or exclude it."""

    example: Example
    segment: Segment
    manifests: Sequence[Manifest]
    excluded_by: Sequence[Manifest]


class Archive:
    """Reads of the log that look for records; nothing is written."""

    def __init__(self, log: Log, parts: Parts, segments: Segments) -> None:
        self._log = log
        self._parts = parts
        self._segments = segments

    def answers(
        self, chosen: Selection, before: int | None = None, n: int = 50
    ) -> Sequence[FoundAnswer]:
        """At most n answers of a selection, newest first, older than the place `before`."""
        query = _with_question(chosen).order_by(_a.c.seq.desc()).limit(n)
        if before is not None:
            query = query.where(_a.c.seq < before)
        with self._log.read() as connection:
            return self._found(connection, query)

    def every_answer(self, chosen: Selection) -> Iterator[FoundAnswer]:
        """All answers of a selection, oldest first, read bit by bit; those of this moment."""
        with self._log.read() as connection:
            last = int(connection.execute(select(func.max(_a.c.seq))).scalar() or 0)
        after = 0
        while True:
            query = _with_question(chosen).where(_a.c.seq > after, _a.c.seq <= last)
            with self._log.read() as connection:
                found = self._found(connection, query.order_by(_a.c.seq).limit(AT_ONCE))
            yield from found
            if len(found) < AT_ONCE:
                return
            after = found[-1].seq

    def contexts(
        self, chosen: Selection, after: int | None = None, n: int = 50
    ) -> Sequence[FoundContext]:
        """At most n contexts of a selection, asked or not, by their ids from `after` on.

        What concerns questions or answers must hold for one of theirs.
        """
        asked = select(func.count()).where(_q.c.context_id == _c.c.id).scalar_subquery()
        said = select(func.count()).where(_a.c.context_id == _c.c.id, pool.live())
        query = select(_c, asked.label("questions"), said.scalar_subquery().label("answers"))
        query = query.where(*_on_context(chosen)).order_by(_c.c.id).limit(n)
        if after is not None:
            query = query.where(_c.c.id > after)
        with self._log.read() as connection:
            rows = connection.execute(query).all()
        return [
            FoundContext(
                self._parts.context(to_context(row)),
                Partition(row.partition),
                row.questions,
                row.answers,
            )
            for row in rows
        ]

    def context_ids(self, chosen: Selection) -> set[int]:
        """The ids of all contexts of a selection."""
        with self._log.read() as connection:
            return set(connection.scalars(select(_c.c.id).where(*_on_context(chosen))))

    def values(self, name: str) -> list[str]:
        """What a filter could be: the persons, groups, sources, strategies or nights there are."""
        columns = {
            "person": _a.c.person, "group": _c.c.grp, "source": _c.c.source,
            "strategy": _q.c.strategy, "night": _q.c.night,
        }  # fmt: skip
        with self._log.read() as connection:
            found = connection.scalars(select(columns[name]).distinct().order_by(columns[name]))
            return [str(value) for value in found if value != ""]

    def some(self, ids: Sequence[int]) -> dict[int, Context]:
        """Those of the contexts that there are, by their ids."""
        found: dict[int, Context] = {}
        with self._log.read() as connection:
            for part in batches(ids, LISTED):
                for row in connection.execute(select(_c).where(_c.c.id.in_(part))):
                    found[row.id] = self._parts.context(to_context(row))
        return found

    def traces(self, context_id: int) -> Traces | None:
        """What became of a context, by its id; None where there is none."""
        about = select(_c).where(_c.c.id == context_id)
        every = _with_question(Selection(state=State.ANY)).where(_a.c.context_id == context_id)
        asked = queue.questions().where(_q.c.context_id == context_id)
        with self._log.read() as connection:
            row = connection.execute(about).first()
            if row is None:
                return None
            questions = connection.execute(asked.order_by(_q.c.night, _q.c.rank)).all()
            answers = self._found(connection, every.order_by(_a.c.seq))
        return Traces(
            self._parts.context(to_context(row)),
            Partition(row.partition),
            [self._parts.question(to_question(each)) for each in questions],
            answers,
        )

    def learned(self, context: Document) -> Sequence[Learned]:
        """The examples that were made about a context, with where the dataset has them."""
        with self._log.read() as connection:
            manifests = dataset.every(connection)
        # An erasure may have put another file in the place of one that manifests name.
        holding: dict[str, tuple[Segment, list[Manifest]]] = {}
        for manifest in manifests:
            for named in manifest.segments:
                if named.role == ANSWERS:
                    now = self._segments.now(named)
                    holding.setdefault(now.sha256, (now, []))[1].append(manifest)
        found = []
        for segment, naming in holding.values():
            bodies = self._segments.column(segment, "context")
            places = [i for i, body in enumerate(bodies) if body == context.body]
            for row in self._segments.pick([segment], places):
                example = to_example(row)
                if example.context.digest == context.digest:
                    found.append(_learned(self._parts.example(example), segment, naming))
        return found

    def marks(self, items: Sequence[str]) -> Sequence[tuple[int, str, Mark]]:
        """Every mark of these items in any exam: (night, version, mark), oldest first."""
        results = tables.results
        # A mark's item stands in the JSON in quotes; only what holds one is read.
        named = or_(*(results.c.body.contains(f'"{item}"', autoescape=True) for item in items))
        query = select(results).where(named).order_by(results.c.night, results.c.version)
        with self._log.read() as connection:
            rows = connection.execute(query).all() if items else []
        return [
            (row.night, row.version, mark)
            for row in rows
            for mark in unpack_result(row.body).marks
            if mark.item in items
        ]

    def _found(self, connection: Connection, query: Select[Any]) -> list[FoundAnswer]:
        return [self._answer(row) for row in connection.execute(query)]

    def _answer(self, row: Any) -> FoundAnswer:
        said = SimpleNamespace(**{name: getattr(row, label) for name, label in _SAID})
        taken = None
        if row.r_id is not None:
            names = [name for name in Retraction.__dataclass_fields__ if name != "why"]
            values = {name: getattr(row, f"r_{name}") for name in names}
            taken = Retraction(**values, why=Retract(row.r_why))
        question = self._parts.question(to_question(row))
        answer = self._parts.answer(to_answer(said))  # type: ignore[arg-type]
        return FoundAnswer(row.a_seq, answer, question, taken)


def _learned(example: Example, segment: Segment, naming: Sequence[Manifest]) -> Learned:
    out = [m for m in naming if example.id in m.excluded]
    return Learned(example, segment, [m for m in naming if m not in out], out)


def _with_question(chosen: Selection) -> Select[Any]:
    """Answers with their question, context and retraction, those that a selection names."""
    query = (
        queue.questions()
        .add_columns(*(column.label(f"a_{column.name}") for column in _a.c))
        .add_columns(*(column.label(f"r_{column.name}") for column in _r.c))
        .join(_a, _a.c.question_id == _q.c.id)
        .outerjoin(_r, _r.c.answer_id == _a.c.id)
    )
    if chosen.state is not State.ANY:
        live = chosen.state is State.LIVE
        query = query.where(_r.c.id.is_(None) if live else _r.c.id.is_not(None))
    query = query.where(*_of_answers(chosen))
    if chosen.text:
        query = query.where(or_(_in_context(chosen.text), _in_answer(chosen.text)))
    return query.where(*_of_contexts(chosen), *_of_questions(chosen))


def _on_context(chosen: Selection) -> list[ColumnElement[bool]]:
    """Conditions on a context alone: what concerns answers and questions must exist."""
    found = _of_contexts(chosen)
    here = _a.c.context_id == _c.c.id
    said = _of_answers(chosen)
    if said or chosen.state is State.RETRACTED:
        gone = exists().where(_r.c.answer_id == _a.c.id)
        if chosen.state is not State.ANY:
            said.append(~gone if chosen.state is State.LIVE else gone)
        found.append(exists().where(here, *said))
    if chosen.text:
        answered = exists().where(here, _in_answer(chosen.text))
        found.append(or_(_in_context(chosen.text), answered))
    asked = _of_questions(chosen)
    if asked:
        found.append(exists().where(_q.c.context_id == _c.c.id, *asked))
    return found


def _in_context(words: str) -> ColumnElement[bool]:
    return holds(_c.c.body, words)


def _in_answer(words: str) -> ColumnElement[bool]:
    return or_(*(holds(column, words) for column in (_a.c.body, _a.c.note)))


def _of_contexts(chosen: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.group:
        found.append(_c.c.grp == chosen.group)
    if chosen.source:
        found.append(_c.c.source == chosen.source)
    if chosen.partition is not None:
        found.append(_c.c.partition == chosen.partition.value)
    return found


def _of_questions(chosen: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.night is not None:
        found.append(_q.c.night == chosen.night)
    if chosen.strategy:
        found.append(_q.c.strategy == chosen.strategy)
    return found


def _of_answers(chosen: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.person:
        found.append(_a.c.person == chosen.person)
    if chosen.reply is not None:
        found.append(_a.c.reply == chosen.reply.value)
    return found
