"""The page's API: hand out questions, take answers in, take one back."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightschool.types import (
    CAPTION,
    DRAWING,
    EXPERIMENT,
    TEXT,
    Answer,
    AnswerError,
    Document,
    Experiment,
    Question,
    Reply,
    Retract,
    caption_of,
)
from nightschool.web import drawings
from nightschool.web.desk import Desk, storable

LONGEST_NAME = 64
LONGEST_NOTE = 2000
MOST_HELD = 200


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
    """An answer as a client sends it; `id` is the client's own, so that a retry is recognised.

    A drawing is a `picture` file in base64 and, where it was drawn on the page, JSON `strokes`.
    """

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    question_id: Id
    person: Name
    reply: Reply
    text: Text = ""
    picture: str = ""
    strokes: Text = ""
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
        asked = school.question(sent.question_id).context.document
        new = school.keep(as_answer(sent, asked, school.now()))
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
        told = told_again(answer)
        question = shown(school.question(answer.question_id))
        return {"undone": True, "answer": told, "question": question}

    return api


def as_answer(sent: Sent, asked: Document, at: float) -> Answer:
    """The record of what was sent in reply to a question's document."""
    return Answer(
        id=str(sent.id),
        question_id=sent.question_id,
        person=sent.person,
        reply=sent.reply,
        document=replied(sent, asked),
        seconds=sent.seconds,
        at=at,
        note=sent.note,
    )


def replied(sent: Sent, asked: Document) -> Document | None:
    """What was sent, as a document; a text is kept verbatim.

    Raises AnswerError where the kind of question is answered by something else.
    """
    answers = sent.reply is Reply.ANSWER
    if answers and asked.kind == CAPTION:
        if sent.text:
            raise AnswerError("A caption is answered by a drawing, not by a text.")
        return drawings.drawing(caption_of(asked), sent.picture, sent.strokes)
    if sent.picture or sent.strokes:
        told = f"question of kind {asked.kind}" if answers else f"reply of kind {sent.reply.value}"
        raise AnswerError(f"A {told} takes no drawing; leave out picture and strokes.")
    if answers and asked.kind == EXPERIMENT:
        raise AnswerError(
            "An experiment is answered by the system itself, with `nightschool teach`; a person "
            "may skip it or call it a bad question."
        )
    return Document(sent.text, TEXT) if answers or sent.text else None


def told_again(answer: Answer) -> dict[str, Any]:
    """An answer that was taken back, as the page shows it again."""
    again = {"id": answer.id, "reply": answer.reply.value, "text": "", "note": answer.note}
    document = answer.document
    if document is not None and document.kind == TEXT:
        again["text"] = document.body
    if document is not None and document.kind == DRAWING:
        again |= drawings.told(document, answer.id)
    return again


def shown(question: Question) -> dict[str, Any]:
    """What a person may see of a question: never why it was chosen, nor whether it examines."""
    document = question.context.document
    return {
        "id": question.id,
        "kind": document.kind,
        "version": question.version,
        **content(document),
    }


def content(document: Document) -> dict[str, Any]:
    """What there is to read of a question; `text` says it in words, whatever its kind."""
    if document.kind == CAPTION:
        caption = caption_of(document)
        return {"text": f"Draw: {caption}", "caption": caption}
    if document.kind == EXPERIMENT:
        experiment = Experiment.of(document)
        steps = len(experiment.actions)
        text = f"An experiment of {steps} steps with the {experiment.system}"
        return {"text": text, "system": experiment.system, "steps": steps}
    return {"text": document.body}
