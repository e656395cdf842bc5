"""Gold questions: brought by the owner with their answers, handed out among the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nightschool.exams.files import read_exam_file
from nightschool.types import TEXT, Context, ExamError, Question
from nightschool.warehouse import Warehouse
from nightschool.warehouse.gold import GoldItem, draw

SHOWN = 10
"""Contexts that an error lists."""


class Gold:
    """The gold of a school; safe for many threads.

    `key` is the school's secret: without it nobody can tell which of their questions are gold.
    `reserved` gives the ids of contexts of the owner's test file.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        share: float,
        key: Callable[[], bytes],
        reserved: Callable[[], set[int]],
        clock: Callable[[], float],
    ) -> None:
        self._warehouse = warehouse
        self._share = share
        self._key = key
        self._reserved = reserved
        self._now = clock
        self._any: bool | None = None

    def items(self) -> Sequence[GoldItem]:
        """Every gold item."""
        return self._warehouse.gold.items()

    def add(self, path: Path, by: str) -> int:
        """Bring a file in the format of a test file; how many items it held.

        Raises ExamError that lists contexts which were answered or learned, or are examined with.
        """
        if (self._warehouse.meta("kind") or TEXT) != TEXT:
            raise ExamError("Gold questions are texts: no two drawings or trajectories are equal.")
        now = self._now()
        items = [
            GoldItem(
                Context(item.context, "gold", item.group),
                tuple(a.body for a in item.accepted),
                by,
                now,
            )
            for item in read_exam_file(path)
        ]
        ids = [item.context.id for item in items]
        used = self._warehouse.trained() | self._warehouse.gold.taken(ids) | self._reserved()
        _refuse([item.context.text for item in items if item.context.id in used])
        self._warehouse.gold.add(items)
        self._warehouse.audit.note(by, "gold added", path.name, f"{len(items)} items", now)
        self._any = True
        return len(items)

    def next(
        self, person: str, hold: Sequence[str], ttl: float, member: bool = False
    ) -> Question | None:
        """A gold question, where it is one's turn; None where the queue is to be asked.

        With `member` only for whoever has an open account; AccountError otherwise.
        """
        if not self._share or not self.known():
            return None
        number = self._warehouse.gold.draws(person, len(hold))
        if draw(self._key(), person, number) >= self._share:
            return None
        version = self._warehouse.trainee()
        return self._warehouse.gold.lease(
            person, hold, self._key(), version, self._now(), ttl, member
        )

    def known(self) -> bool:
        """Whether there is any gold; another process's is seen when the server starts again."""
        if self._any is None:
            self._any = bool(self.items())
        return self._any


def _refuse(texts: Sequence[str]) -> None:
    if not texts:
        return
    shown = "\n".join(f"  {text[:100]!r}" for text in texts[:SHOWN])
    more = f"\n  and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    raise ExamError(
        f"{len(texts)} of the contexts cannot be gold: they were answered or learned before, or "
        f"belong to the exam. Take them out of the file:\n{shown}{more}"
    )
