"""What a person sees of their own work: today's count, and what the model learned from them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from nightschool.web.answers import Name, answering
from nightschool.web.desk import Desk
from nightschool.web.door import Answering

# The first and last second that a browser's clock may mean: the years 1970 to 2970.
Second = Annotated[float, Query(ge=0, le=31_556_952_000, allow_inf_nan=False)]


def routes(school: Desk) -> APIRouter:
    """The routes under /api that answer each person about themselves only."""
    api = APIRouter(prefix="/api")

    @api.get("/yesterday")
    def yesterday(who: Answering, person: Annotated[Name, Query()] = "") -> dict[str, Any]:
        lesson = school.yesterday.of(answering(who, person))
        return {"lesson": lesson.as_dict() if lesson is not None else None}

    @api.get("/today")
    def today(
        who: Answering, since: Second, person: Annotated[Name, Query()] = ""
    ) -> dict[str, int]:
        return {"replies": school.yesterday.today(answering(who, person), since)}

    return api
