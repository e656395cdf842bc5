"""An oracle that reads its answers from a table: for tests, benchmarks and imported labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from nightschool.types import Context, Document, PoolError, Question, Reply, Said


@dataclass(frozen=True)
class ScriptedOracle:
    """Answers by the context's id; what is not in the table it cannot tell.

    `seconds` is what each answer is said to have cost.
    """

    answers: Mapping[int, str] = field(default_factory=dict)
    person: str = "script"
    seconds: float = 0.0

    def answer(self, question: Question) -> Said:
        """The answer in the table, or "can't tell"."""
        text = self.answers.get(question.context.id)
        if text is None:
            return Said(Reply.CANT_TELL, None, self.seconds)
        return Said(Reply.ANSWER, Document(text), self.seconds)


def scripted(path: str, person: str = "script") -> ScriptedOracle:
    """A scripted oracle from a JSONL file with a "context" and an "answer" on each line."""
    table: dict[int, str] = {}
    # Lines end at "\n" alone: JSON strings may hold other line ends, such as U+2028.
    with open(path, encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                table[Context.of(row["context"]).id] = str(row["answer"])
            except (ValueError, KeyError, TypeError) as error:
                raise PoolError(
                    f"{path}, line {number}: "
                    f'needs a JSON object with "context" and "answer" ({error}).'
                ) from error
    return ScriptedOracle(table, person)
