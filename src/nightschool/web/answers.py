"""The page's API: hand out questions, take answers in, take one back."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightschool.app.guesses import guess_of
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
from nightschool.types.people import Caller, Right
from nightschool.web import drawings
from nightschool.web.desk import Desk, storable
from nightschool.web.door import Answering, needs, person_of

LONGEST_NAME = 64
LONGEST_NOTE = 2000
MOST_HELD = 200
KEPT_BEFORE = "That very answer was kept before; nothing was changed."


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

    `person` says who answers in a school without accounts; with accounts it is who signed in.

    A drawing is a `picture` file in base64 and, where it was drawn on the page, JSON `strokes`.
    """

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    question_id: Id
    person: Name = ""
    reply: Reply
    text: Text = ""
    picture: str = ""
    strokes: Text = ""
    seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    note: Annotated[Text, Field(max_length=LONGEST_NOTE)] = ""


class Undo(BaseModel):
    """Which answer to take back: the one named, or the person's last one."""

    model_config = ConfigDict(extra="forbid")

    person: Name = ""
    answer_id: uuid.UUID | None = None


def routes(school: Desk) -> APIRouter:
    """The routes under /api: questions out, answers in, and one taken back."""
    api = APIRouter()
    api.include_router(_questions(school))
    api.include_router(_replies(school))
    return api


def _questions(school: Desk) -> APIRouter:
    api = APIRouter(prefix="/api")

    @api.get("/next")
    def next_question(
        who: Answering,
        person: Annotated[Name, Query()] = "",
        hold: Annotated[list[Text] | None, Query()] = None,
    ) -> dict[str, Any]:
        held = [id for part in hold or () for id in part.split(",") if id][:MOST_HELD]
        # Asked again inside the write: who was let in is remembered for some seconds.
        found = school.next_question(answering(who, person), held, member=bool(who.person))
        return {"question": _told(school, found) if found is not None else None}

    @api.get("/questions/{question_id}", dependencies=[needs(Right.ANSWER)])
    def question(question_id: Annotated[str, AfterValidator(storable)]) -> dict[str, Any]:
        return {"question": _told(school, school.question(question_id))}

    return api


def _replies(school: Desk) -> APIRouter:
    api = APIRouter(prefix="/api")

    @api.post("/answers", status_code=201, responses={200: {"description": KEPT_BEFORE}})
    def keep(sent: Sent, who: Answering) -> JSONResponse:
        limit = school.config.max_answer_chars
        if len(sent.text) > limit:
            message = (
                f"The answer has {len(sent.text):,} characters, {limit:,} are kept; shorten it, "
                "or raise max_answer_chars."
            )
            return JSONResponse({"error": message}, 413)
        asked = school.question(sent.question_id).context.document
        sent = sent.model_copy(update={"person": answering(who, sent.person)})
        new = school.keep(as_answer(sent, asked, school.now()), member=bool(who.person))
        return JSONResponse({"kept": True, "new": new}, 201 if new else 200)

    @api.post("/undo")
    def undo(body: Undo, who: Answering) -> dict[str, Any]:
        person = answering(who, body.person)
        if body.answer_id is not None:
            # By name it can be sent again after a lost reply without undoing one more.
            refuse_others(school, who, str(body.answer_id))
            done = school.withdraw(str(body.answer_id), person, Retract.UNDO)
            return {"undone": done, "answer": None, "question": None}
        answer = school.undo(person)
        if answer is None:
            return {"undone": False, "answer": None, "question": None}
        again = told_again(answer)
        question = _told(school, school.question(answer.question_id))
        return {"undone": True, "answer": again, "question": question}

    return api


def _told(school: Desk, question: Question) -> dict[str, Any]:
    return shown(question, guess_of(question, school.config.show_guess))


def answering(who: Caller, said: str) -> str:
    """The person who answers; raises AnswerError where neither session nor request says it."""
    person = person_of(who, said)
    if not person:
        raise AnswerError("person: say who answers, a short name such as anna.")
    return person


def refuse_others(school: Desk, who: Caller, answer_id: str) -> None:
    """Raise AnswerError where somebody who is signed in would take another's answer back."""
    answer = school.answer_with_id(answer_id) if who.person else None
    if answer is not None and answer.person != who.person:
        raise AnswerError(f"The answer {answer_id!r} is not yours; only your own can be undone.")


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


def shown(question: Question, guess: str = "") -> dict[str, Any]:
    """What a person may see of a question: never why it was chosen, nor whether it examines."""
    document = question.context.document
    return {
        "id": question.id,
        "kind": document.kind,
        "version": question.version,
        **content(document),
        **({"guess": guess} if guess else {}),
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
