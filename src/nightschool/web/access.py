"""One measurement and one line in the log for every request, by route and never by its content."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("nightschool.access")

UNKNOWN = "(none)"
"""The route of what no route answers; its path may hold anything, so it is not told."""

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

Observe = Callable[[str, str, int, float], object]
"""Called with (method, route, status code, seconds) after each request."""


class Access:
    """Middleware, the outermost: what is refused inside is measured and logged as well."""

    def __init__(self, app: ASGIApp, *, observe: Observe) -> None:
        self.app = app
        self.observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how long it took, until its last byte was sent."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 499  # as proxies call it: the client hung up before there was a reply

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception:
            status = 500
            raise
        finally:
            seconds = time.perf_counter() - began
            method = scope["method"] if scope["method"] in _METHODS else UNKNOWN
            self.observe(method, route_of(scope), status, seconds)
            if log.isEnabledFor(logging.INFO):
                log.info("request", extra=told(scope, method, status, seconds))


def told(scope: Scope, method: str, status: int, seconds: float) -> dict[str, object]:
    """What the log says of a request; never a text, a token or what stood in its path."""
    caller = scope.get("state", {}).get("caller")
    return {
        "method": method,
        "route": route_of(scope),
        "status": status,
        "ms": round(1000 * seconds, 2),
        "caller": caller.person if caller is not None else "",
    }


def route_of(scope: Scope) -> str:
    """The template of the route that answered, such as /api/questions/{question_id}."""
    if scope["path"].startswith("/static/"):
        return "/static"
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path else UNKNOWN
