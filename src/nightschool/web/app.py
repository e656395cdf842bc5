"""The web application: the routes, behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from nightschool.app.accounts import Accounts
from nightschool.types import (
    CAPTION,
    AnswerError,
    ConflictingAnswer,
    NightschoolError,
    UnknownQuestion,
)
from nightschool.types.drawing import MOST_BYTES
from nightschool.types.people import AccountError
from nightschool.web import (
    answers,
    completions,
    drawings,
    experiments,
    metrics,
    nights,
    openapi,
    pages,
    people,
    records,
    settle,
    signing,
    versions,
    yesterday,
)
from nightschool.web.access import Access
from nightschool.web.clock import Clock
from nightschool.web.csrf import Csrf
from nightschool.web.desk import Desk
from nightschool.web.door import Door, cookie_name, is_page, signed_out
from nightschool.web.guard import Guard
from nightschool.web.machines import NONE, Machines
from nightschool.web.rates import Rates
from nightschool.web.render import Renderer, seen_by
from nightschool.web.serving import Serving
from nightschool.web.texts import t

HERE = Path(__file__).parent
SMALLEST_LIMIT = 1 << 20
# A picture in base64, and strokes in which every character may be escaped.
DRAWING_LIMIT = 4 * MOST_BYTES // 3 + 2 * drawings.MOST_STROKES + SMALLEST_LIMIT


def create_app(
    school: Desk,
    *,
    accounts: Accounts | None = None,
    hosts: Collection[str] = (),
    any_address: bool = False,
    machines: Machines = NONE,
) -> FastAPI:
    """The page, its API and the completions API of one school.

    With `accounts` only who signed in is let in, with their role's rights; without them whoever
    sits at this machine is the owner. `hosts` are names, beside this machine's own, by which the
    server may be called; `any_address` lets it be called by any IP address of the machine.
    `machines` are the services that `serve` brings along.
    """
    meter = metrics.Meter(school, machines)
    render = Renderer(school)
    rates = Rates()
    serving = Serving(school)
    completer = completions.Completer(serving)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        completer.close()
        serving.close()

    # No generated API pages: they load scripts from elsewhere, which the policy forbids.
    app = FastAPI(title=school.name, lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(pages.routes(school, render))
    app.include_router(signing.routes(school, accounts, rates, render))
    app.include_router(people.routes(school, accounts, rates, render))
    app.include_router(answers.routes(school))
    app.include_router(yesterday.routes(school))
    app.include_router(settle.routes(school, render))
    app.include_router(records.routes(school, render))
    app.include_router(versions.routes(school, render))
    app.include_router(drawings.routes(school))
    app.include_router(experiments.routes(school))
    app.include_router(completions.routes(school, completer, machines.offer))
    app.include_router(nights.routes(school, machines))
    app.include_router(metrics.routes(meter))
    app.include_router(openapi.routes(app, cookie_name(school.folder)))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_exception_handler(NightschoolError, _mendable)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, partial(_missing, render))
    app.add_middleware(Clock)
    if accounts is not None:
        cookie = cookie_name(school.folder)
        app.add_middleware(Door, accounts=accounts, cookie=cookie, rates=rates)
        app.add_middleware(Csrf, secret=accounts.store.secret(), cookie=f"{cookie}-csrf")
    app.add_middleware(Guard, hosts=hosts, any_address=any_address, limit=largest(school))
    app.add_middleware(Access, observe=meter.observe)
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
    if isinstance(error, ConflictingAnswer | AccountError):
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


async def _missing(render: Renderer, request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return signed_out(request.scope)
    if wants_page(request):
        return refused_page(render, request, error.status_code)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _reply(request, 404, f"There is nothing at {request.url.path}.")
    return _reply(request, error.status_code, str(error.detail))


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, for a page to read."""
    page = is_page(request.scope["path"], request.method)
    return page and "text/html" in request.headers.get("accept", "")


def refused_page(render: Renderer, request: Request, code: int) -> Response:
    """A page that says why there is nothing to see."""
    seen = seen_by(request)
    kind = "refused" if code == HTTPStatus.FORBIDDEN else "missing"
    told = {"name": seen["person"], "role": seen["role"], "path": request.url.path}
    about = t(f"people.{kind}_about", **told)
    page = render(request, "refused.html", title=t(f"people.{kind}"), about=about)
    page.status_code = code
    return page


def _reply(request: Request, code: int, message: str, param: str | None = None) -> JSONResponse:
    if request.url.path.startswith("/v1/"):
        return completions.refusal(code, message, param)
    return JSONResponse({"error": message}, code)
