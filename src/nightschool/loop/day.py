"""One day: an oracle answers what the model asks."""

from __future__ import annotations

import uuid
from typing import Protocol

from nightschool.timeline import during
from nightschool.types import Answer, Oracle, Progress, Question


class Desk(Protocol):
    """Where questions are handed out and answers are handed in."""

    def next_question(self, person: str) -> Question | None:
        """The next question for that person, leased to them; None when the queue is empty."""

    def keep(self, answer: Answer) -> bool:
        """Keep an answer for good; False if that very answer was kept before."""

    def now(self) -> float:
        """Seconds since 1970 (UTC)."""


def teach(desk: Desk, oracle: Oracle, limit: int, progress: Progress | None = None) -> int:
    """Let an oracle answer up to `limit` questions by the same door as a person; how many it did.

    Skips, "can't tell" and "bad question" count: they cost the oracle a look as well.
    """
    done = 0
    while done < limit and (question := desk.next_question(oracle.person)) is not None:
        with during("answering"):
            said = oracle.answer(question)
        desk.keep(
            Answer(
                id=str(uuid.uuid4()),
                question_id=question.id,
                person=oracle.person,
                reply=said.reply,
                document=said.document,
                seconds=said.seconds,
                at=desk.now(),
                note=said.note,
            )
        )
        done += 1
        if progress is not None:
            progress(done, limit)
    return done
