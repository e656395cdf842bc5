"""Answers of other tools taken into a school: all of a file, or nothing of it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.app.exchange import argilla, labelstudio, openai, own, prodigy
from nightschool.app.exchange.replies import Said, Wishes
from nightschool.app.labels import check_label
from nightschool.app.replies import check_reply
from nightschool.types import (
    TEXT,
    Answer,
    AnswerError,
    ConfigError,
    Context,
    Document,
    Partition,
    PoolError,
    Reply,
    is_storable,
)
from nightschool.warehouse.arrivals import Arrived, Note, question_id

if TYPE_CHECKING:
    from nightschool.app.school import School

LONGEST_NAME = 200

READERS: Mapping[str, Callable[[Path, Wishes], Iterator[Said]]] = {
    "prodigy": prodigy.read,
    "labelstudio": labelstudio.read,
    "argilla": argilla.read,
    "openai": openai.read,
    "nightschool": own.read,
}
"""By tool: what reads its files."""

# Names made in it are those of imported answers; it never changes.
_SPACE = uuid.uuid5(uuid.NAMESPACE_OID, "nightschool import")


@dataclass(frozen=True)
class Taken:
    """What a file brings: replies and people in it, and what of that is new here.

    `exam` of the new contexts are kept for the exam, by their keyed hash; none where another
    school learned from them.
    """

    replies: int
    people: Mapping[str, int]
    kinds: Mapping[Reply, int]
    contexts: int
    exam: int
    answers: int
    known: int


def import_file(
    school: School,
    path: Path,
    tool: str,
    wishes: Wishes | None = None,
    *,
    by: str = "owner",
    check: bool = False,
) -> Taken:
    """Take the replies of a file in, durably; with `check` only say what that would do.

    A reply that is here already is known by its id, made from what it says, so that a file that
    is imported twice adds nothing the second time. What another school exported was on its
    training side, and is on this one's, unless its context is known here. Raises PoolError or
    AnswerError that name the line, with nothing imported.
    """
    if tool not in READERS:
        raise ConfigError(f"There is no importer {tool!r}; choose {', '.join(READERS)}.")
    if school.kind != TEXT:
        raise ConfigError(
            f"This school's questions are of kind {school.kind}; answers in texts do not fit."
        )
    said = list(READERS[tool](path, wishes or Wishes()))
    if not said:
        raise PoolError(f"{path}: holds no reply of a person; nothing was imported.")
    pairs = [_checked(school, each, tool) for each in said]
    note = Note(by, path.name, f"{len(said)} replies in the format of {tool}", school.now())
    version = school.warehouse.trainee().id
    side = _training if tool == "nightschool" else school.side
    arrived = school.warehouse.arrivals.take(pairs, side, version, note, check=check)
    return _taken(said, arrived)


def _training(_: Context) -> Partition:
    return Partition.TRAINING


def _taken(said: list[Said], arrived: Arrived) -> Taken:
    return Taken(
        replies=len(said),
        people=Counter(each.person for each in said),
        kinds=Counter(each.reply for each in said),
        contexts=arrived.contexts.new,
        exam=arrived.contexts.exam,
        answers=arrived.answers,
        known=arrived.known,
    )


def _checked(school: School, said: Said, tool: str) -> tuple[Context, Answer]:
    """The reply, if the school could have had it from its own page; errors name the line."""
    limit = school.config.max_context_chars
    if len(said.context) > limit:
        raise PoolError(
            f"{said.where}: the context has {len(said.context):,} characters, {limit:,} are "
            "allowed; cut it or raise max_context_chars."
        )
    for name in ("context", "person", "note", "group", "id"):
        if not is_storable(getattr(said, name)):
            raise PoolError(f"{said.where}: the {name} holds NUL or half a character; mend it.")
    if not 0 < len(said.person) <= LONGEST_NAME:
        raise PoolError(f"{said.where}: {said.person[:60]!r} is no person's name; shorten it.")
    context, answer = _kept(said, tool)
    try:
        school.check(context)
        check_reply(answer, school.config.max_answer_chars)
        if answer.document is not None and school.labels:
            check_label(answer.document, school.labels)
    except (AnswerError, PoolError) as error:
        raise type(error)(f"{said.where}: {error} Nothing was imported.") from error
    return context, answer


def _kept(said: Said, tool: str) -> tuple[Context, Answer]:
    context = Context.of(said.context.rstrip("\n"), "pool", said.group)
    # By its content, so that it is the same whenever the file is imported.
    parts = (tool, f"{context.id:x}", said.person, said.reply.value, said.answer, f"{said.at:.6f}")
    return context, Answer(
        id=said.id or str(uuid.uuid5(_SPACE, "\0".join(parts))),
        question_id=question_id(context.id),
        person=said.person,
        reply=said.reply,
        document=Document(said.answer) if said.reply is Reply.ANSWER else None,
        seconds=said.seconds,
        at=said.at,
        note=said.note,
        settles=said.settles,
    )
