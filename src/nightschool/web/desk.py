"""The school as the web needs it: what `nightschool.app.School` offers, as Protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from nightschool.types import (
    Answer,
    Document,
    Generator,
    Question,
    Retract,
    System,
    Version,
    is_storable,
)


def storable(text: str) -> str:
    """The text itself, if every database can hold it: no NUL, no half of a surrogate pair."""
    if not is_storable(text):
        raise ValueError("holds what cannot be stored: NUL or half a character")
    return text


class Settings(Protocol):
    """The settings that the web reads."""

    @property
    def max_answer_chars(self) -> int:
        """The longest answer that is kept, in characters."""

    @property
    def show_guess(self) -> bool:
        """Whether people see what the model would say."""

    @property
    def host(self) -> str:
        """The address to listen on."""

    @property
    def port(self) -> int:
        """The port to listen on."""


class Report(Protocol):
    """How the school does, as something that JSON can hold."""

    def as_dict(self) -> dict[str, Any]:
        """Plain lists, dicts, numbers and strings."""


class Mornings(Protocol):
    """Where the morning is read."""

    def read(self) -> Report:
        """Everything that a person wants to know in the morning."""


class Lesson(Protocol):
    """What one person taught in one night."""

    def as_dict(self) -> dict[str, Any]:
        """Plain lists, dicts, numbers and strings."""


class Lessons(Protocol):
    """What each person's work came to."""

    def of(self, person: str) -> Lesson | None:
        """What the model learned last from that person; None where it has not yet."""

    def today(self, person: str, since: float) -> int:
        """How many of their replies since that second still count."""


class Desk(Protocol):
    """Where questions are handed out, answers handed in, and the champion is asked for."""

    @property
    def name(self) -> str:
        """The school's name."""

    @property
    def folder(self) -> Path:
        """Where the school lives."""

    @property
    def config(self) -> Settings:
        """The school's settings."""

    @property
    def kind(self) -> str:
        """The kind of the school's questions: text, experiment or caption."""

    @property
    def system(self) -> System | None:
        """The physical system that reacts; None in a school without one."""

    def next_question(
        self, person: str, hold: Sequence[str] = (), member: bool = False
    ) -> Question | None:
        """The next question for that person, leased; `hold` names those they already have."""

    def question(self, question_id: str) -> Question:
        """A question by its id; raises UnknownQuestion."""

    def keep(self, answer: Answer, member: bool = False) -> bool:
        """Keep an answer for good; False if that very answer was kept before.

        With `member` only of whoever has an open account; AccountError otherwise.
        """

    def answer_with_id(self, answer_id: str) -> Answer | None:
        """An answer by its id, also one that was taken back; None when there is none."""

    def newest_answers(self, n: int) -> Sequence[Answer]:
        """The newest n answers that still count, newest first."""

    def undo(self, person: str) -> Answer | None:
        """Take back that person's last answer; None when there is none."""

    def withdraw(self, answer_id: str, person: str, why: Retract, reason: str = "") -> bool:
        """Record that one answer no longer counts; False if that was done before."""

    def status(self) -> Report:
        """How the school does."""

    @property
    def morning(self) -> Mornings:
        """What the night brought, where the time went, and what lies ahead."""

    @property
    def now(self) -> Callable[[], float]:
        """The clock: seconds since 1970 (UTC)."""

    def expected(self, question: Question) -> Document | None:
        """What the version that asked expects as the answer; None if it cannot tell (slow)."""

    @property
    def yesterday(self) -> Lessons:
        """What the model learned from each person."""

    def champion(self) -> Version:
        """The version that serves, as the log says now."""

    def generator(self, version: Version) -> Generator:
        """That version, loaded, to complete texts (slow)."""
