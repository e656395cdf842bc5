from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nightschool.oracles.physical import HALTED, PhysicalOracle
from nightschool.testing import check_oracle, check_system
from nightschool.types import (
    ConfigError,
    Document,
    Experiment,
    Oracle,
    OracleError,
    Reply,
    Trajectory,
)
from tests.oracles.cart import SPEC, Cart, ask, question, raising


def sent_to(*start, state=(0.0, 0.0)):
    """An experiment whose command is another than the state that it says is there."""
    made = Experiment("cart", np.array(start), np.array(state), np.array([[0.5]]))
    return question(made.document())


def done(said):
    assert said.reply is Reply.ANSWER, said.note
    return Trajectory.of(said.document)


def brisk(cart, **seconds):
    return PhysicalOracle(cart, **{"step_seconds": 0.3, "stop_seconds": 0.3, **seconds})


def until(true, seconds=3.0):
    give_up = time.monotonic() + seconds
    while not true() and time.monotonic() < give_up:
        time.sleep(0.005)
    assert true()


def test_the_cart_is_a_system_and_what_runs_it_an_oracle():
    check_system(Cart(), np.zeros(2))
    oracle = PhysicalOracle(Cart(step_4=raising(OSError("cable"))))
    assert isinstance(oracle, Oracle)
    assert oracle.person == "system"
    check_oracle(oracle, [ask(), ask(((0.1,),)), ask(((7.0,),)), question(Document("hello"))])


def test_a_whole_trial_is_what_was_measured_under_the_actions_that_were_sent():
    cart, asked = Cart(), ask(((0.5,), (-1.0,), (1.0,)), start=(0.5, 0.0))
    said = PhysicalOracle(cart).answer(asked)
    trajectory = done(said)
    assert trajectory.ended == said.note == ""
    assert trajectory.actions.tolist() == [[0.5], [-1.0], [1.0]] == np.array(cart.actions).tolist()
    expected = [[0.5, 0.0], [0.505, 0.05], [0.5, -0.05], [0.505, 0.05]]
    assert np.allclose(trajectory.states, expected, atol=1e-9)
    assert cart.calls == ["begin", "step 1", "step 2", "step 3", "stop"]


def test_the_noise_is_keyed_by_the_experiment():
    cart = Cart()
    oracle = PhysicalOracle(cart)
    for asked in (ask(), ask(), ask(((0.1,),))):
        oracle.answer(asked)
    first, again, other = cart.seeds
    assert first == again == ask().context.id % 2**31
    assert first != other


def test_a_trial_is_timed_by_the_clock_on_the_wall():
    said = PhysicalOracle(Cart(step_2=lambda: time.sleep(0.05) or np.zeros(2))).answer(ask())
    assert 0.05 <= said.seconds < 2


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (ask(system="arm"), "for 'arm'; this system is 'cart'"),
        (ask(((0.5, 0.5),)), "2 actions a step; cart has 2 and 1"),
        (ask(start=(0.0, 0.0, 0.0)), "3 coordinates"),
        (ask(((0.0,),) * 11), "11 steps; cart does 10 at most"),
        (ask(((0.5,), (1.25,))), "step 2: push 1.25 is outside its limits -1 to 1"),
        (ask(((-1.000001,),)), "step 1: push -1.000001 is outside"),
        (ask(start=(-3.0, 0.0)), "start: place -3 is outside its limits -2 to 2"),
        (sent_to(9.0, 0.0), "start: place 9 is outside its limits -2 to 2"),
        (sent_to(0.0, 0.0, state=(9.0, 0.0)), "start: place 9 is outside its limits -2 to 2"),
        (sent_to(0.0), "start has 1 numbers; cart has 2 coordinates"),
        (sent_to(0.0, 0.0, 9.0), "start has 3 numbers; cart has 2 coordinates"),
        (question(Document("push it")), "is no experiment"),
        (question(Document('{"system": "cart"}', "experiment")), "no experiment"),
        (question(Document("[" * 100_000, "experiment")), "no experiment"),
        (
            question(
                Document(
                    '{"system": "cart", "start": [0], "state": [0, 0], "actions": [[NaN]]}',
                    "experiment",
                )
            ),
            "not finite",
        ),
        (
            question(
                Document(
                    '{"system": "cart", "start": [0], "state": [0, 0], "actions": [[1%s]]}'
                    % ("0" * 400),
                    "experiment",
                )
            ),
            "no experiment",
        ),
    ],
)
def test_what_must_not_be_done_is_refused_before_anything_is_sent(asked, says):
    cart = Cart()
    said = PhysicalOracle(cart).answer(asked)
    assert said.reply is Reply.BAD_QUESTION
    assert said.document is None
    assert says in said.note
    assert cart.calls == []


class Simulated(Cart):
    """A cart with a start of another kind: three numbers, of which only the last is a place."""

    horizon = 5
    starts = reward = rollout = None

    def begin(self, start, seed):
        return super().begin(start[-1:].repeat(2) if len(start) == 3 else start, seed)


def test_a_simulator_may_have_starts_of_another_length_but_its_states_are_checked():
    cart = Simulated()
    assert done(PhysicalOracle(cart).answer(sent_to(9.0, 9.0, 0.5))).states[0].tolist() == [0.5] * 2
    assert PhysicalOracle(cart).answer(sent_to(9.0, 0.0)).reply is Reply.BAD_QUESTION
    assert cart.calls.count("begin") == 1


def test_a_limit_that_was_rounded_in_writing_is_not_refused_and_never_exceeded():
    cart = Cart()
    cart.spec = replace(SPEC, low=(-1 / 3,), high=(2 / 3,))
    asked = ask(((2 / 3,), (-1 / 3,)))
    assert "0.666666667" in asked.context.document.body
    assert len(done(PhysicalOracle(cart).answer(asked)).actions) == 2
    assert np.array(cart.actions).ravel().tolist() == [2 / 3, -0.333333333]


@pytest.mark.parametrize(
    ("happens", "ended"),
    [
        (raising(OSError("the cable\n came off")), "step 4 failed: the cable came off"),
        (raising(KeyboardInterrupt()), "step 4 failed: KeyboardInterrupt"),
        (lambda: np.array([0.0, np.nan]), "step 4 measured speed as nan"),
        (lambda: np.array([-np.inf, 0.0]), "step 4 measured place as -inf"),
        (lambda: np.zeros(3), "step 4 measured shape (3,), not (2,)"),
        (lambda: None, "step 4 measured shape (), not (2,)"),
        (lambda: "fast", "step 4 measured no state: could not convert string to float: 'fast'"),
    ],
)
def test_a_trial_that_fails_half_way_is_kept_as_what_it_is(happens, ended):
    cart = Cart(step_4=happens)
    said = PhysicalOracle(cart).answer(ask())
    trajectory = done(said)
    assert trajectory.ended == said.note == ended
    assert trajectory.states.shape == (4, 2)
    assert trajectory.actions.shape == (3, 1)
    assert cart.calls[-2:] == ["step 4", "stop"]


def test_an_error_is_told_in_one_short_line_that_can_be_stored():
    said = PhysicalOracle(Cart(step_2=raising(OSError("\0\ud800" + "x" * 999)))).answer(ask())
    assert said.note.startswith("step 2 failed: ??xxx")
    assert len(said.note) < 250


def test_a_state_outside_the_safe_limits_is_kept_as_the_last_and_stops_the_system():
    cart = Cart(step_3=lambda: np.array([2.5, 0.0]))
    trajectory = done(PhysicalOracle(cart).answer(ask()))
    assert trajectory.ended == "step 3: place 2.5 is outside its limits -2 to 2"
    assert trajectory.states[-1].tolist() == [2.5, 0.0]
    assert len(trajectory.actions) == 3
    assert cart.calls == ["begin", "step 1", "step 2", "step 3", "stop"]


@pytest.mark.parametrize(
    ("trouble", "note"),
    [
        ({"begin": raising(OSError("no power"))}, "begin failed: no power"),
        ({"begin": lambda: np.array([9.0, 0.0])}, "begin: place 9 is outside"),
        ({"step_1": raising(OSError("stuck"))}, "step 1 failed: stuck"),
    ],
)
def test_without_a_whole_step_there_is_no_answer(trouble, note):
    cart = Cart(**trouble)
    said = PhysicalOracle(cart).answer(ask())
    assert said.reply is Reply.CANT_TELL
    assert said.document is None
    assert note in said.note
    assert cart.calls[-1] == "stop"


def test_a_failed_trial_does_not_spoil_the_next():
    cart = Cart(step_2=raising(OSError("stuck")))
    oracle = PhysicalOracle(cart)
    assert done(oracle.answer(ask())).ended
    cart.trouble = {}
    assert not done(oracle.answer(ask())).ended


def test_a_step_that_hangs_is_stopped_and_the_system_is_lost():
    release = threading.Event()
    cart = Cart(step_3=lambda: release.wait(10) and np.zeros(2))
    oracle = brisk(cart)
    began = time.monotonic()
    said = oracle.answer(ask())
    assert time.monotonic() - began < 2
    trajectory = done(said)
    assert trajectory.ended == "step 3 did not return within 0.3 s"
    assert len(trajectory.actions) == 2
    assert cart.calls == ["begin", "step 1", "step 2", "step 3", "stop"]
    with pytest.raises(OracleError, match=r"lost .*step 3 did not return within 0\.3 s"):
        oracle.answer(ask())
    assert cart.calls.count("begin") == 1
    release.set()


def test_a_call_that_comes_back_too_late_is_stopped_once_more():
    release = threading.Event()
    cart = Cart(step_2=lambda: release.wait(10) and np.zeros(2))
    brisk(cart).answer(ask())
    assert cart.calls.count("stop") == 1
    release.set()
    until(lambda: cart.calls.count("stop") == 2)


def test_a_call_that_came_back_in_time_is_not_stopped_twice():
    cart = Cart()
    brisk(cart).answer(ask())
    time.sleep(0.02)
    assert cart.calls.count("stop") == 1


def test_a_fresh_oracle_tries_a_lost_system_again():
    release = threading.Event()
    cart = Cart(step_2=lambda: release.wait(10) and np.zeros(2))
    brisk(cart).answer(ask())
    release.set()
    cart.trouble = {}
    assert not done(brisk(cart).answer(ask())).ended


def test_a_begin_that_hangs_is_stopped_too():
    release = threading.Event()
    cart = Cart(begin=lambda: release.wait(10) and np.zeros(2))
    said = brisk(cart, begin_seconds=0.3).answer(ask())
    assert said.reply is Reply.CANT_TELL
    assert said.note == "begin did not return within 0.3 s"
    assert cart.calls == ["begin", "stop"]
    release.set()


def test_a_stop_that_fails_is_told_and_nothing_moves_until_it_succeeds():
    cart = Cart(stop=raising(OSError("brake")))
    oracle = PhysicalOracle(cart)
    said = oracle.answer(ask())
    assert not done(said).ended
    assert said.note == "stop failed: brake: make sure that the system is safe"
    with pytest.raises(OracleError, match="brake"):
        oracle.answer(ask())
    assert cart.calls.count("begin") == 1
    cart.trouble = {}
    assert oracle.answer(ask()).note == ""


def test_a_stop_that_hangs_after_a_step_that_hangs_is_told_with_it():
    release = threading.Event()
    hang = {"step_2": lambda: release.wait(10), "stop": lambda: release.wait(10)}
    oracle = brisk(Cart(**hang))
    said = oracle.answer(ask())
    told = "stop did not return within 0.3 s: make sure that the system is safe"
    assert said.note == f"step 2 did not return within 0.3 s; {told}"
    with pytest.raises(
        OracleError, match=re.escape(f"(step 2 did not return within 0.3 s; {told})")
    ):
        oracle.answer(ask())
    release.set()


def test_a_system_that_does_not_say_what_it_is_uses_no_question_up():
    class Mute(Cart):
        @property
        def spec(self):
            raise OSError("switched off")

    with pytest.raises(OracleError, match="questions wait: spec failed: switched off"):
        PhysicalOracle(Mute()).answer(ask())


def test_the_system_is_stopped_when_whoever_waits_is_interrupted(monkeypatch):
    def interrupt(name):
        if name == "trial.step" and len(cart.actions) == 2:
            raise KeyboardInterrupt

    cart = Cart()
    monkeypatch.setattr("nightschool.oracles.physical.faults.reach", interrupt)
    with pytest.raises(KeyboardInterrupt):
        PhysicalOracle(cart).answer(ask())
    assert cart.calls == ["begin", "step 1", "step 2", "stop"]


def halting(call):
    """A cart whose oracle is halted while that call is being done, and the oracle."""
    cart = Cart(**{call: lambda: oracle.halt() or cart.state.copy()})
    oracle = PhysicalOracle(cart)
    return cart, oracle


def test_a_trial_that_is_halted_ends_before_its_next_step_and_is_kept():
    cart, oracle = halting("step_2")
    said = oracle.answer(ask())
    trajectory = done(said)
    assert trajectory.ended == said.note == HALTED == "halted: the school is closing"
    assert len(trajectory.actions) == 2
    assert cart.calls == ["begin", "step 1", "step 2", "stop"]


def test_halted_before_a_whole_step_the_question_waits_and_the_system_is_stopped():
    cart, oracle = halting("begin")
    with pytest.raises(OracleError, match="its question waits: halted: the school is closing"):
        oracle.answer(ask())
    assert cart.calls == ["begin", "stop"]
    with pytest.raises(OracleError, match="its questions wait: halted"):
        oracle.answer(ask())
    assert cart.calls == ["begin", "stop"], "a halted oracle began another trial"


def test_two_questions_are_never_tried_at_once():
    cart = Cart(step_1=lambda: time.sleep(0.05) or np.zeros(2))
    oracle = PhysicalOracle(cart)
    threads = [threading.Thread(target=oracle.answer, args=(ask(((0.1,),)),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cart.calls == ["begin", "step 1", "stop"] * 3


@pytest.mark.parametrize("point", ["trial.begin", "trial.step:2"])
def test_the_fault_points_of_a_trial_are_reached(point):
    code = (
        "from tests.oracles.cart import Cart, ask\n"
        "from nightschool.oracles.physical import PhysicalOracle\n"
        "PhysicalOracle(Cart()).answer(ask())\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "NIGHTSCHOOL_FAULT": point},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL


@pytest.mark.parametrize("name", ["step_seconds", "begin_seconds", "stop_seconds"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "5"])
def test_a_time_out_is_a_positive_number(name, value):
    with pytest.raises(ConfigError, match=name):
        PhysicalOracle(Cart(), **{name: value})
