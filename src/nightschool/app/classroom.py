"""A school in this process with the calls of the client: `nightschool.open("folder")`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nightschool.app.school import School
from nightschool.client import Asked
from nightschool.types import TEXT, Answer, Document, Reply


class LocalClassroom:
    """A school's folder, opened; it fulfils the client's `Classroom`.

    Only one process should run a night of a school at a time; `serve` may run beside it.
    """

    def __init__(self, school: School, person: str = "me") -> None:
        self.school = school
        self.person = person

    @classmethod
    def open(cls, folder: Path | str, person: str = "me") -> Self:
        """The school in a folder that `nightschool init` made."""
        return cls(School.open(Path(folder)), person)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is being written and let go of the folder."""
        self.school.close()

    def ask(self) -> Asked | None:
        """The next question for this person, held for them; None when there is none left."""
        found = self.school.next_question(self.person)
        if found is None:
            return None
        document = found.context.document
        return Asked(found.id, document.body, document.kind, found.version)

    def questions(self) -> Iterator[Asked]:
        """One question after the other, until there is none left; reply to each before the next."""
        while (question := self.ask()) is not None:
            yield question

    def answer(
        self, question: Asked, text: str, *, seconds: float | None = None, note: str = ""
    ) -> str:
        """Keep an answer for good; its id. `seconds` default to the time since it was asked."""
        return self._reply(question, Reply.ANSWER, Document(text, TEXT), seconds, note)

    def skip(self, question: Asked, reply: str = "skip", *, note: str = "") -> str:
        """Leave a question: "skip", "cant_tell" or "bad_question"; the reply's id."""
        return self._reply(question, Reply(reply), None, None, note)

    def undo(self) -> bool:
        """Take this person's last answer back; False when there is none."""
        return self.school.undo(self.person) is not None

    def status(self) -> dict[str, Any]:
        """How the school does."""
        return self.school.status().as_dict()

    def night(self, *, wait: bool = True) -> dict[str, Any]:
        """Run a night in this process; its verdict. It is always waited for."""
        del wait
        self.school.night()
        verdict: dict[str, Any] = self.status()["verdicts"][-1]
        return verdict

    def complete(self, prompt: str, **options: Any) -> str:
        """What the serving version writes after a text (max_tokens, temperature, seed, stop)."""
        given = {"max_tokens": 16, "temperature": 1.0, "seed": 0, "stop": (), **options}
        model = self.school.generator(self.school.champion())
        return "".join(model.complete(prompt, **given))

    def _reply(
        self,
        question: Asked,
        reply: Reply,
        document: Document | None,
        seconds: float | None,
        note: str,
    ) -> str:
        spent = time.monotonic() - question.at if seconds is None else seconds
        answer = Answer(
            id=str(uuid.uuid4()),
            question_id=question.id,
            person=self.person,
            reply=reply,
            document=document,
            seconds=spent,
            at=self.school.now(),
            note=note,
        )
        self.school.keep(answer)
        return answer.id
