"""Whose an answer is and how long it took: told to an owner and to that person, nobody else."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException

from nightschool.types.people import Caller, Right

HIDDEN = "Only an owner may ask whose answers these are; leave out the filter person."


def veiled(answer: dict[str, Any], who: Caller) -> dict[str, Any]:
    """An answer as told by `told_answer`, without its person and seconds where they are another's.

    What was taken back says why, but neither by whom nor with which words.
    """
    if sees(who) or answer["person"] == who.person:
        return answer
    taken = answer["retracted"]
    if taken is not None:
        taken = {**taken, "person": None, "reason": None}
    return {**answer, "person": None, "seconds": None, "retracted": taken}


def sees(who: Caller) -> bool:
    """Whether somebody may know whose each answer is."""
    return who.may(Right.MANAGE)


def refuse_filter(person: str, who: Caller) -> None:
    """Raise 422 where a filter would tell what the answers themselves do not."""
    if person and not sees(who) and person != who.person:
        raise HTTPException(422, HIDDEN)
