"""People: what each role may do. Owners run a school, teachers answer, viewers look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from nightschool.types.errors import NightschoolError


class Right(StrEnum):
    """What somebody may do; every route of the server asks for one."""

    ANSWER = "answer"
    """Be asked, answer, take one's own answer back, see one's own figures."""
    LOOK = "look"
    """See how the school does: numbers about all, no record of anybody's."""
    READ = "read"
    """Read the records: answers, exams item by item."""
    USE = "use"
    """Ask the served model to complete a text."""
    MANAGE = "manage"
    """See everybody's figures; change people, settings, champions and answers."""


class Role(StrEnum):
    """What a person is in a school."""

    OWNER = "owner"
    TEACHER = "teacher"
    VIEWER = "viewer"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.TEACHER: frozenset({Right.ANSWER, Right.LOOK}),
    Role.VIEWER: frozenset({Right.LOOK, Right.READ, Right.USE}),
}


class AccountError(NightschoolError):
    """Something that cannot be done with an account, and what can be done instead."""


@dataclass(frozen=True)
class Caller:
    """Who makes a request; `person` is empty in a school without accounts.

    `key` is the hash of the session or token that they came with, `machine` whether of a token.
    """

    person: str
    role: Role
    key: str = ""
    machine: bool = False

    def may(self, right: Right) -> bool:
        """Whether the role has that right."""
        return right in RIGHTS[self.role]
