"""A physical system as an oracle: it carries experiments out, inside limits, under a watchdog."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import TypeVar

import numpy as np

from nightschool import faults
from nightschool.types import (
    ConfigError,
    Document,
    Experiment,
    OracleError,
    PoolError,
    Question,
    Reals,
    Reply,
    Said,
    Spec,
    System,
    Trajectory,
    simulates,
)

T = TypeVar("T")

SEEDS = 2**31
"""Measurement seeds lie below it, so that any system can read them."""

HALTED = "halted: the school is closing"

_ROUNDED = 1e-8
_LONGEST = 200


def _nothing() -> None:
    """What is to be done about a call that came back too late, where that is harmless."""


@dataclass
class _Past:
    """What became of the oracle: why its system is lost, what was not stopped, if it is halted."""

    lost: str = ""
    unstopped: str = ""
    halted: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Ended(Exception):
    """A trial cannot go on: the reason is for a person, `hung` says that a call never came back."""

    def __init__(self, reason: str, hung: bool = False) -> None:
        super().__init__(reason)
        self.hung = hung


@dataclass(frozen=True)
class PhysicalOracle:
    """Answers an experiment by carrying it out on a system, one trial at a time.

    What is outside the limits is refused before anything is sent. Every call to the system is
    watched: one that takes longer than `begin_seconds`, `step_seconds` or `stop_seconds`, raises,
    or measures something impossible ends the trial, and the steps done until then are the answer.
    `stop` is called after every trial. A call that never returns cannot be killed: the system
    then counts as lost, and this oracle answers nothing from there on. Nor does it after `halt`.

    Raises ConfigError for time-outs that are no positive numbers.
    """

    system: System
    person: str = "system"
    step_seconds: float = 5.0
    begin_seconds: float = 30.0
    stop_seconds: float = 5.0
    _past: _Past = field(default_factory=_Past, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in [f.name for f in fields(self) if f.name.endswith("_seconds")]:
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 < value < threading.TIMEOUT_MAX:
                raise ConfigError(f"{name} is {value!r}; give seconds, more than 0.")

    def answer(self, question: Question) -> Said:
        """The trajectory that came of the experiment; why there is none stands in the note.

        A bad question is one that this system must not or cannot be asked; "can't tell" means
        that not a single step could be measured. `seconds` is the trial's time on the wall clock.
        Raises OracleError, before a question is used up, when the system is lost, cannot be
        reached, or could not be made safe, and when this oracle was halted before a whole step.
        """
        with self._past.lock:
            began = time.monotonic()
            said = self._answered(question)
        return replace(said, seconds=time.monotonic() - began)

    def halt(self) -> None:
        """End the trial that goes on before its next step, and begin no other; from any thread.

        It does not wait: the step that is being done ends by itself, then the system is stopped.
        """
        self._past.halted.set()

    def _answered(self, question: Question) -> Said:
        try:
            spec = self._ready()
        except Ended as end:
            raise OracleError(
                f"{self.person} cannot answer now, and its questions wait: {end}"
            ) from end
        try:
            document = question.context.document
            experiment = permitted(document, spec, simulator=simulates(self.system))
        except PoolError as refused:
            return Said(Reply.BAD_QUESTION, None, 0.0, str(refused))
        done, note = self._trial(experiment, spec, question.context.id % SEEDS)
        if done is None and note.startswith(HALTED):
            raise OracleError(f"{self.person} did nothing, and its question waits: {note}")
        if done is None:
            return Said(Reply.CANT_TELL, None, 0.0, note)
        return Said(Reply.ANSWER, done.document(), 0.0, note)

    def _ready(self) -> Spec:
        """What the system is, once it is known to be there and at rest."""
        self._go_on()
        if self._past.lost:
            told = "; ".join(filter(None, (self._past.lost, self._past.unstopped)))
            raise Ended(
                f"The system is lost since a call did not come back ({told}); see to it, then "
                "begin again: only a fresh oracle tries it."
            )
        if self._past.unstopped and (failed := self._stopped()):
            raise Ended(failed)
        return self._watched("spec", lambda: self.system.spec, self.begin_seconds)

    def _go_on(self) -> None:
        """Ended when somebody halted this oracle."""
        if self._past.halted.is_set():
            raise Ended(HALTED)

    def _trial(
        self, experiment: Experiment, spec: Spec, seed: int
    ) -> tuple[Trajectory | None, str]:
        """What was measured, None without a whole step; and what there is to be told."""
        states: list[Reals] = []
        ended = stop = ""
        try:
            faults.reach("trial.begin")
            begin = partial(self.system.begin, experiment.start.copy(), seed)
            self._measure("begin", begin, self.begin_seconds, spec, states)
            for number, action in enumerate(experiment.actions, 1):
                faults.reach("trial.step")
                self._go_on()
                step = partial(self.system.step, action.copy())
                self._measure(f"step {number}", step, self.step_seconds, spec, states)
        except Ended as end:
            ended = str(end)
        finally:
            stop = self._stopped()
        notes = [note for note in (ended, stop) if note]
        if len(states) < 2:
            return None, "; ".join(notes)
        actions = experiment.actions[: len(states) - 1]
        return Trajectory(experiment.system, np.array(states), actions, ended), "; ".join(notes)

    def _measure(
        self, name: str, call: Callable[[], Reals], seconds: float, spec: Spec, states: list[Reals]
    ) -> None:
        """Do something and add the state that came of it; Ended when the trial cannot go on."""
        state = self._watched(name, call, seconds, self.system.stop)
        states.append(measured(name, state, spec))
        if outside := beyond(states[-1], spec.safe_low, spec.safe_high, spec.states):
            raise Ended(f"{name}: {outside}")

    def _watched(
        self, name: str, call: Callable[[], T], seconds: float, late: Callable[[], None] = _nothing
    ) -> T:
        try:
            return watched(name, call, seconds, late)
        except Ended as end:
            if end.hung:
                self._past.lost = self._past.lost or str(end)
            raise

    def _stopped(self) -> str:
        """Make the system safe; what to tell a person where that failed."""
        try:
            self._watched("stop", self.system.stop, self.stop_seconds)
        except Ended as end:
            self._past.unstopped = f"{end}: make sure that the system is safe"
        else:
            self._past.unstopped = ""
        return self._past.unstopped


def watched(
    name: str, call: Callable[[], T], seconds: float, late: Callable[[], None] = _nothing
) -> T:
    """What the call returns; Ended when it raises, or has not returned after so many seconds.

    It runs in a thread of its own, which a call that hangs keeps. Should it come back after all,
    `late` is called there: what was set in motion after the stop must be stopped again.
    """
    returned: list[T] = []
    raised: list[BaseException] = []
    turn, done, given_up = threading.Lock(), threading.Event(), threading.Event()

    def work() -> None:
        try:
            returned.append(call())
        except BaseException as error:  # told to the thread that waits, whatever it is
            raised.append(error)
        with turn:
            done.set()
        if given_up.is_set():
            late()

    threading.Thread(target=work, name=f"trial: {name}", daemon=True).start()
    done.wait(seconds)
    with turn:
        if not done.is_set():
            given_up.set()
            raise Ended(f"{name} did not return within {seconds:g} s", hung=True)
    if raised:
        raise Ended(f"{name} failed: {_told(raised[0])}") from raised[0]
    return returned[0]


def permitted(document: Document, spec: Spec, *, simulator: bool) -> Experiment:
    """The experiment, if this system may do it; PoolError says what is wrong with it.

    A start is commanded as well, so it is held to the safe limits, as a state. (Only a simulator
    may have starts of another kind, whose length tells them apart; these are its own affair.) An
    action beyond a limit by no more than the rounding of documents is done at the limit.
    """
    try:
        asked = Experiment.of(document)
    except (OverflowError, RecursionError) as error:
        raise PoolError(f"{document.body[:60]!r} is no experiment ({error}).") from error
    if asked.system != spec.name:
        raise PoolError(f"The experiment is for {asked.system!r}; this system is {spec.name!r}.")
    if len(asked.state) != len(spec.states) or asked.actions.shape[1] != len(spec.actions):
        raise PoolError(
            f"The experiment has {len(asked.state)} coordinates and {asked.actions.shape[1]} "
            f"actions a step; {spec.name} has {len(spec.states)} and {len(spec.actions)}."
        )
    if len(asked.actions) > spec.steps:
        raise PoolError(
            f"The experiment has {len(asked.actions)} steps; {spec.name} does {spec.steps} at most."
        )
    _check_start(asked, spec, simulator)
    held = np.clip(asked.actions, spec.low, spec.high)
    rounded = np.abs(asked.actions - held) <= _ROUNDED * np.abs(held)
    actions = np.where(rounded, held, asked.actions)
    for number, action in enumerate(actions, 1):
        if outside := beyond(action, spec.low, spec.high, spec.actions):
            raise PoolError(f"step {number}: {outside}")
    return replace(asked, actions=actions)


def _check_start(asked: Experiment, spec: Spec, simulator: bool) -> None:
    """PoolError for a start that must not be commanded, or where it is impossible to tell."""
    places = [asked.state]
    if len(asked.start) == len(spec.states):
        places.append(asked.start)
    elif not simulator:
        raise PoolError(
            f"The start has {len(asked.start)} numbers; {spec.name} has {len(spec.states)} "
            "coordinates, and goes to starts that have one for each."
        )
    for place in places:
        if outside := beyond(place, spec.safe_low, spec.safe_high, spec.states):
            raise PoolError(f"start: {outside}")


def beyond(values: Reals, low: Sequence[float], high: Sequence[float], names: Sequence[str]) -> str:
    """The first value outside its limits, in words; empty when there is none."""
    for name, value, least, most in zip(names, values, low, high, strict=True):
        if not least <= value <= most:
            return f"{name} {value:.9g} is outside its limits {least:.9g} to {most:.9g}"
    return ""


def measured(name: str, state: object, spec: Spec) -> Reals:
    """A measured state as an array (s,); Ended when it is none."""
    try:
        array = np.array(state, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise Ended(f"{name} measured no state: {_told(error)}") from error
    if array.shape != (len(spec.states),):
        raise Ended(f"{name} measured shape {array.shape}, not ({len(spec.states)},)")
    for coordinate, value in zip(spec.states, array, strict=True):
        if not math.isfinite(value):
            raise Ended(f"{name} measured {coordinate} as {value}")
    return array


def _told(error: BaseException) -> str:
    """An error in one line that any database can hold."""
    said = " ".join(str(error).split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in said)[:_LONGEST]
