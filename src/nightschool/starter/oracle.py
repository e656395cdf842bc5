"""The simulated teacher: answers the starter's questions as a person would."""

from __future__ import annotations

from dataclasses import dataclass, field

from nightschool.starter.teacher import ArithmeticTeacher
from nightschool.types import Document, Question, Reply, Said

SECONDS_TO_BEGIN = 1.5
SECONDS_A_WORD = 0.25


@dataclass(frozen=True)
class ArithmeticOracle:
    """Reads a story, works out the answer, and says "can't tell" where there is none.

    Its seconds are simulated: a start and a reading time for each word.
    """

    person: str = "simulated-teacher"
    teacher: ArithmeticTeacher = field(default_factory=ArithmeticTeacher)

    def answer(self, question: Question) -> Said:
        """The answer by arithmetic, or "can't tell"."""
        text = question.context.text
        seconds = SECONDS_TO_BEGIN + SECONDS_A_WORD * len(text.split())
        solved = self.teacher.solve(text)
        if solved is None:
            return Said(Reply.CANT_TELL, None, seconds)
        return Said(Reply.ANSWER, Document(solved.strip()), seconds)
