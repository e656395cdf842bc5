"""How often somebody may ask: limits for requests, for signing in and for invitations."""

from __future__ import annotations

import ipaddress
import time

from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from starlette.types import Scope

from limits import RateLimitItem, parse
from nightschool.app.accounts import same_name
from nightschool.types.people import Caller

# A fast teacher sends ten answers a second and fetches as many questions.
REQUESTS = parse("600/10 seconds")
COMPLETIONS = parse("3000/10 seconds")
STRANGERS = parse("300/10 seconds")

# Guessing a password of ten characters at this pace takes longer than anybody lives.
BY_ADDRESS = parse("20/minute")
BY_NAME = parse("10/5 minutes")
BY_NAME_ANYWHERE = parse("100/hour")
LINKS = parse("10/minute")
INVITATIONS = parse("60/hour")


class Rates:
    """The limits of one server, counted in its memory."""

    def __init__(self) -> None:
        storage = MemoryStorage()
        # A counter for what happens often; the exact times for what happens rarely.
        self._many = FixedWindowRateLimiter(storage)
        self._few = MovingWindowRateLimiter(storage)

    def request(self, scope: Scope, caller: Caller | None) -> float:
        """Count a request; 0.0 when it may go on, else the seconds to wait."""
        if caller is None:
            item, who = STRANGERS, address(scope)
        else:
            item = COMPLETIONS if scope["path"].startswith("/v1/") else REQUESTS
            who = caller.key or caller.person
        if self._many.hit(item, who):
            return 0.0
        return self._wait(self._many, item, who)

    def sign_in(self, scope: Scope, person: str) -> float:
        """Count an attempt to sign in, for the name there and anywhere.

        For the address only those count that `failed`: behind one address many may sign in.
        """
        place, name = address(scope), same_name(person)
        if not self._few.test(BY_ADDRESS, "sign in", place):
            return self._wait(self._few, BY_ADDRESS, "sign in", place)
        return self._hit(BY_NAME, "name", name, place) or self._hit(
            BY_NAME_ANYWHERE, "anywhere", name
        )

    def failed(self, scope: Scope) -> None:
        """Count a wrong name or password, for the address."""
        self._few.hit(BY_ADDRESS, "sign in", address(scope))

    def link(self, scope: Scope) -> float:
        """Count an attempt to use a link, for the address."""
        return self._hit(LINKS, "link", address(scope))

    def invitation(self, caller: Caller) -> float:
        """Count an invitation or token that somebody makes."""
        return self._hit(INVITATIONS, "invitation", caller.person)

    def _hit(self, item: RateLimitItem, *who: str) -> float:
        return 0.0 if self._few.hit(item, *who) else self._wait(self._few, item, *who)

    @staticmethod
    def _wait(
        limiter: FixedWindowRateLimiter | MovingWindowRateLimiter, item: RateLimitItem, *who: str
    ) -> float:
        return max(1.0, limiter.get_window_stats(item, *who).reset_time - time.time())


def address(scope: Scope) -> str:
    """Where a request came from: whoever has one address of it can take the others as well.

    An IPv4 address, the first 64 bits of an IPv6 one, or this machine as a whole.
    """
    client = scope.get("client")
    told = str(client[0]) if client else ""
    try:
        found = ipaddress.ip_address(told)
    except ValueError:
        return told
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback:
        return "loopback"
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
