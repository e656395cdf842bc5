"""Webhooks: which there are, and the thread that tells them what happened.

Messages follow the convention of Standard Webhooks: headers webhook-id, webhook-timestamp and
webhook-signature (HMAC-SHA256), so that any of its libraries can check them. They hold ids and
numbers, never a text nor a person's name. Each is sent until it arrives, at least once: the same
message always has the same webhook-id.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from standardwebhooks import Webhook

from nightschool.app.config import FILE, Config, read_config
from nightschool.types import ConfigError
from nightschool.warehouse.deliveries import EVENTS, Deliveries, Delivery

log = logging.getLogger(__name__)

RETRIES = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 86400.0)
"""Seconds after each failure until a message is sent again; after the last it is given up."""

TIMEOUT = 10.0
KEPT = 7 * 86400.0
"""Seconds for which a settled message is kept for looking at."""

BATCH = 100
GONE = 410
_SECRET_BYTES = (24, 64)


@dataclass(frozen=True)
class Hook:
    """One webhook: where messages go, of which events, signed with which secret.

    A secret that begins with "$" is the name of a variable of the environment, which holds it.
    """

    name: str
    url: str
    secret: str = field(repr=False)
    events: tuple[str, ...] = EVENTS

    def headers(self, id: str, body: str, now: float) -> dict[str, str]:
        """The headers of a message, with its signature."""
        moment = datetime.fromtimestamp(int(now), UTC)
        return {
            "content-type": "application/json",
            "user-agent": "nightschool",
            "webhook-id": id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": Webhook(self._key()).sign(id, moment, body),
        }

    def _key(self) -> str:
        """The secret itself, read anew each time; ValueError where the environment has none."""
        if not self.secret.startswith("$"):
            return self.secret
        found = os.environ.get(self.secret[1:], "")
        if not is_secret(found):
            raise ValueError(f"the environment's {self.secret[1:]} holds no secret (whsec_…)")
        return found


def new_secret() -> str:
    """A fresh secret in the form of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES[0])).decode()}"


def hooks_of(config: Config) -> tuple[Hook, ...]:
    """The webhooks of the table [webhooks]; raises ConfigError for one that cannot be."""
    return tuple(_hook(name, table) for name, table in config.webhooks.items())


def _hook(name: str, table: object) -> Hook:
    if not isinstance(table, Mapping) or not {"url", "secret"} <= table.keys():
        raise ConfigError(
            f"Webhook {name!r} needs url and secret; make it with `nightschool webhook add`."
        )
    if unknown := sorted(table.keys() - {"url", "secret", "events"}):
        known = "url, secret, events"
        raise ConfigError(f"Webhook {name!r} has no setting {unknown[0]!r}; only {known}.")
    events = table.get("events", list(EVENTS))
    if not isinstance(events, list) or not events or set(events) - set(EVENTS):
        raise ConfigError(f"Webhook {name!r}: events are some of {', '.join(EVENTS)}.")
    url, secret = str(table["url"]), str(table["secret"])
    check_url(url)
    _check_secret(name, secret)
    return Hook(name, url, secret, tuple(events))


def check_url(url: str) -> None:
    """Raise ConfigError for what is no address of a web server."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        parts.port  # noqa: B018 (raises for what is no number)
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError(f"{url!r} is no address for a webhook; give http(s)://host/path.")


def is_secret(text: str) -> bool:
    """Whether a text is a secret in the form of Standard Webhooks."""
    try:
        size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except ValueError:
        return False
    return text.startswith("whsec_") and _SECRET_BYTES[0] <= size <= _SECRET_BYTES[1]


def _check_secret(name: str, secret: str) -> None:
    if not is_secret(secret) and not re.fullmatch(r"\$[A-Za-z_][A-Za-z0-9_]*", secret):
        raise ConfigError(
            f"The secret of webhook {name!r} must be whsec_ and 24 to 64 bytes in base64, or $NAME "
            "for a variable of the environment; `nightschool webhook add` makes one."
        )


class HooksFile:
    """The webhooks of a school's settings, read again when the file was changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: tuple[int, int] | None = None
        self._hooks: tuple[Hook, ...] = ()

    def __call__(self) -> Sequence[Hook]:
        """The webhooks of this moment; the former ones where the file is broken."""
        found = (self._folder / FILE).stat()
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._hooks = hooks_of(read_config(self._folder))
            except ConfigError as error:
                log.warning("The webhooks stay as they were: %s", error)
        return self._hooks


class Herald:
    """Gathers what happened and tells every webhook, in a thread of its own once it is begun."""

    def __init__(
        self,
        deliveries: Deliveries,
        hooks: Callable[[], Sequence[Hook]],
        *,
        every: float = 1.0,
        now: Callable[[], float] = time.time,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._deliveries = deliveries
        self._hooks = hooks
        self._every = every
        self._now = now
        self._http = httpx2.Client(timeout=TIMEOUT, transport=transport, follow_redirects=False)
        self._telling: bool | None = None
        self._rests: dict[str, float] = {}
        self._swept = 0.0
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Tell in the background from now on."""
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; what was not sent yet is sent by the next server."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT + 1)
        self._http.close()

    def step(self) -> int:
        """Gather and send what is due now; how many messages arrived."""
        hooks = {hook.name: hook for hook in self._hooks()}
        if self._telling is not bool(hooks):
            self._telling = bool(hooks)
            (self._deliveries.begin if hooks else self._deliveries.pause)()
        if not hooks:
            return 0
        now = self._now()
        self._deliveries.gather({name: hook.events for name, hook in hooks.items()}, now)
        arrived = sum(self._send(one, hooks) for one in self._deliveries.due(now, BATCH))
        if now - self._swept > KEPT / 168:
            self._swept = now
            self._deliveries.forget(now - KEPT)
        return arrived

    def ping(self, hook: Hook, now: float) -> str:
        """Send one message of the type "ping"; what went wrong, empty where it arrived."""
        body = json.dumps({"type": "ping", "timestamp": now, "data": {}})
        return self._post(hook, f"ping_{uuid.uuid4()}", body)[0]

    def _run(self) -> None:
        wait = 0.0
        while not self._closed.wait(wait):
            try:
                self.step()
                wait = self._every
            except Exception:
                log.exception("The webhooks could not be told; tried again in a minute.")
                wait = 60.0

    def _send(self, one: Delivery, hooks: Mapping[str, Hook]) -> bool:
        now = self._now()
        hook = hooks.get(one.hook)
        if hook is None:
            self._deliveries.failed(one.seq, "This webhook was removed.", None, now)
            return False
        if self._closed.is_set() or now < self._rests.get(hook.name, 0.0):
            return False  # it failed a moment ago; its other messages wait with the failed one
        error, final = self._post(hook, one.id, one.body)
        if not error:
            self._rests.pop(hook.name, None)
            self._deliveries.delivered(one.seq, now)
            return True
        final = final or one.tries >= len(RETRIES)
        again = None if final else now + RETRIES[one.tries]
        self._deliveries.failed(one.seq, error, again, now)
        self._rests[hook.name] = now + RETRIES[0]
        return False

    def _post(self, hook: Hook, id: str, body: str) -> tuple[str, bool]:
        """Send one message: what went wrong (empty: nothing), and whether for good."""
        try:
            reply = self._http.post(
                hook.url, content=body.encode(), headers=hook.headers(id, body, self._now())
            )
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:  # or no such host
            return f"{type(error).__name__}: {error}"[:200], False
        if reply.is_success:
            return "", False
        return f"HTTP {reply.status_code}", reply.status_code == GONE


def as_table(
    url: str, events: Sequence[str], name: str = "new", secret: str = ""
) -> dict[str, Any]:
    """A new webhook as the settings hold it, with a new secret; ConfigError for a bad one."""
    table = {"url": url, "secret": secret or new_secret(), "events": list(events or EVENTS)}
    _hook(name, table)
    return table
