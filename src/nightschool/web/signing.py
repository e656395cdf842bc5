"""Signing in and out, and joining by a link: the pages and the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightschool.app.accounts import SESSION, Accounts
from nightschool.app.accounts import Session as SignedIn
from nightschool.app.passwords import LONGEST, SHORTEST
from nightschool.types.people import AccountError, Caller, Right
from nightschool.web import csrf
from nightschool.web.desk import Desk, storable
from nightschool.web.door import anybody, caller, cookie_name, needs, too_many
from nightschool.web.rates import Rates
from nightschool.web.render import Renderer, seen_by

T = TypeVar("T")

WRONG = "Name and password do not fit together."
HASHING = 2
MOST_HASHES = 32

Text = Annotated[str, Field(max_length=LONGEST), AfterValidator(storable)]


class SignIn(BaseModel):
    """A name and its password."""

    model_config = ConfigDict(extra="forbid")

    person: Text
    password: Text


class Join(BaseModel):
    """A link's secret, the name to take (where the link leaves it open) and a new password."""

    model_config = ConfigDict(extra="forbid")

    link: Text
    person: Text = ""
    password: Text


class NewPassword(BaseModel):
    """A person's own password: the old one and the new one."""

    model_config = ConfigDict(extra="forbid")

    old: Text
    new: Text


class Slow:
    """Where passwords are hashed: two at a time, in threads of their own, so nobody waits.

    Each takes some 50 ms and 64 MiB; more than so many at once are turned away.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(HASHING, thread_name_prefix="passwords")
        self._open = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns; raises AccountError where too many wait."""
        if self._open >= MOST_HASHES:
            raise AccountError("Too many people sign in just now; try again in a moment.")
        self._open += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._open -= 1


def routes(school: Desk, accounts: Accounts | None, rates: Rates, render: Renderer) -> APIRouter:
    """The ways in and out; without accounts only the session, which says that there are none."""
    api = APIRouter()

    @api.get("/api/session", dependencies=[anybody()])
    def session(request: Request) -> dict[str, Any]:
        seen = seen_by(request)
        told = {**seen, "rights": sorted(seen["rights"]), "accounts": accounts is not None}
        return {**told, "csrf": csrf.token(request)}

    if accounts is not None:
        slow, cookie = Slow(), cookie_name(school.folder)
        api.include_router(_pages(accounts, render))
        api.include_router(_ways_in(accounts, rates, slow, cookie))
        api.include_router(_way_out(accounts, cookie))
        api.include_router(_password(accounts, rates, slow))
    return api


def _pages(accounts: Accounts, render: Renderer) -> APIRouter:
    api = APIRouter(dependencies=[anybody()])

    @api.get("/login", response_class=HTMLResponse)
    def login_page(request: Request) -> HTMLResponse:
        csrf.token(request)
        return render(
            request, "login.html", owned=accounts.has_owner(), members=bool(accounts.all())
        )

    @api.get("/join/{link}", response_class=HTMLResponse)
    def join_page(request: Request, link: str) -> HTMLResponse:
        csrf.token(request)
        found = accounts.invitation(link)
        renews = found is not None and accounts.renews(found)
        return render(
            request, "join.html", link=link, invitation=found, renews=renews, shortest=SHORTEST
        )

    return api


def _ways_in(accounts: Accounts, rates: Rates, slow: Slow, cookie: str) -> APIRouter:
    api = APIRouter(dependencies=[anybody()])

    @api.post("/api/session")
    async def sign_in(request: Request, body: SignIn) -> Response:
        wait = rates.sign_in(request.scope, body.person)
        if wait:
            return too_many(wait)
        found = await slow.run(lambda: accounts.sign_in(body.person, body.password))
        if found is None:
            rates.failed(request.scope)
            return JSONResponse({"error": WRONG, "code": "wrong"}, 403)
        return _welcome(request, cookie, found)

    @api.post("/api/join")
    async def join(request: Request, body: Join) -> Response:
        wait = rates.link(request.scope)
        if wait:
            return too_many(wait)
        found = await slow.run(lambda: accounts.join(body.link, body.person, body.password))
        return _welcome(request, cookie, found)

    return api


def _way_out(accounts: Accounts, cookie: str) -> APIRouter:
    api = APIRouter()

    @api.post("/api/session/end", dependencies=[anybody()])
    def sign_out(request: Request) -> Response:
        who: Caller | None = request.state.caller
        if who is not None and not who.machine:
            accounts.sign_out(who)
        reply = JSONResponse({"signed_out": True})
        reply.delete_cookie(cookie, samesite="strict", httponly=True)
        return reply

    return api


def _password(accounts: Accounts, rates: Rates, slow: Slow) -> APIRouter:
    api = APIRouter()

    @api.post("/api/password", dependencies=[needs(Right.LOOK)])
    async def change_password(request: Request, body: NewPassword) -> Response:
        who = caller(request)
        refuse_machine(who)
        wait = rates.sign_in(request.scope, who.person)
        if wait:
            return too_many(wait)
        try:
            await slow.run(lambda: accounts.change_password(who, body.old, body.new))
        except AccountError:
            rates.failed(request.scope)
            raise
        return JSONResponse({"changed": True})

    return api


def refuse_machine(who: Caller) -> None:
    """Raise AccountError for a token that would let somebody in, or out for good."""
    if who.machine:
        raise AccountError(
            "A token can make neither passwords, tokens nor invitations, and neither give roles, "
            "let people in nor erase them; sign in for that."
        )


def _welcome(request: Request, cookie: str, found: SignedIn) -> Response:
    account = found.account
    reply = JSONResponse({"person": account.person, "role": account.role.value})
    # Behind a proxy only the browser knows that it speaks https; it says so in Origin.
    secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
    reply.set_cookie(
        cookie,
        found.secret,
        max_age=int(SESSION),
        httponly=True,
        samesite="strict",
        secure=secure,
    )
    return reply
