"""A small server that puts a system behind HTTP: for simulators, and as a sample for robots.

    serve_system(my_robot, port=8123).wait()

The other end of `http.HttpSystem`. It has a watchdog of its own: a system that nobody calls for
a while in the middle of a trial is stopped, whatever became of the caller.
"""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from nightschool.oracles.http import write_spec
from nightschool.types import ConfigError, Reals, System

log = logging.getLogger(__name__)

MOST = 1 << 16
"""The longest request that is read, in bytes."""

_SILENT = 10.0
_LOOKS = 4


class Refusal(Exception):
    """A call that is not carried out."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Bench:
    """One system and its trial, the way that the calls see them; safe among threads.

    A call that comes while another one acts is refused, never queued: an action must not happen
    later than its caller thinks. `stop` alone never waits. A step is done once, however often it
    is sent. `idle_seconds` after the last call of a trial the system is stopped.
    """

    def __init__(self, system: System, idle_seconds: float) -> None:
        self.system = system
        self.idle_seconds = idle_seconds
        self._acting = threading.Lock()
        self._guard = threading.Lock()
        self._trial = ""
        self._over = "no trial has begun"
        self._steps = 0
        self._last: Any = None
        self._due = math.inf

    def spec(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the system is."""
        return write_spec(self.system.spec)

    def begin(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a trial; another one that still went on is over. It may take its time."""
        start, seed, trial = _vector(body, "start"), body.get("seed"), body.get("trial")
        if not isinstance(seed, int) or not isinstance(trial, str) or not trial:
            raise Refusal(400, "a trial needs a seed (a whole number) and a name")
        with _Busy(self._acting):
            with self._guard:
                self._trial, self._steps, self._over, self._due = trial, 0, "", math.inf
            return self._acted(trial, lambda: self.system.begin(start, seed))

    def step(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Act for one step; the answer from before when that very step was done before."""
        action, trial, number = self._action(body), body.get("trial"), body.get("step")
        with _Busy(self._acting):
            with self._guard:
                if self._over or trial != self._trial:
                    raise Refusal(409, f"the trial is over: {self._over or 'another one began'}")
                if number == self._steps and number:
                    repeated: dict[str, Any] = self._last
                    return repeated
                if number != self._steps + 1:
                    raise Refusal(409, f"step {self._steps + 1} is next, not {number!r}")
                self._steps += 1
                self._due = time.monotonic() + self.idle_seconds
            return self._acted(str(trial), lambda: self.system.step(action))

    def stop(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make safe, whatever is going on; the trial is over."""
        self.halt("it was stopped")
        return {}

    def halt(self, why: str) -> None:
        """Stop the system and end the trial; what cannot be stopped the watchdog tries again."""
        with self._guard:
            self._over, self._due = self._over or why, math.inf
        try:
            self.system.stop()
        except BaseException:
            with self._guard:
                self._due = time.monotonic()
            raise

    def watch(self, closed: threading.Event) -> None:
        """The watchdog: stops a system that nobody has called for `idle_seconds`."""
        while not closed.wait(self.idle_seconds / _LOOKS):
            with self._guard:
                late = time.monotonic() > self._due
            if not late:
                continue
            try:
                self.halt(f"nobody called for {self.idle_seconds:g} s")
            except Exception:
                log.exception("The system could not be stopped; it is tried again.")

    def _acted(self, trial: str, act: Callable[[], Reals]) -> dict[str, Any]:
        """What was measured after an action; stopped again where it failed or was overtaken."""
        try:
            state = act()
            reply = {"state": [float(v) for v in state]}
        except BaseException:
            self.halt("a call failed")
            raise
        with self._guard:
            overtaken = bool(self._over)
            if not overtaken:
                self._last, self._due = reply, time.monotonic() + self.idle_seconds
        if overtaken:
            self.system.stop()
        return reply

    def _action(self, body: Mapping[str, Any]) -> Reals:
        action, spec = _vector(body, "action"), self.system.spec
        if len(action) != len(spec.actions):
            raise Refusal(400, f"an action has {len(spec.actions)} numbers, not {len(action)}")
        for name, value, low, high in zip(spec.actions, action, spec.low, spec.high, strict=True):
            if not low <= value <= high:
                raise Refusal(400, f"{name} {value:g} is outside its limits {low:g} to {high:g}")
        return action


class _Busy:
    """The lock of whoever acts; whoever comes second is refused."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise Refusal(409, "another call is acting")

    def __exit__(self, *error: object) -> None:
        self._lock.release()


class SystemServer:
    """A system that is being served; leaving it as a context manager stops both."""

    def __init__(self, system: System, host: str, port: int, idle_seconds: float) -> None:
        self.bench = Bench(system, idle_seconds)
        self._closed = threading.Event()
        self._http = _Http((host, port), self.bench)
        self._threads = [
            threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self.bench.watch, args=(self._closed,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def url(self) -> str:
        """Where it is served."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def wait(self) -> None:
        """Serve until interrupted, then stop the system."""
        with self:
            self._closed.wait()

    def close(self) -> None:
        """Stop serving, and the system."""
        self._closed.set()
        self._http.shutdown()
        self._http.server_close()
        self.bench.halt("its server was closed")

    def __enter__(self) -> SystemServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def serve_system(
    system: System, host: str = "127.0.0.1", port: int = 0, idle_seconds: float = 10.0
) -> SystemServer:
    """Put a system behind HTTP, on this machine alone unless `host` says otherwise.

    Port 0 is any that is free; `url` tells. There are no passwords: whoever reaches the port
    moves the system. ConfigError for `idle_seconds` that are no positive number.
    """
    if not 0 < idle_seconds < threading.TIMEOUT_MAX:
        raise ConfigError(f"idle_seconds is {idle_seconds!r}; give seconds, more than 0.")
    return SystemServer(system, host, port, idle_seconds)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], bench: Bench) -> None:
        self.calls = {
            ("GET", "/spec"): bench.spec,
            ("POST", "/begin"): bench.begin,
            ("POST", "/step"): bench.step,
            ("POST", "/stop"): bench.stop,
        }
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    timeout = _SILENT

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: object) -> None:
        log.debug(format, *args)

    def _answer(self, method: str) -> None:
        status, reply = 200, {}
        try:
            call = self.server.calls.get((method, self.path))
            if call is None:
                raise Refusal(404, "there are GET /spec, POST /begin, POST /step, POST /stop")
            reply = call(self._body() if method == "POST" else {})
        except Refusal as refused:
            status, reply = refused.status, {"error": str(refused)}
        except Exception as error:  # the system's own: told to the caller, who ends the trial
            log.exception("%s %s failed.", method, self.path)
            status, reply = 500, {"error": str(error) or type(error).__name__}
        data = json.dumps(reply).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError as gone:
            log.warning("%s: nobody waited for the answer (%s).", self.path, gone)

    def _body(self) -> Mapping[str, Any]:
        """The request's JSON object; what a web page elsewhere could have sent is refused."""
        if self.headers.get("Origin") or self.headers.get_content_type() != "application/json":
            raise Refusal(403, "send application/json, and not from a web page")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST:
            raise Refusal(413, f"say how long the request is: {MOST} bytes at most")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise Refusal(400, f"not JSON: {error}") from error
        if not isinstance(body, dict):
            raise Refusal(400, "not a JSON object")
        return body


def _vector(body: Mapping[str, Any], key: str) -> Reals:
    try:
        values = np.array(body.get(key), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        values = np.empty(0)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise Refusal(400, f"{key} must be a list of finite numbers")
    return values
