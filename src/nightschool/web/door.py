"""Who calls, and what they may: every route names the right that it asks for."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from nightschool.types.people import Caller, Right, Role

NOBODY_ASKED = Caller("", Role.OWNER)
"""The caller in a school without accounts: whoever sits at this machine."""


def caller(request: Request) -> Caller:
    """Who makes this request; raises HTTPException 401 where nobody is signed in."""
    found: Caller = getattr(request.state, "caller", NOBODY_ASKED)
    return found


def needs(right: Right) -> Any:
    """A dependency of a route: lets in whoever has that right, or raises 401 or 403."""

    def check(request: Request) -> Caller:
        found = caller(request)
        if not found.may(right):
            raise HTTPException(403, f"A {found.role.value} may not do this ({right.value}).")
        return found

    check.right = right  # type: ignore[attr-defined]
    return Depends(check)


def person_of(found: Caller, said: str) -> str:
    """The person for whom a request acts: who is signed in, or whom it names without accounts."""
    return found.person or said
