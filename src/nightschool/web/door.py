"""Who calls, and what they may: every route names the right that it asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from nightschool.app.accounts import Accounts
from nightschool.types.people import Caller, Right, Role
from nightschool.web.rates import Rates

NOBODY_ASKED = Caller("", Role.OWNER)
"""The caller in a school without accounts: whoever sits at this machine."""

OWNER = "owner"
"""Who did it, for the record, in a school without accounts, where nobody says a name."""

OPEN = ("/favicon.ico", "/login", "/join/", "/static/", "/api/session", "/api/join")
"""What may be had before signing in: the way in, and files that say nothing of a school."""

TOKENS = "Tokens for programs are made on the page /me, or with `nightschool people token`."
NOT_GOOD = "This token is not good here: it was revoked, is over, or is another school's."
SIGNED_OUT = "Sign in first: nobody is signed in here, or the session is over."


def caller(request: Request) -> Caller:
    """Who makes this request; raises HTTPException 401 where nobody is signed in."""
    found: Caller | None = getattr(request.state, "caller", NOBODY_ASKED)
    if found is None:
        raise HTTPException(401, SIGNED_OUT)
    return found


def needs(right: Right) -> Any:
    """A dependency of a route: lets in whoever has that right, or raises 401 or 403."""

    async def check(request: Request) -> Caller:  # async: it is called where the request is
        found = caller(request)
        if not found.may(right):
            raise HTTPException(403, f"A {found.role.value} may not do this ({right.value}).")
        return found

    check.right = right  # type: ignore[attr-defined]
    return Depends(check)


def anybody() -> Any:
    """A dependency of the few routes that need no right: those by which somebody comes in."""

    async def check() -> None:
        return None

    check.right = None  # type: ignore[attr-defined]
    return Depends(check)


Answering = Annotated[Caller, needs(Right.ANSWER)]
Looking = Annotated[Caller, needs(Right.LOOK)]
Reading = Annotated[Caller, needs(Right.READ)]
Managing = Annotated[Caller, needs(Right.MANAGE)]
"""Parameters of routes: who calls, and that they have the right."""


def person_of(found: Caller, said: str) -> str:
    """The person for whom a request acts: who is signed in, or whom it names without accounts."""
    return found.person or said


def school_key(folder: Path, person: str = "") -> str:
    """A short name for what a browser keeps of a school (and a person), apart from any other's."""
    told = f"{folder.resolve()}\n{person}" if person else str(folder.resolve())
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def cookie_name(folder: Path) -> str:
    """The session cookie's name: ports share cookies, so each school's is its own."""
    return f"nightschool-{school_key(folder)}"


class Door:
    """ASGI middleware: finds who calls, by session or token, and turns strangers away.

    Sets `request.state.caller`. What is not in OPEN needs somebody who is signed in, whatever
    the route itself says; pages are led to /login. Too many requests are answered with 429; `page`
    makes HTML of a status code and a reason, for browsers.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        accounts: Accounts,
        cookie: str,
        rates: Rates,
        page: Callable[[int, str], str],
    ) -> None:
        self.app = app
        self.page = page
        self.accounts = accounts
        self.cookie = cookie
        self.rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its caller, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        found = await self._find(Headers(scope=scope))
        scope.setdefault("state", {})["caller"] = found
        refusal = self._refusal(scope, found)
        await (refusal or self.app)(scope, receive, send)

    async def _find(self, headers: Headers) -> Caller | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        machine = scheme.lower() == "bearer"
        secret = token.strip() if machine else cookie_of(headers, self.cookie)
        if not secret:
            return None
        if self.accounts.is_remembered(secret, machine):
            return self.accounts.caller(secret, machine)
        return await run_in_threadpool(self.accounts.caller, secret, machine)

    def _refusal(self, scope: Scope, found: Caller | None) -> Response | None:
        path = scope["path"]
        if path.startswith("/static/"):
            return None
        wait = self.rates.request(scope, found)
        if wait:
            return self._too_many(scope, wait)
        if found is not None or is_open(path):
            return None
        return signed_out(scope)

    def _too_many(self, scope: Scope, wait: float) -> Response:
        refusal = too_many(wait)
        if not wants_page(scope):
            return refusal
        after = {"retry-after": refusal.headers["retry-after"]}
        return HTMLResponse(self.page(429, slower(wait)), 429, after)


def is_open(path: str) -> bool:
    """Whether a path may be had before signing in."""
    return any(path == way or (way.endswith("/") and path.startswith(way)) for way in OPEN)


def signed_out(scope: Scope) -> Response:
    """What a stranger is told: pages lead to /login and back, the API says 401."""
    path = scope["path"]
    if is_page(path, scope["method"]):
        query = scope["query_string"].decode("latin-1")
        here = f"{path}?{query}" if query else path
        return RedirectResponse(f"/login?next={quote(here, safe='/')}", 303)
    with_token = Headers(scope=scope).get("authorization", "").lower().startswith("bearer ")
    told = f"{NOT_GOOD if with_token else SIGNED_OUT} {TOKENS}"
    headers = {"www-authenticate": "Bearer"}
    return JSONResponse(_body(path, told, "signed_out"), 401, headers)


def is_page(path: str, method: str) -> bool:
    """Whether a request is for a page, not for the API."""
    machine = ("/api/", "/v1/", "/metrics", "/openapi.json")
    return method in ("GET", "HEAD") and not path.startswith(machine)


def wants_page(scope: Scope) -> bool:
    """Whether a person's browser asks, for a page to read."""
    accepted = Headers(scope=scope).get("accept", "")
    return is_page(scope["path"], scope["method"]) and "text/html" in accepted


def too_many(wait: float) -> Response:
    """What is told to whoever asks too often; `wait` is in seconds."""
    after = {"retry-after": str(max(1, round(wait)))}
    return JSONResponse({"error": slower(wait), "code": "rate"}, 429, after)


def slower(wait: float) -> str:
    """The same in words."""
    return f"Too many requests; try again in {max(1, round(wait))} s."


def _body(path: str, message: str, code: str) -> dict[str, object]:
    if path.startswith("/v1/"):
        told = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        return {"error": told}
    return {"error": message, "code": code}


def cookie_of(headers: Headers, name: str) -> str:
    """The value of a cookie, empty where there is none or the header is broken."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""
