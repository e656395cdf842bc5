"""The guard at the door: who may call, what may come in, and which headers go out."""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightschool.web.access import route_of
from nightschool.web.door import wants_page

log = logging.getLogger(__name__)

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

NONE, SELF = "'none'", "'self'"

# Nothing is loaded from elsewhere, nothing is framed, and no script stands in a page.
POLICY = (
    ContentSecurityPolicy()
    .default_src(NONE)
    .script_src(SELF)
    .style_src(SELF)
    .connect_src(SELF)
    .img_src(SELF, "data:")
    .form_action(SELF)
    .frame_ancestors(NONE)
    .base_uri(NONE)
)

HEADERS = Secure(
    csp=POLICY,
    xcto=XContentTypeOptions().nosniff(),
    xfo=XFrameOptions().deny(),
    referrer=ReferrerPolicy().no_referrer(),
    coop=CrossOriginOpenerPolicy().same_origin(),
    corp=CrossOriginResourcePolicy().same_origin(),
    permissions=PermissionsPolicy().camera().geolocation().microphone(),
).headers
"""What every reply carries. Not Strict-Transport-Security: that is for the proxy that has https."""

BROKEN = "Something went wrong in the server; its log says what. Nothing you typed is lost."

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Refused(Exception):
    """A request that the guard turns away, with its status code and the reason for people."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Guard:
    """ASGI middleware: Host, Origin, content type and size are checked, safe headers added.

    `hosts` are further names that may be used, as "name" (at the server's own port) or
    "name:port". `any_address` also lets in requests that name the server by a bare IP address:
    a hostile page that re-binds its own DNS name to us can never do that. `limit` is the
    largest body in bytes. `page` makes HTML of a status code and a reason, for browsers.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] = (),
        any_address: bool = False,
        limit: int,
        page: Callable[[int, str], str],
    ) -> None:
        self.app = app
        self.hosts = frozenset(h.lower() for h in hosts)
        self.any_address = any_address
        self.limit = limit
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with the reason why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        started = False

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                # Our own files may be kept, but are asked for again, so that an update is seen.
                kept = scope["path"].startswith("/static/")
                headers.setdefault("cache-control", "no-cache" if kept else "no-store")
            nonlocal started
            started = True
            await send(message)

        try:
            self._check(scope)
            if scope["method"] not in _READS:
                receive = await _whole_body(scope, receive, self.limit)
            await self.app(scope, receive, send_safely)
        except Refused as refusal:
            await self._answer(refusal, scope, send_safely)
        except Exception:
            # Never the path: a link's secret stands in it.
            log.exception("%s %s failed", scope["method"], route_of(scope))
            if started:
                raise  # half an answer is out already; the server cuts the line
            await self._answer(Refused(500, BROKEN), scope, send_safely)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        server = scope.get("server") or ("", 0)
        if not self._known(host, int(server[1] or 0)):
            raise Refused(
                403,
                f"This server does not go by the name {host!r}. Open it as "
                f"http://127.0.0.1:{server[1]}/, or allow the name when you start it.",
            )
        site = headers.get("sec-fetch-site", "none")
        called = scope["path"].startswith(("/api/", "/v1/"))
        if called and site in ("cross-site", "same-site"):
            raise Refused(403, "Another site's page may not call this server.")
        if scope["method"] in _READS:
            return
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise Refused(403, f"A page from {origin!r} may not write to this server.")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not _bare(headers):
            raise Refused(
                415, f"Send JSON with the header Content-Type: application/json, not {kind!r}."
            )

    async def _answer(self, refusal: Refused, scope: Scope, send: Send) -> None:
        message: object = str(refusal)
        kind = "application/json"
        if wants_page(scope):
            kind, body = "text/html; charset=utf-8", self.page(refusal.code, str(refusal)).encode()
        else:
            if scope["path"].startswith("/v1/"):
                told = {"type": "invalid_request_error", "param": None, "code": None}
                message = {"message": message, **told}
            body = json.dumps({"error": message}).encode()
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": refusal.code, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _known(self, host: str, port: int) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, given = (parts.hostname or "").lower(), parts.port or 80
        except ValueError:
            return False
        if parts.username is not None or parts.path or parts.query or parts.fragment:
            return False
        if f"{name}:{given}" in self.hosts:
            return True
        named = name in LOCAL_NAMES or name in self.hosts
        return given == port and (named or (self.any_address and _is_address(name)))


def _bare(headers: Headers) -> bool:
    """Whether a program asks, without a body: browsers say from where they come."""
    said = ("content-type", "transfer-encoding", "origin", "sec-fetch-site")
    return headers.get("content-length", "0") == "0" and not any(name in headers for name in said)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _whole_body(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Read the body, at most `limit` bytes of it, and return a `receive` that gives it again."""
    too_long = Refused(413, f"That is too long: at most {limit:,} bytes are taken at once.")
    told = Headers(scope=scope).get("content-length", "")
    if told.isdigit() and int(told) > limit:
        raise too_long
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise too_long
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return again
