"""The school as the web needs it: what `nightschool.app.School` offers, as Protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from nightschool.types import Answer, Generator, Question, Retract, Version


class Settings(Protocol):
    """The settings that the web reads."""

    @property
    def max_answer_chars(self) -> int:
        """The longest answer that is kept, in characters."""

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

    def next_question(self, person: str, hold: Sequence[str] = ()) -> Question | None:
        """The next question for that person, leased; `hold` names those they already have."""

    def question(self, question_id: str) -> Question:
        """A question by its id; raises UnknownQuestion."""

    def keep(self, answer: Answer) -> bool:
        """Keep an answer for good; False if that very answer was kept before."""

    def undo(self, person: str) -> Answer | None:
        """Take back that person's last answer; None when there is none."""

    def withdraw(self, answer_id: str, person: str, why: Retract, reason: str = "") -> bool:
        """Record that one answer no longer counts; False if that was done before."""

    def status(self) -> Report:
        """How the school does."""

    @property
    def now(self) -> Callable[[], float]:
        """The clock: seconds since 1970 (UTC)."""

    def champion(self) -> Version:
        """The version that serves, as the log says now."""

    def generator(self, version: Version) -> Generator:
        """That version, loaded, to complete texts (slow)."""
