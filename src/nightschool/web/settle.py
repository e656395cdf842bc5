"""Questions on which people disagree, for the owner to settle; and everybody's figures."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Protocol, cast

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightschool.app.figures import Figures
from nightschool.app.settling import Settling
from nightschool.types import Reply
from nightschool.types.people import Right
from nightschool.web.answers import LONGEST_NOTE, Id, Name, Text, answering
from nightschool.web.desk import Desk, storable
from nightschool.web.door import OWNER, Managing, needs
from nightschool.web.render import Renderer

MOST = 50


class Judged(Protocol):
    """What these routes need of a school."""

    @property
    def settling(self) -> Settling:
        """What people disagree about."""

    @property
    def figures(self) -> Figures:
        """What each person's answers tell about them."""


class Settled(BaseModel):
    """An owner's word on a question; `id` is the client's own, so that a retry is recognised."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    question_id: Id
    reply: Reply = Reply.ANSWER
    text: Text = ""
    note: Annotated[Text, Field(max_length=LONGEST_NOTE)] = ""
    person: Name = OWNER


class Reopened(BaseModel):
    """Which settling answer to take back."""

    model_config = ConfigDict(extra="forbid")

    answer_id: uuid.UUID
    person: Name = OWNER


def routes(school: Desk, render: Renderer) -> APIRouter:
    """The page to settle on, its API, and the figures."""
    api = APIRouter()
    judged = cast(Judged, school)

    @api.get("/settle", response_class=HTMLResponse, dependencies=[needs(Right.MANAGE)])
    def settle_page(request: Request) -> HTMLResponse:
        labels = list(getattr(school, "labels", ()))
        return render(request, "settle.html", labels=labels, limit=school.config.max_answer_chars)

    @api.get("/api/settle", dependencies=[needs(Right.MANAGE)])
    def disputes(most: Annotated[int, Query(ge=1, le=1000)] = MOST) -> dict[str, Any]:
        return judged.settling.disputes(most).as_dict()

    @api.get("/api/settle/{question_id}", dependencies=[needs(Right.MANAGE)])
    def one(
        question_id: Annotated[str, Path(max_length=200), AfterValidator(storable)],
    ) -> dict[str, Any]:
        return judged.settling.one(question_id).as_dict()

    @api.post("/api/settle", status_code=201)
    def settle(sent: Settled, who: Managing) -> JSONResponse:
        limit = school.config.max_answer_chars
        if len(sent.text) > limit:
            message = f"The answer has {len(sent.text):,} characters, {limit:,} are kept."
            return JSONResponse({"error": message}, 413)
        by = answering(who, sent.person)
        kept = judged.settling.settle(
            sent.question_id, by, sent.reply, sent.text, sent.note, str(sent.id), bool(who.person)
        )
        return JSONResponse({"kept": True, "answer_id": kept.id}, 201)

    @api.post("/api/settle/undo")
    def reopen(sent: Reopened, who: Managing) -> dict[str, bool]:
        by = answering(who, sent.person)
        return {"undone": judged.settling.reopen(str(sent.answer_id), by)}

    @api.get("/api/figures", dependencies=[needs(Right.MANAGE)])
    def figures() -> dict[str, Any]:
        return {"people": [figure.as_dict() for figure in judged.figures.everybody()]}

    return api
