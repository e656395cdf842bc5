"""Where a school stands: answers, bank, versions, verdicts, and where the time went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nightschool.app.examiner import Standing
from nightschool.app.pool import empty_pool
from nightschool.app.tasks.words import STARTER
from nightschool.app.trackers.reporting import FAILED
from nightschool.app.writing import WrittenQuestions, read_written
from nightschool.types import Verdict
from nightschool.warehouse import Reign, Warehouse

RECENT = 1000
"""Answers over which the seconds an answer takes are averaged."""


@dataclass(frozen=True)
class Status:
    """A school at one moment, from its log alone: no model is loaded."""

    name: str
    answers: int
    replies: dict[str, int]
    queue: int
    pool: dict[str, int]
    bank: int
    exam_file: int
    skipped_exam: int
    champion: str
    trainee: str
    original: str
    verdicts: tuple[Verdict, ...]
    fresh: tuple[float, ...]
    seconds: dict[str, float]
    seconds_per_answer: float
    warnings: tuple[str, ...]
    written: WrittenQuestions = field(default_factory=WrittenQuestions)
    unlearned: int = 0
    """Answers that the newest version learned and that no longer count: a rebuild is due."""
    erased: tuple[str, ...] = ()
    """Versions that learned from somebody who was erased since."""
    by_hand: Reign | None = None
    """Who let the version serve that serves, and why; None where a night decided it."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON: numbers that are not finite become None."""
        cleaned: dict[str, Any] = plain(asdict(self))
        return cleaned


def read_status(name: str, warehouse: Warehouse, exam: Standing) -> Status:
    """The status of a school as its log tells it; `exam` is what its exam holds today."""
    counts = warehouse.counts()
    answered = warehouse.seconds(None, RECENT)
    seconds: dict[str, float] = {}
    for span in warehouse.spans():
        seconds[span.name] = seconds.get(span.name, 0.0) + span.seconds
    unlearned = warehouse.leaving.unlearned()
    erasures = warehouse.leaving.erasures()
    reign = warehouse.champions()[-1]
    fresh = [sum(marks) / len(marks) for _, marks in warehouse.digest.fresh() if marks]
    return Status(
        name=name,
        answers=sum(counts.answers.values()),
        replies={reply.value: n for reply, n in counts.answers.items()},
        queue=warehouse.queue_left(),
        pool={"training": counts.training, "exam": counts.exam},
        bank=exam.items,
        exam_file=exam.brought,
        skipped_exam=exam.skipped,
        champion=warehouse.champion().id,
        trainee=warehouse.trainee().id,
        original=warehouse.meta("original_note") or "",
        verdicts=tuple(warehouse.verdicts()),
        fresh=tuple(fresh),
        seconds=seconds,
        seconds_per_answer=sum(answered) / len(answered) if answered else math.nan,
        warnings=(
            *broken(warehouse),
            *unanswered(warehouse),
            *_no_pool(warehouse, counts.training + counts.exam),
            *_untold(warehouse),
            *_warnings(exam.items, exam.brought, unlearned, len(erasures)),
            *_serves_unlearned(warehouse, unlearned),
        ),
        written=read_written(warehouse),
        unlearned=unlearned,
        erased=tuple(dict.fromkeys(v for erasure in erasures for v in erasure.versions)),
        by_hand=reign if reign.by_hand else None,
    )


def broken(warehouse: Warehouse) -> list[str]:
    """What became of a night that did not end, in a sentence; none where all ended."""
    nights = warehouse.nights()
    last = nights[-1] if nights else None
    if last is None or last.finished is not None or not last.error:
        return []
    if last.error.startswith(KeyboardInterrupt.__name__):
        steps = warehouse.spans(last.number)  # the one that was interrupted is the last
        where = f" in its step {steps[-1].name!r}" if steps else ""
        return [
            f"Night {last.number} was interrupted{where}; the next `nightschool night` goes on "
            "from there."
        ]
    return [
        f"Night {last.number} broke: {last.error.rstrip('.')}; it is resumed by the next "
        "`nightschool night`."
    ]


def unanswered(warehouse: Warehouse) -> list[str]:
    """A sentence where nobody had answered when the newest night began, nor has since."""
    marks = [0, *(n.answer_mark for n in warehouse.nights()), warehouse.marks()[0]]
    if len(marks) < 3 or marks[-1] > marks[-3] or warehouse.nights()[-1].rebuild:
        return []
    told = f"Nobody answered before night {len(marks) - 2}: it had nothing new to learn."
    cure = " Answer questions: `nightschool serve` or `nightschool ask`."
    return [told + cure * (warehouse.queue_left() > 0)]


def _no_pool(warehouse: Warehouse, contexts: int) -> list[str]:
    if contexts:
        return []
    words = warehouse.trainee().recipe.learner != "classification"
    return [empty_pool(starter=words and warehouse.meta("model") == STARTER)]


def _untold(warehouse: Warehouse) -> list[str]:
    told = warehouse.meta(FAILED)
    return [f"{told.rstrip('.')}; the night itself is whole."] if told else []


def _serves_unlearned(warehouse: Warehouse, newest: int) -> list[str]:
    """A rebuilt version that forgot does not serve by itself: somebody must know."""
    serves, rebuilt = warehouse.champion(), warehouse.trainee()
    learned = 0 if newest or serves.id == rebuilt.id else warehouse.leaving.unlearned(serves)
    if not learned:
        return []
    return [
        f"{serves.id} serves and learned answers that no longer count: {learned}. {rebuilt.id} "
        f"did not: compare them at /versions/{rebuilt.id}, then `nightschool promote {rebuilt.id}`."
    ]


def _warnings(bank: int, brought: int, unlearned: int, erased: int) -> list[str]:
    found = []
    if not brought:
        found.append(
            "No test file of the owner's own: whoever answers the questions also writes the exam. "
            "Bring one with `nightschool exam add FILE`."
        )
    if bank == 0:
        found.append(
            "The bank is empty: nothing can be promoted until exam questions are answered."
        )
    if unlearned:
        found.append(
            f"The newest version learned answers that no longer count: {unlearned}. It forgets "
            "them only by `nightschool night --rebuild`."
        )
    if erased:
        found.append(
            f"People erased: {erased}. Backups from before, and the weights of versions that had "
            "learned from them (`nightschool status --json`: erased), are yours to delete."
        )
    return found


def plain(value: Any) -> Any:
    """A value as JSON can hold it: what is not finite becomes None, tuples become lists."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
