"""A system behind HTTP: a robot or an instrument with a small server of its own.

The protocol is JSON in four calls: `GET /spec`, `POST /begin`, `POST /step` and `POST /stop`
(`docs/control.md`; `http_server` is the other end of it).
"""

from __future__ import annotations

import http.client
import json
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

import numpy as np

from nightschool.types import ConfigError, NightschoolError, Reals, Spec

MOST = 1 << 20
"""The longest answer that is read, in bytes."""

_SHOWN = 100
_LISTS = ("states", "actions", "low", "high", "angles")


class TrialError(NightschoolError):
    """The system's server cannot be reached, refused a call, or answered with nonsense."""


@dataclass
class _Trial:
    """Which trial is going on, and how many of its steps were sent."""

    name: str = ""
    steps: int = 0


@dataclass(frozen=True)
class HttpSystem:
    """A system that is reached over HTTP.

    `timeout` is the longest silence in seconds, of connecting and of reading; `begin_timeout`
    that of going to a start. (Keep them below those of the oracle: a lost answer ends one trial,
    a call that hangs loses the system.) Nothing is ever sent twice, and no redirect is followed.
    Each call has a connection of its own, so that `stop` gets through while a step hangs.

    Raises ConfigError for a url or time-out that cannot be used.
    """

    url: str
    timeout: float = 4.0
    begin_timeout: float = 28.0
    _trial: _Trial = field(default_factory=_Trial, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _split(self.url)
        for name in ("timeout", "begin_timeout"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 < value < math.inf:
                raise ConfigError(f"{name} is {value!r}; give seconds, more than 0.")

    @cached_property
    def spec(self) -> Spec:
        """What the system says that it is; asked once. ConfigError when it does not make sense."""
        try:
            return read_spec(self._call("GET", "/spec", None, self.timeout))
        except (TrialError, ValueError) as error:
            raise ConfigError(
                f"{self.url} does not say what the system is: {error} Start its server, or "
                "correct the url in `system_settings`."
            ) from error

    def begin(self, start: Reals, seed: int) -> Reals:
        """Go to a start (q,); the state measured there, (s,). TrialError when that fails."""
        self._trial.name, self._trial.steps = secrets.token_hex(8), 0
        return self._act("/begin", {"start": _plain(start), "seed": seed}, self.begin_timeout)

    def step(self, action: Reals) -> Reals:
        """Act for one step, (a,); the state measured after it, (s,). TrialError when that fails.

        Trial and number are sent along, so that the server never does a step twice.
        """
        self._trial.steps += 1
        body = {"action": _plain(action), "step": self._trial.steps}
        return self._act("/step", body, self.timeout)

    def stop(self) -> None:
        """Make safe; may be called from any thread, at any time. TrialError when that fails."""
        self._call("POST", "/stop", {"trial": self._trial.name}, self.timeout)

    def _act(self, path: str, body: Mapping[str, Any], seconds: float) -> Reals:
        reply = self._call("POST", path, {"trial": self._trial.name, **body}, seconds)
        try:
            return np.array(_numbers(reply, "state"), dtype=np.float64)
        except ValueError as error:
            raise TrialError(f"{self.url}{path} measured no state: {error}") from error

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, seconds: float
    ) -> Mapping[str, Any]:
        """The JSON object that one request is answered with."""
        place = self.url.rstrip("/") + path
        status, data = self._exchange(method, place, body, seconds)
        if len(data) > MOST:
            raise TrialError(f"{place} answered with more than {MOST:,} bytes.")
        try:
            reply = json.loads(data)
        except (ValueError, RecursionError) as error:
            reply = error
        if status != http.client.OK:
            said = reply.get("error") if isinstance(reply, dict) else None
            raise TrialError(f"{place} answered {status}: {str(said or 'no reason')[:_SHOWN]}")
        if not isinstance(reply, dict):
            raise TrialError(f"{place} answered {data[:60]!r}, which is no JSON object.")
        return reply

    def _exchange(
        self, method: str, place: str, body: Mapping[str, Any] | None, seconds: float
    ) -> tuple[int, bytes]:
        """Status and bytes of the answer, a byte more than allowed at most."""
        to = _split(place)
        secure = to.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(to.hostname or "", to.port, timeout=seconds)
        data = None if body is None else json.dumps(body)
        headers = {"Accept": "application/json", "Connection": "close"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, to.path, data, headers)
            reply = connection.getresponse()
            return reply.status, reply.read(MOST + 1)
        except TimeoutError as error:
            raise TrialError(f"{place} did not answer within {seconds:g} s.") from error
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            said = str(error) or type(error).__name__
            raise TrialError(f"{place} cannot be reached ({said}).") from error
        finally:
            connection.close()


def read_spec(said: Mapping[str, Any]) -> Spec:
    """A spec from a server's answer, where null is no limit; ValueError says what is wrong."""
    try:
        spec = Spec(
            name=_name(said["name"], "name"),
            states=_names(said, "states"),
            actions=_names(said, "actions"),
            low=_numbers(said, "low"),
            high=_numbers(said, "high"),
            safe_low=_numbers(said, "safe_low", -math.inf),
            safe_high=_numbers(said, "safe_high", math.inf),
            angles=tuple(_whole(i, "angles") for i in _list(said, "angles")),
            seconds=_number(said["seconds"], "seconds"),
            steps=_whole(said["steps"], "steps"),
        )
    except KeyError as error:
        raise ValueError(f"it leaves out {error}.") from error
    check_spec(spec)
    return spec


def write_spec(spec: Spec) -> dict[str, Any]:
    """The reverse of `read_spec`: what JSON can hold."""
    return {
        **{name: getattr(spec, name) for name in ("name", "seconds", "steps")},
        **{name: list(getattr(spec, name)) for name in _LISTS},
        "safe_low": [v if math.isfinite(v) else None for v in spec.safe_low],
        "safe_high": [v if math.isfinite(v) else None for v in spec.safe_high],
    }


def check_spec(spec: Spec) -> None:
    """ValueError when names, limits and pace do not fit together."""
    if not spec.name or not spec.states or not spec.actions:
        raise ValueError("it needs a name, coordinates and actions.")
    limits = {
        "low and high": (spec.low, spec.high, spec.actions),
        "safe_low and safe_high": (spec.safe_low, spec.safe_high, spec.states),
    }
    for what, (low, high, names) in limits.items():
        if not len(low) == len(high) == len(names):
            raise ValueError(f"{what} need {len(names)} numbers each.")
        if not all(a < b for a, b in zip(low, high, strict=True)):
            raise ValueError(f"in {what}, the first must be below the second.")
    if not np.isfinite([*spec.low, *spec.high]).all():
        raise ValueError("low and high must be finite.")
    if not all(0 <= i < len(spec.states) for i in spec.angles):
        raise ValueError(f"angles are positions from 0 to {len(spec.states) - 1}.")
    if not 0 < spec.seconds < math.inf or spec.steps < 1:
        raise ValueError("seconds must be more than 0, and steps at least 1.")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except (AttributeError, TypeError, ValueError):
        usable = None
    if not usable or parts.query or parts.fragment or parts.username is not None:
        raise ConfigError(
            f"{url!r} is no address of a system; give one like http://192.168.0.7:8123."
        )
    return parts


def _names(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(_name(v, key) for v in _list(said, key))


def _name(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} holds {str(value)[:40]!r}, which is no name.")
    return value


def _numbers(said: Mapping[str, Any], key: str, missing: float | None = None) -> tuple[float, ...]:
    """A list of numbers; `missing` is what null means, where it means something."""
    return tuple(
        missing if v is None and missing is not None else _number(v, key) for v in _list(said, key)
    )


def _list(said: Mapping[str, Any], key: str) -> list[Any]:
    values = said.get(key)
    if not isinstance(values, list):
        raise ValueError(f"{key} must be a list.")
    return values


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} holds {str(value)[:40]!r}, which is no number.")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{key} holds a number that is too large.") from error


def _whole(value: object, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{key} holds {str(value)[:40]!r}, which is no whole number.")
    return value


def _plain(values: Reals | Sequence[float]) -> list[float]:
    return [float(v) for v in values]
