"""Drawings on their way in and out: a picture in base64 and its strokes become a document."""

from __future__ import annotations

import binascii
import threading
from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from nightschool.types import PICTURE, STROKES, AnswerError, Document, drawing_document
from nightschool.types.people import Right
from nightschool.web.desk import Desk, storable
from nightschool.web.door import Looking

MOST_STROKES = 1 << 20
"""The longest strokes that are kept, in bytes of JSON."""

AT_ONCE = threading.BoundedSemaphore(2)
"""Pictures are unpacked two at a time: each may take many times the size of its file."""

TYPES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))

Real = Annotated[float, Field(allow_inf_nan=False)]
Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Stroke(BaseModel):
    """One line of pen or eraser: points are x, y, milliseconds since its first, and pressure."""

    model_config = ConfigDict(extra="forbid")

    tool: Literal["pen", "eraser"]
    width: Length
    points: Annotated[list[tuple[Real, Real, Real, Real]], Field(min_length=1, fail_fast=True)]


class Strokes(BaseModel):
    """What was drawn on a sheet of that width and height, stroke by stroke, oldest first."""

    model_config = ConfigDict(extra="forbid")

    width: Length
    height: Length
    strokes: Annotated[list[Stroke], Field(fail_fast=True)]


def drawing(caption: str, picture: str, strokes: str) -> Document:
    """The answer to a caption: a picture in base64, and JSON strokes where there are some.

    Raises AnswerError for a picture that is missing, broken, too large or of a wrong format, and
    for strokes that cannot be read.
    """
    if not picture:
        raise AnswerError('A caption is answered by a drawing; send one in base64 as "picture".')
    try:
        data = binascii.a2b_base64(picture, strict_mode=True)
    except ValueError as error:
        raise AnswerError(f"The picture is no base64 ({error}); send the whole file.") from error
    lines = checked(strokes)
    with AT_ONCE:
        return drawing_document(caption, data, lines)


def checked(strokes: str) -> bytes:
    """Strokes as they are kept: as they came. AnswerError when they are none, or too long."""
    data = strokes.encode()
    if len(data) > MOST_STROKES:
        raise AnswerError(
            f"The strokes have {len(data):,} bytes, {MOST_STROKES:,} are kept; send the picture "
            "without them."
        )
    if data:
        try:
            Strokes.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "JSON"
            raise AnswerError(
                f"The strokes cannot be read ({where}: {first['msg']}); send the picture without "
                "them."
            ) from error
    return data


def told(document: Document, answer_id: str) -> dict[str, str]:
    """What the page needs to show a drawing again: its strokes, or where its picture is."""
    strokes = document.parts.get(STROKES, b"")
    return {
        "strokes": strokes.decode(),
        "picture": "" if strokes else f"/api/pictures/{answer_id}",
    }


def routes(school: Desk) -> APIRouter:
    """The pictures that were kept."""
    api = APIRouter(prefix="/api")

    @api.get("/pictures/{answer_id}")
    def picture(answer_id: Annotated[str, AfterValidator(storable)], who: Looking) -> Response:
        answer = school.answer_with_id(answer_id)
        if answer is not None and answer.person != who.person and not who.may(Right.READ):
            answer = None  # to a teacher others' drawings are as if they were not there
        document = answer.document if answer is not None else None
        if document is None or PICTURE not in document.parts:
            return JSONResponse({"error": f"No picture belongs to an answer {answer_id!r}."}, 404)
        data = document.parts[PICTURE]
        return Response(data, media_type=next(t for mark, t in TYPES if data.startswith(mark)))

    return api
