"""The web application: the routes, behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from nightschool.app.accounts import Accounts
from nightschool.types import CAPTION
from nightschool.types.drawing import MOST_BYTES
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
from nightschool.web.door import Door, cookie_name
from nightschool.web.guard import Guard
from nightschool.web.machines import NONE, Machines
from nightschool.web.rates import Rates
from nightschool.web.refusals import explain_errors, refusal_page
from nightschool.web.render import Renderer
from nightschool.web.serving import Serving

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
    cookie = cookie_name(school.folder)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        completer.close()
        serving.close()

    # No generated API pages: they load scripts from elsewhere, which the policy forbids.
    app = FastAPI(title=school.name, lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    _add_routes(app, school, render)
    app.include_router(pages.routes(school, render, machines))
    app.include_router(signing.routes(school, accounts, rates, render))
    app.include_router(people.routes(school, accounts, rates, render))
    app.include_router(completions.routes(school, completer, machines.offer))
    app.include_router(nights.routes(school, machines))
    app.include_router(metrics.routes(meter))
    app.include_router(openapi.routes(app, cookie))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    explain_errors(app, render)
    app.add_middleware(Clock)
    limit, page = largest(school), partial(refusal_page, render)
    if accounts is not None:
        app.add_middleware(Door, accounts=accounts, cookie=cookie, rates=rates, page=page)
        app.add_middleware(Csrf, secret=accounts.store.secret(), cookie=f"{cookie}-csrf")
    app.add_middleware(Guard, hosts=hosts, any_address=any_address, limit=limit, page=page)
    app.add_middleware(Access, observe=meter.observe)
    return app


def _add_routes(app: FastAPI, school: Desk, render: Renderer) -> None:
    """What there is in every school, whoever may sign in."""
    app.include_router(answers.routes(school))
    app.include_router(yesterday.routes(school))
    app.include_router(settle.routes(school, render))
    app.include_router(records.routes(school, render))
    app.include_router(versions.routes(school, render))
    app.include_router(drawings.routes(school))
    app.include_router(experiments.routes(school))


def largest(school: Desk) -> int:
    """The largest request, in bytes, that the school's answers need."""
    # A character takes at most 12 bytes in JSON (two escapes of a surrogate pair).
    written = 12 * school.config.max_answer_chars + (64 << 10)
    return max(SMALLEST_LIMIT, written, DRAWING_LIMIT if school.kind == CAPTION else 0)
