"""Questions that the model writes itself: made, and what became of them morning by morning."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from nightschool.types import (
    TEXT,
    AnsweredQuestion,
    ConfigError,
    Context,
    ExamItem,
    Example,
    ExamResult,
    Learner,
    Mark,
    Night,
    Partition,
    Reply,
    Writer,
)
from nightschool.warehouse import Warehouse

MATERIAL = 2000
"""Texts of the pool from which a text is rewritten: words only, so more than are observed."""

WRITTEN = "written"
TAUGHT = "taught"
"""The name under which marks of tonight's lessons are kept, before and after learning them."""

_KEY = "written in night "


def written_by(
    learner: Learner,
    n: int,
    pool: Sequence[Context],
    asked: Sequence[Context],
    declined: Sequence[Context],
    seed: int,
    may_ask: Callable[[Context], bool],
) -> list[Context]:
    """At most n contexts that the model wrote from the pool, those left out that nobody may ask.

    Raises ConfigError for a learner that writes none.
    """
    if not hasattr(learner, "write"):
        raise ConfigError(
            f"Learner {learner.recipe.learner!r} writes no contexts; set `written` to 0."
        )
    written = cast(Writer, learner).write(pool, n, asked=asked, declined=declined, seed=seed)
    known = {context.id for context in pool}
    return [c for c in written if c.id not in known and may_ask(c)]


def material(night: Night, pool: Sequence[Context]) -> Sequence[Context]:
    """What tonight is written from: for texts more of the pool than is looked at."""
    if not pool or pool[0].document.kind != TEXT or len(pool) >= MATERIAL:
        return pool
    return night.pool(Partition.TRAINING, MATERIAL, night.seed)


def declined(answered: Sequence[AnsweredQuestion]) -> list[Context]:
    """The contexts to which there are replies, but no answer."""
    told = {a.question.context.id for a in answered if _is_told(a)}
    return [a.question.context for a in answered if a.question.context.id not in told]


def note(warehouse: Warehouse, night: int, n: int) -> None:
    """Remember how many contexts were written in a night, once: a resumed one may write fewer."""
    if warehouse.meta(f"{_KEY}{night}") is None:
        warehouse.set_meta(f"{_KEY}{night}", str(n))


def taught(
    version: str,
    before: Learner,
    after: Learner,
    lessons: Sequence[Example],
    sources: Mapping[int, str],
) -> ExamResult | None:
    """Marks of tonight's lessons before and after they were learned, by who wrote them.

    None where the model wrote none of them. `sources` maps a context's id to its source.
    """
    by = [sources.get(Context(e.context).id, "") == WRITTEN for e in lessons]
    if not any(by):
        return None
    items = [ExamItem(e.id, e.context, (e.target,), e.group, TAUGHT) for e in lessons]
    marks = [
        Mark(f"{when} {WRITTEN if own else 'pool'}", float(value), False, item.id, item.group)
        for when, learner in (("before", before), ("after", after))
        for value, item, own in zip(learner.mark(items), items, by, strict=True)
    ]
    return ExamResult(version, TAUGHT, tuple(marks))


@dataclass(frozen=True)
class WrittenQuestions:
    """What became of the model's own questions, in all nights so far.

    `written` counts contexts, `asked` those that got a reply, `answerable` those that got an
    answer. `taught` and `taught_by_pool` are mean marks, in [0, 1], of the answers to written
    and to other questions (before, after) the nights that learned them; nan where there is none.
    """

    written: int = 0
    asked: int = 0
    answerable: int = 0
    taught: tuple[float, float] = (math.nan, math.nan)
    taught_by_pool: tuple[float, float] = (math.nan, math.nan)


def read_written(warehouse: Warehouse) -> WrittenQuestions:
    """The report as the log tells it; all zero where the model writes none."""
    written = sum(int(count) for count in warehouse.digest.remembered(_KEY).values() if count)
    if not written:
        return WrittenQuestions()
    own = [
        a for a in warehouse.answered(Partition.TRAINING) if a.question.context.source == WRITTEN
    ]
    marks = [m for r in warehouse.results() if r.bank == TAUGHT for m in r.marks]

    def mean(name: str) -> float:
        values = [m.value for m in marks if m.name == name]
        return sum(values) / len(values) if values else math.nan

    return WrittenQuestions(
        written,
        len({a.question.context.id for a in own}),
        len({a.question.context.id for a in own if _is_told(a)}),
        (mean(f"before {WRITTEN}"), mean(f"after {WRITTEN}")),
        (mean("before pool"), mean("after pool")),
    )


def _is_told(answered: AnsweredQuestion) -> bool:
    return any(answer.reply is Reply.ANSWER for answer in answered.answers)
