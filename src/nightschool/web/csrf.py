"""Protection from forged requests: a signed double-submit token, by asgi-csrf.

It stands beside what the guard checks (Origin, Sec-Fetch-Site, JSON only) and the session
cookie's SameSite=Strict. Requests without cookies and with a bearer token are no forgeries.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Any

from asgi_csrf import asgi_csrf
from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = "x-csrftoken"
OUTER = "nightschool.outer"
FORGED = (
    "This request lacks the page's own mark, so it may be forged; reload the page. (Programs use "
    "a token: Authorization: Bearer …)"
)


class Csrf:
    """ASGI middleware: lets writes in that carry the token of their cookie in a header."""

    def __init__(self, app: ASGIApp, *, secret: str, cookie: str) -> None:
        self.app = asgi_csrf(
            _telling(app),
            cookie_name=cookie,
            http_header=HEADER,
            signing_secret=secret,
            cookie_samesite="Strict",
            send_csrf_failed=_forged,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 403."""
        if scope["type"] == "http" and not _readable(Headers(scope=scope)):
            await _forged(scope, send, None)
            return
        await self.app({**scope, OUTER: scope}, receive, send)


def _telling(app: ASGIApp) -> ASGIApp:
    """The app, and whoever stands outside (the log) learns the route and the caller.

    The library passes a copy of the scope on, in which both would be lost.
    """

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            if OUTER in scope:
                scope[OUTER].update({k: scope[k] for k in ("route", "state") if k in scope})

    return told


def _readable(headers: Headers) -> bool:
    """Whether cookie and token are what the library can read: it fails on others.

    Of two it would take the last and we the first, so there may be one of each.
    """
    cookies, tokens = headers.getlist("cookie"), headers.getlist(HEADER)
    if len(cookies) > 1 or len(tokens) > 1:
        return False
    cookie = "".join(cookies)
    try:
        SimpleCookie(cookie)
    except CookieError:
        return False
    return cookie.isascii() and "".join(tokens).isascii()


async def _forged(scope: Scope, send: Send, _why: Any) -> None:
    async def nothing() -> Any:
        return {"type": "http.disconnect"}

    await JSONResponse({"error": FORGED, "code": "csrf"}, 403)(scope, nothing, send)


def token(request: Request) -> str:
    """The token that a page sends along, its cookie goes out with this reply; none is empty."""
    made = request.scope.get("csrftoken")
    return made() if made is not None else ""
