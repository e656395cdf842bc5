"""The page's API: hand out questions, take answers in, take one back."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightschool.types import TEXT, Answer, Document, Question, Reply, Retract, is_storable
from nightschool.web.desk import Desk

LONGEST_NAME = 64
LONGEST_NOTE = 2000
MOST_HELD = 200


def storable(text: str) -> str:
    """The text itself, if every database can hold it: no NUL, no half of a surrogate pair."""
    if not is_storable(text):
        raise ValueError("holds what cannot be stored: NUL or half a character")
    return text


def name_of(person: str) -> str:
    """A person's name without the white space around it; it may not be empty."""
    name = storable(person).strip()
    if not name:
        raise ValueError("say who answers: a short name such as anna")
    return name


Text = Annotated[str, AfterValidator(storable)]
Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(name_of)]
Id = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable)]


class Sent(BaseModel):
    """An answer as a client sends it; `id` is the client's own, so that a retry is recognised."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    question_id: Id
    person: Name
    reply: Reply
    text: Text = ""
    seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    note: Annotated[Text, Field(max_length=LONGEST_NOTE)] = ""


class Undo(BaseModel):
    """Which answer to take back: the one named, or the person's last one."""

    model_config = ConfigDict(extra="forbid")

    person: Name
    answer_id: uuid.UUID | None = None


def routes(school: Desk) -> APIRouter:
    """The routes under /api."""
    api = APIRouter(prefix="/api")

    @api.get("/next")
    def next_question(
        person: Annotated[Name, Query()], hold: Annotated[list[str] | None, Query()] = None
    ) -> dict[str, Any]:
        held = [id for part in hold or () for id in part.split(",") if id][:MOST_HELD]
        found = school.next_question(person, held)
        return {"question": shown(found) if found is not None else None}

    @api.get("/questions/{question_id}")
    def question(question_id: Annotated[str, AfterValidator(storable)]) -> dict[str, Any]:
        return {"question": shown(school.question(question_id))}

    @api.post("/answers")
    def keep(sent: Sent) -> JSONResponse:
        limit = school.config.max_answer_chars
        if len(sent.text) > limit:
            message = (
                f"The answer has {len(sent.text):,} characters, {limit:,} are kept; shorten it, "
                "or raise max_answer_chars."
            )
            return JSONResponse({"error": message}, 413)
        new = school.keep(as_answer(sent, school.now()))
        return JSONResponse({"kept": True, "new": new}, 201 if new else 200)

    @api.post("/undo")
    def undo(body: Undo) -> dict[str, Any]:
        if body.answer_id is not None:
            # By name it can be sent again after a lost reply without undoing one more.
            done = school.withdraw(str(body.answer_id), body.person, Retract.UNDO)
            return {"undone": done, "answer": None, "question": None}
        answer = school.undo(body.person)
        if answer is None:
            return {"undone": False, "answer": None, "question": None}
        told = {
            "id": answer.id,
            "reply": answer.reply.value,
            "text": answer.document.body if answer.document is not None else "",
            "note": answer.note,
        }
        question = shown(school.question(answer.question_id))
        return {"undone": True, "answer": told, "question": question}

    return api


def as_answer(sent: Sent, at: float) -> Answer:
    """The record of what was sent; a text is kept verbatim."""
    text = Document(sent.text, TEXT) if sent.reply is Reply.ANSWER or sent.text else None
    return Answer(
        id=str(sent.id),
        question_id=sent.question_id,
        person=sent.person,
        reply=sent.reply,
        document=text,
        seconds=sent.seconds,
        at=at,
        note=sent.note,
    )


def shown(question: Question) -> dict[str, Any]:
    """What a person may see of a question: never why it was chosen, nor whether it examines."""
    document = question.context.document
    return {
        "id": question.id,
        "text": document.body,
        "kind": document.kind,
        "version": question.version,
    }
