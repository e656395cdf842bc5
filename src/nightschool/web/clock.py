"""The clock on the wall: while a request is answered, the server's timeline says so."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from nightschool.timeline import during


class Clock:
    """Middleware: a request for completions is "completing", any other "showing".

    What a request sets off (asking, keeping, loading) is a state of its own, inside this one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, inside its state."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with during("completing" if scope["path"].startswith("/v1/") else "showing"):
            await self.app(scope, receive, send)
