"""A school in this process with the calls of the client: `nightschool.open("folder")`."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any, Self

from nightschool.app.exchange import What, rows, selection_of
from nightschool.app.school import School
from nightschool.client import Asked, Classroom
from nightschool.types import TEXT, Answer, Document, Reply


class LocalClassroom(Classroom):
    """A school's folder, opened.

    Only one process should run a night of a school at a time; `serve` may run beside it.
    """

    def __init__(self, school: School, person: str = "me") -> None:
        self.school = school
        self.person = person

    @classmethod
    def open(cls, folder: Path | str, person: str = "me") -> Self:
        """The school in a folder that `nightschool init` made."""
        return cls(School.open(Path(folder)), person)

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

    def export(self, what: str = "examples", **filters: str) -> list[dict[str, Any]]:
        """Records with every column: "examples", "answers", "exam", or "own", one's own answers.

        `filters` choose among them (group="snow"), as in docs/exchange.md.
        """
        whose = {"person": self.person} if what == "own" else {}
        return list(rows(self.school, selection_of({**filters, **whose}), What(what)))

    def complete(self, prompt: str, **options: Any) -> str:
        """What the serving version writes after a text (max_tokens, temperature, seed, stop)."""
        given = {"max_tokens": 16, "temperature": 1.0, "seed": 0, "stop": (), **options}
        model = self.school.generator(self.school.champion())
        return "".join(model.complete(prompt, **given))

    def _reply(
        self, question: Asked, reply: str, text: str, note: str, seconds: float | None
    ) -> str:
        said = Reply(reply)
        answer = Answer(
            id=str(uuid.uuid4()),
            question_id=question.id,
            person=self.person,
            reply=said,
            document=Document(text, TEXT) if said is Reply.ANSWER else None,
            seconds=time.monotonic() - question.at if seconds is None else seconds,
            at=self.school.now(),
            note=note,
        )
        self.school.keep(answer)
        return answer.id
