"""What is told when a request fails: by the API as JSON, to a person as a page."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from nightschool.types import (
    AnswerError,
    ConflictingAnswer,
    NightschoolError,
    UnknownQuestion,
)
from nightschool.types.people import AccountError
from nightschool.web import completions
from nightschool.web.door import signed_out, wants_page
from nightschool.web.render import Renderer, seen_by
from nightschool.web.texts import t


def explain_errors(app: FastAPI, render: Renderer) -> None:
    """Let the app answer errors in words that name the cure."""
    app.add_exception_handler(NightschoolError, partial(_mendable, render))
    app.add_exception_handler(RequestValidationError, partial(_malformed, render))
    app.add_exception_handler(HTTPException, partial(_missing, render))


def code_of(error: NightschoolError) -> int:
    """The status code of an error; 503 where the same request may succeed later."""
    if isinstance(error, UnknownQuestion):
        return 404
    if isinstance(error, ConflictingAnswer | AccountError):
        return 409
    return 422 if isinstance(error, AnswerError) else 503


async def _mendable(render: Renderer, request: Request, error: Exception) -> Response:
    assert isinstance(error, NightschoolError)
    return _reply(render, request, code_of(error), str(error))


async def _malformed(render: Renderer, request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    # For broken JSON the place is a number of characters, which helps nobody.
    where = ".".join(str(part) for part in first["loc"][1:] if first["type"] != "json_invalid")
    reason = str(first["msg"]).removeprefix("Value error, ")
    message = f"{where}: {reason}" if where else reason
    code = 400 if request.url.path.startswith("/v1/") else 422
    return _reply(render, request, code, message, where.partition(".")[0] or None)


async def _missing(render: Renderer, request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return signed_out(request.scope)
    code, told = error.status_code, str(error.detail)
    seen = seen_by(request)
    if code == HTTPStatus.FORBIDDEN and wants_page(request.scope):
        told = t("people.refused_about", name=seen["person"], role=seen["role"])
    elif code == HTTPStatus.NOT_FOUND and told == HTTPStatus.NOT_FOUND.phrase:
        told = t("people.missing_about", path=request.url.path)
    return _reply(render, request, code, told)


def _reply(
    render: Renderer, request: Request, code: int, message: str, param: str | None = None
) -> Response:
    """The reason as a page with a way on, or as JSON."""
    if wants_page(request.scope):
        page = render(request, "refused.html", title=_title_of(code), about=message)
        page.status_code = code
        return page
    if request.url.path.startswith("/v1/"):
        return completions.refusal(code, message, param)
    return JSONResponse({"error": message}, code)


def _title_of(code: int) -> str:
    """The heading of the page that tells of a refusal."""
    kinds = {HTTPStatus.FORBIDDEN: "refused", HTTPStatus.NOT_FOUND: "missing"}
    return t(f"people.{kinds.get(HTTPStatus(code), 'trouble')}")


def refusal_page(render: Renderer, code: int, reason: str) -> str:
    """The page of a refusal before it is known who asks."""
    return render.bare(_title_of(code), reason)
