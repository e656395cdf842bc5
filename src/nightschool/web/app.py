"""The web application: the routes, behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from nightschool.types import (
    CAPTION,
    AnswerError,
    ConflictingAnswer,
    NightschoolError,
    UnknownQuestion,
)
from nightschool.types.drawing import MOST_BYTES
from nightschool.web import answers, completions, drawings, experiments, pages
from nightschool.web.desk import Desk
from nightschool.web.guard import Guard
from nightschool.web.serving import Serving

HERE = Path(__file__).parent
SMALLEST_LIMIT = 1 << 20
# A picture in base64, and strokes in which every character may be escaped.
DRAWING_LIMIT = 4 * MOST_BYTES // 3 + 2 * drawings.MOST_STROKES + SMALLEST_LIMIT


def create_app(school: Desk, *, hosts: Collection[str] = (), any_address: bool = False) -> FastAPI:
    """The page, its API and the completions API of one school.

    `hosts` are names, beside this machine's own, by which the server may be called;
    `any_address` lets it be called by any IP address of the machine.
    """
    serving = Serving(school)
    completer = completions.Completer(serving)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        completer.close()
        serving.close()

    # No generated API pages: they load scripts from elsewhere, which the policy forbids.
    app = FastAPI(title=school.name, lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(pages.routes(school))
    app.include_router(answers.routes(school))
    app.include_router(drawings.routes(school))
    app.include_router(experiments.routes(school))
    app.include_router(completions.routes(school, completer))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_exception_handler(NightschoolError, _mendable)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _missing)
    app.add_middleware(Guard, hosts=hosts, any_address=any_address, limit=largest(school))
    return app


def largest(school: Desk) -> int:
    """The largest request, in bytes, that the school's answers need."""
    # A character takes at most 12 bytes in JSON (two escapes of a surrogate pair).
    written = 12 * school.config.max_answer_chars + (64 << 10)
    return max(SMALLEST_LIMIT, written, DRAWING_LIMIT if school.kind == CAPTION else 0)


def code_of(error: NightschoolError) -> int:
    """The status code of an error; 503 where the same request may succeed later."""
    if isinstance(error, UnknownQuestion):
        return 404
    if isinstance(error, ConflictingAnswer):
        return 409
    return 422 if isinstance(error, AnswerError) else 503


async def _mendable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, NightschoolError)
    return _reply(request, code_of(error), str(error))


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    # For broken JSON the place is a number of characters, which helps nobody.
    where = ".".join(str(part) for part in first["loc"][1:] if first["type"] != "json_invalid")
    reason = str(first["msg"]).removeprefix("Value error, ")
    message = f"{where}: {reason}" if where else reason
    code = 400 if request.url.path.startswith("/v1/") else 422
    return _reply(request, code, message, where.partition(".")[0] or None)


async def _missing(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _reply(request, 404, f"There is nothing at {request.url.path}.")
    return _reply(request, error.status_code, str(error.detail))


def _reply(request: Request, code: int, message: str, param: str | None = None) -> JSONResponse:
    if request.url.path.startswith("/v1/"):
        return completions.refusal(code, message, param)
    return JSONResponse({"error": message}, code)
