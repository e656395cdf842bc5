from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import MISSING, asdict, fields, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from nightschool.oracles.http import MOST, HttpSystem, TrialError, read_spec, write_spec
from nightschool.oracles.http_server import serve_system
from nightschool.oracles.physical import PhysicalOracle
from nightschool.testing import check_oracle, check_system
from nightschool.types import ConfigError, OracleError, Reply
from tests.oracles.cart import SPEC, Cart, ask, raising
from tests.oracles.test_physical import done, until

STATE = {"state": [0.0, 0.0]}


@contextmanager
def replying(reply):
    """A server of bytes: `reply(path, body)` is what it writes after a request, unchecked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length", "0"))
            body = json.loads(self.rfile.read(length) or b"{}")
            with suppress(OSError):
                self.wfile.write(reply(self.path, body))

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def ok(body, status="200 OK"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.0 {status}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def cart_but(**bad):
    """The replies of a healthy cart, but for some paths."""
    good = {"/spec": write_spec(SPEC), "/begin": STATE, "/step": STATE, "/stop": {}}
    return lambda path, body: bad.get(path.strip("/")) or ok(good[path])


def post(url, path, body, **headers):
    """(status, reply) of a raw call."""
    to = urlsplit(url)
    connection = http.client.HTTPConnection(to.hostname, to.port, timeout=5)
    data = body if isinstance(body, bytes | None) else json.dumps(body)
    method = "GET" if body is None else "POST"
    connection.request(method, path, data, {"Content-Type": "application/json", **headers})
    reply = connection.getresponse()
    status, read = reply.status, json.loads(reply.read())
    connection.close()
    return status, read


# A system behind HTTP ---------------------------------------------------------------------------


def test_a_served_system_is_the_system_itself():
    cart = Cart()
    with serve_system(cart) as server:
        system = HttpSystem(server.url)
        assert system.spec == SPEC
        check_system(system, np.zeros(2))
        oracle = PhysicalOracle(system)
        check_oracle(oracle, [ask(), ask(((9.0,),))])
        far = done(oracle.answer(ask()))
    near = done(PhysicalOracle(Cart()).answer(ask()))
    assert np.array_equal(far.states, near.states)
    assert np.array_equal(far.actions, near.actions)
    assert cart.seeds[-1] == ask().context.id % 2**31


def test_what_goes_wrong_at_the_other_end_ends_the_trial_in_its_own_words():
    cart = Cart(step_3=raising(OSError("the cable came off")))
    with serve_system(cart) as server:
        trajectory = done(PhysicalOracle(HttpSystem(server.url)).answer(ask()))
    assert "step 3 failed" in trajectory.ended
    assert "500: the cable came off" in trajectory.ended
    assert len(trajectory.actions) == 2


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ([float("nan"), 0.0], "step 2 measured place as nan"),
        ([5.0, 0.0], "step 2: place 5 is outside its limits -2 to 2"),
        ([0.0], "step 2 measured shape (1,), not (2,)"),
    ],
)
def test_what_is_measured_at_the_other_end_is_watched(state, ended):
    cart = Cart(step_2=lambda: np.array(state))
    with serve_system(cart) as server:
        trajectory = done(PhysicalOracle(HttpSystem(server.url)).answer(ask()))
    assert trajectory.ended == ended
    assert cart.calls[-1] == "stop"


def test_a_server_that_hangs_ends_the_trial_but_not_the_night():
    release = threading.Event()
    cart = Cart(step_3=lambda: release.wait(10) and np.zeros(2))
    with serve_system(cart) as server:
        oracle = PhysicalOracle(HttpSystem(server.url, timeout=0.2), step_seconds=2)
        trajectory = done(oracle.answer(ask()))
        assert "step 3 failed" in trajectory.ended
        assert "did not answer within 0.2 s" in trajectory.ended
        assert len(trajectory.actions) == 2
        assert cart.calls.count("stop") == 1  # it got through beside the step that hangs
        busy = oracle.answer(ask())
        assert busy.reply is Reply.CANT_TELL
        assert "409: another call is acting" in busy.note
        release.set()
        until(lambda: cart.calls.count("stop") >= 3)  # the late step is stopped once more
        cart.trouble = {}
        assert not done(oracle.answer(ask())).ended


def test_a_server_that_is_killed_half_way_leaves_a_trial_as_far_as_it_went():
    code = (
        "import os, sys, time\n"
        "from nightschool.oracles.http_server import serve_system\n"
        "from tests.oracles.cart import Cart\n"
        "print(serve_system(Cart(step_4=lambda: os._exit(1))).url, flush=True)\n"
        "time.sleep(20)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        oracle = PhysicalOracle(HttpSystem(process.stdout.readline().strip(), timeout=2))
        said = oracle.answer(ask())
        trajectory = done(said)
        assert process.wait(5) == 1
    assert len(trajectory.actions) == 3
    assert "step 4 failed" in trajectory.ended
    assert "cannot be reached" in trajectory.ended
    assert "make sure that the system is safe" in said.note
    with pytest.raises(OracleError, match="stop failed"):
        oracle.answer(ask())


@pytest.mark.parametrize(
    ("bytes_", "says"),
    [
        (ok(b"\xff\xfe nothing"), "no JSON object"),
        (ok(b"[" * 50_000), "no JSON object"),
        (ok([1, 2]), "no JSON object"),
        (ok({"speed": 3}), "measured no state: state must be a list"),
        (ok({"state": ["fast"]}), "state holds 'fast', which is no number"),
        (ok({"state": [True, 1]}), "no number"),
        (ok(b'{"state": [1' + b"0" * 400 + b", 0]}"), "too large"),
        (ok(b" " * (MOST + 1)), "more than 1,048,576 bytes"),
        (ok({}, "302 Found\r\nLocation: /begin"), "answered 302: no reason"),
        (ok({"error": "too hot"}, "503 Busy"), "answered 503: too hot"),
        (b"SSH-2.0-robot\r\n", "cannot be reached"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n{", "no JSON object"),
        (b" ", "cannot be reached"),
    ],
)
def test_garbage_ends_a_trial(bytes_, says):
    with replying(cart_but(step=bytes_)) as url:
        said = PhysicalOracle(HttpSystem(url)).answer(ask())
    assert said.reply is Reply.CANT_TELL
    assert says in said.note


def test_no_redirect_is_followed_and_nothing_is_sent_twice():
    seen = []

    def reply(path, body):
        seen.append((path, body.get("step")))
        if len(seen) == 3:
            return ok({}, "307 Go\r\nLocation: /step")
        return ok(STATE)

    with replying(reply) as url:
        system = HttpSystem(url)
        system.begin(np.zeros(2), 1)
        system.step(np.zeros(1))
        with pytest.raises(TrialError, match="307"):
            system.step(np.zeros(1))
    assert seen == [("/begin", None), ("/step", 1), ("/step", 2)]


def test_each_trial_has_a_name_and_each_step_a_number():
    seen = []

    def reply(path, body):
        seen.append(body)
        return ok(STATE)

    with replying(reply) as url:
        system = HttpSystem(url + "/arm/")
        for _ in range(2):
            system.begin(np.array([0.5]), 3)
            system.step(np.array([0.25]))
        system.stop()
    first, second = seen[0]["trial"], seen[2]["trial"]
    assert first != second
    assert seen == [
        {"trial": first, "start": [0.5], "seed": 3},
        {"trial": first, "action": [0.25], "step": 1},
        {"trial": second, "start": [0.5], "seed": 3},
        {"trial": second, "action": [0.25], "step": 1},
        {"trial": second},
    ]


def test_a_start_may_take_longer_than_a_step():
    def slow(path, body):
        time.sleep(0.2)
        return ok(STATE)

    with replying(slow) as url:
        system = HttpSystem(url, timeout=0.1, begin_timeout=5)
        assert system.begin(np.zeros(2), 1).tolist() == [0.0, 0.0]
        with pytest.raises(TrialError, match=r"within 0\.1 s"):
            system.step(np.zeros(1))


# What a system says that it is ------------------------------------------------------------------


def test_a_spec_is_asked_for_once():
    asked = []

    def reply(path, body):
        asked.append(path)
        return ok(write_spec(SPEC))

    with replying(reply) as url:
        system = HttpSystem(url)
        assert system.spec == system.spec == SPEC
    assert asked == ["/spec"]


def test_a_spec_is_written_in_plain_json():
    written = json.loads(json.dumps(write_spec(SPEC), allow_nan=False))
    assert written["safe_high"] == [2.0, None]
    assert read_spec(written) == SPEC


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": None}, "name holds 'None', which is no name"),
        ({"name": ""}, "needs a name"),
        ({"states": "xy"}, "states must be a list"),
        ({"states": []}, "coordinates"),
        ({"actions": [1]}, "actions holds '1', which is no name"),
        ({"low": [-1.0, -1.0]}, "low and high need 1 numbers each"),
        ({"low": [2.0]}, "the first must be below the second"),
        ({"low": [float("-inf")]}, "must be finite"),
        ({"low": None}, "low must be a list"),
        ({"low": [None]}, "no number"),
        ({"safe_low": [0.0]}, "safe_low and safe_high need 2 numbers each"),
        ({"safe_low": [3.0, None]}, "first must be below"),
        ({"angles": [2]}, "angles are positions from 0 to 1"),
        ({"angles": [0.5]}, "no whole number"),
        ({"seconds": 0}, "seconds must be more than 0"),
        ({"steps": 0}, "steps at least 1"),
        ({"steps": float("inf")}, "no whole number"),
        ({"steps": True}, "no whole number"),
    ],
)
def test_a_spec_that_makes_no_sense_names_the_url_and_the_cure(change, says):
    spec = ok({**write_spec(SPEC), **change})
    with replying(cart_but(spec=spec)) as url, pytest.raises(ConfigError) as caught:
        _ = HttpSystem(url).spec
    assert says in str(caught.value)
    assert url in str(caught.value)
    assert "system_settings" in str(caught.value)


def test_every_part_of_a_spec_is_needed():
    for name in asdict(SPEC):
        left = {k: v for k, v in write_spec(SPEC).items() if k != name}
        with pytest.raises(ValueError, match=name):
            read_spec(left)


def test_nobody_there_is_told_with_the_cure():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ConfigError, match="Start its server"):
        _ = HttpSystem(url).spec
    with pytest.raises(OracleError, match="spec failed"):
        PhysicalOracle(HttpSystem(url)).answer(ask())


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://robot:1",
        "robot:8123",
        "http://",
        "http://robot:99999",
        "http://robot:0",
        "http://me:secret@robot",
        "http://robot/?a=1",
        "http://robot/#a",
        8123,
        None,
    ],
)
def test_only_an_address_will_do(url):
    with pytest.raises(ConfigError, match="no address of a system"):
        HttpSystem(url)


@pytest.mark.parametrize("name", ["timeout", "begin_timeout"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "4"])
def test_a_time_out_is_a_positive_number(name, value):
    with pytest.raises(ConfigError, match=name):
        HttpSystem("http://robot:1", **{name: value})


def test_https_speaks_tls():
    with replying(cart_but()) as url, pytest.raises(TrialError, match="SSL"):
        HttpSystem(url.replace("http:", "https:")).begin(np.zeros(2), 1)


# The server -------------------------------------------------------------------------------------


def begun(url, trial="a"):
    assert post(url, "/begin", {"trial": trial, "start": [0, 0], "seed": 1})[0] == 200


def step(url, number, action=0.5, trial="a"):
    return post(url, "/step", {"trial": trial, "step": number, "action": [action]})


def test_a_step_that_is_sent_again_is_not_done_again():
    cart = Cart()
    with serve_system(cart) as server:
        begun(server.url)
        first = step(server.url, 1)
        assert step(server.url, 1) == first
        assert np.allclose(first[1]["state"], [0.005, 0.05])
        assert cart.calls == ["begin", "step 1"]
        assert step(server.url, 3)[0] == 409
        assert step(server.url, 0)[0] == 409
        assert step(server.url, 2)[1] != first[1]


def test_nothing_moves_without_a_trial_or_after_its_end():
    cart = Cart()
    with serve_system(cart) as server:
        assert step(server.url, 1) == (409, {"error": "the trial is over: no trial has begun"})
        begun(server.url, "a")
        begun(server.url, "b")
        assert step(server.url, 1, trial="a")[0] == 409
        assert post(server.url, "/stop", {})[0] == 200
        assert step(server.url, 1, trial="b") == (
            409,
            {"error": "the trial is over: it was stopped"},
        )
        assert cart.calls == ["begin", "begin", "stop"]


def test_a_call_that_fails_is_stopped_by_the_server_itself():
    cart = Cart(step_2=raising(OSError("cable")))
    with serve_system(cart) as server:
        begun(server.url)
        assert step(server.url, 1)[0] == 200
        assert step(server.url, 2) == (500, {"error": "cable"})
        assert cart.calls == ["begin", "step 1", "step 2", "stop"]
        assert step(server.url, 3) == (409, {"error": "the trial is over: a call failed"})


def test_a_step_that_a_stop_overtakes_is_stopped_once_more():
    inside, release = threading.Event(), threading.Event()
    cart = Cart(step_1=lambda: inside.set() or (release.wait(5) and np.zeros(2)))
    with serve_system(cart) as server:
        begun(server.url)
        thread = threading.Thread(target=step, args=(server.url, 1))
        thread.start()
        assert inside.wait(5)
        post(server.url, "/stop", {})
        assert cart.calls == ["begin", "step 1", "stop"]
        assert step(server.url, 2) == (409, {"error": "another call is acting"})
        release.set()
        thread.join()
        assert cart.calls == ["begin", "step 1", "stop", "stop"]


def test_a_trial_that_nobody_goes_on_with_is_stopped():
    cart = Cart()
    with serve_system(cart, idle_seconds=0.5) as server:
        begun(server.url)
        for number in range(1, 6):  # longer than the watchdog waits, but never idle
            time.sleep(0.14)
            assert step(server.url, number)[0] == 200
        assert "stop" not in cart.calls
        until(lambda: "stop" in cart.calls)
        assert step(server.url, 6) == (
            409,
            {"error": "the trial is over: nobody called for 0.5 s"},
        )
        time.sleep(0.3)
        assert cart.calls.count("stop") == 1
        begun(server.url, "b")


def test_the_watchdog_counts_anew_from_every_step():
    cart = Cart(step_1=lambda: time.sleep(0.6) or np.zeros(2))
    with serve_system(cart, idle_seconds=1.0) as server:
        begun(server.url)
        time.sleep(0.6)
        assert step(server.url, 1)[0] == 200
        assert cart.calls == ["begin", "step 1"]


def test_a_step_that_hangs_is_stopped_by_the_watchdog_too():
    release = threading.Event()
    cart = Cart(step_1=lambda: release.wait(5) and np.zeros(2))
    with serve_system(cart, idle_seconds=0.1) as server:
        begun(server.url)
        thread = threading.Thread(target=step, args=(server.url, 1))
        thread.start()
        until(lambda: cart.calls[-1] == "stop")
        release.set()
        thread.join()


def test_an_idle_system_that_cannot_be_stopped_is_stopped_later():
    cart = Cart(stop=raising(OSError("brake")))
    with serve_system(cart, idle_seconds=0.05) as server:
        begun(server.url)
        until(lambda: cart.calls.count("stop") > 2)
        cart.trouble = {}
        time.sleep(0.1)
        tried = cart.calls.count("stop")
        time.sleep(0.1)
        assert cart.calls.count("stop") == tried


def test_a_stop_that_fails_is_told_and_tried_again_by_the_watchdog():
    cart = Cart(stop=raising(OSError("brake")))
    with serve_system(cart, idle_seconds=0.1) as server:
        begun(server.url)
        assert post(server.url, "/stop", {}) == (500, {"error": "brake"})
        until(lambda: cart.calls.count("stop") > 2)
        cart.trouble = {}


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/begin", {"trial": "b", "start": [0, 0]}, 400, "seed"),
        ("/begin", {"trial": "", "start": [0, 0], "seed": 1}, 400, "name"),
        ("/begin", {"trial": "b", "start": "here", "seed": 1}, 400, "start must be"),
        ("/begin", {"trial": "b", "start": [float("nan")], "seed": 1}, 400, "finite"),
        ("/step", {"trial": "a", "step": 1, "action": [1.5]}, 400, "push 1.5 is outside"),
        ("/step", {"trial": "a", "step": 1, "action": [0, 0]}, 400, "1 numbers, not 2"),
        ("/step", {"trial": "a", "step": 1, "action": [None]}, 400, "finite"),
        ("/step", b"{", 400, "not JSON"),
        ("/step", b"[" * 50_000, 400, "not JSON"),
        ("/step", b"[]", 400, "not a JSON object"),
        ("/step", b" " * 70_000, 413, "65536 bytes at most"),
        ("/jump", {}, 404, "POST /step"),
        ("/step", None, 404, "POST /step"),
    ],
)
def test_the_server_refuses_what_it_must_not_do(path, body, status, says):
    cart = Cart()
    with serve_system(cart) as server:
        begun(server.url)
        got, reply = post(server.url, path, body)
        assert got == status
        assert says in reply["error"]
        assert cart.calls == ["begin"]


@pytest.mark.parametrize("headers", [{"Origin": "http://evil"}, {"Content-Type": "text/plain"}])
def test_a_web_page_cannot_move_the_system(headers):
    cart = Cart()
    with serve_system(cart) as server:
        body = {"trial": "a", "start": [0, 0], "seed": 1}
        assert post(server.url, "/begin", body, **headers)[0] == 403
    assert cart.calls == ["stop"]


def test_closing_the_server_stops_the_system():
    cart = Cart()
    with serve_system(cart) as server:
        begun(server.url)
    assert cart.calls == ["begin", "stop"]
    with pytest.raises(OSError, match="refused"):
        step(server.url, 1)


def test_the_server_waits_until_it_is_closed():
    cart = Cart()
    server = serve_system(cart)
    thread = threading.Thread(target=server.wait)
    thread.start()
    begun(server.url)
    assert thread.is_alive()
    server.close()
    thread.join(3)
    assert not thread.is_alive()
    assert "stop" in cart.calls


def test_the_watchdog_needs_a_time():
    with pytest.raises(ConfigError, match="idle_seconds"):
        serve_system(Cart(), idle_seconds=0)


def test_a_server_with_other_limits_is_obeyed():
    cart = Cart()
    cart.spec = replace(SPEC, high=(0.25,))
    with serve_system(cart) as server:
        said = PhysicalOracle(HttpSystem(server.url)).answer(ask())
    assert said.reply is Reply.BAD_QUESTION
    assert "push 0.5 is outside its limits -1 to 0.25" in said.note


# The page about it ------------------------------------------------------------------------------


def blocks(language):
    page = (Path(__file__).parents[2] / "docs" / "control.md").read_text()
    return [part.split("```")[0] for part in page.split(f"```{language}\n")[1:]]


def test_the_server_of_the_page_serves_the_spec_of_the_page():
    class Driver(Cart):
        def go_to(self, start):
            self.begin(start, 0)

        def push(self, action, seconds):
            self.step(action)

        def measure(self):
            return self.state

        def power_off(self):
            self.stop()

    (spec,), (sample,) = blocks("json"), blocks("python")
    space = {"driver": Driver()}
    exec(sample, space)
    with serve_system(space["Arm"]()) as server:
        system = HttpSystem(server.url)
        assert system.spec == read_spec(json.loads(spec))
        check_system(system, np.zeros(2))


def test_the_page_names_every_setting_with_its_default():
    page = (Path(__file__).parents[2] / "docs" / "control.md").read_text()
    for kind, made in (("system", HttpSystem), ("oracle", PhysicalOracle)):
        for each in fields(made):
            if each.init and f"{kind}_settings.{each.name}" != "oracle_settings.system":
                default = "" if each.default is MISSING else each.default
                shown = f"{default:g}" if isinstance(default, float) else default
                row = f"| `{kind}_settings.{each.name}` | {shown} |".replace("|  |", "| |")
                assert row in page
