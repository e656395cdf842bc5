"""Parts by name: entry points, ours and a stranger's by the same door."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from nightschool.curation import Agreement
from nightschool.types import ConfigError, Exam, LearnerKind, Oracle, Strategy, System


def names(kind: str) -> list[str]:
    """The names of all installed parts of a kind: learners, strategies, oracles and so on."""
    return sorted({e.name for e in entry_points(group=f"nightschool.{kind}")})


def require(kind: str, name: str) -> EntryPoint:
    """The entry point of an installed part, not yet imported; ConfigError when there is none."""
    for entry in entry_points(group=f"nightschool.{kind}"):
        if entry.name == name:
            return entry
    raise ConfigError(
        f"No part of kind {kind} is called {name!r}; installed: {', '.join(names(kind))}."
    )


def find(kind: str, name: str) -> Any:
    """The object that an entry point names; importing it is left until here."""
    entry = require(kind, name)
    try:
        return entry.load()
    except ImportError as error:
        raise ConfigError(
            f"The {kind} part {name!r} cannot be imported ({error}); is its package, or an extra "
            "of it, installed?"
        ) from error


def learner_kind(name: str) -> LearnerKind:
    """How to begin and load a learner."""
    part: LearnerKind = find("learners", name)
    return part


def strategy(name: str) -> Strategy:
    """A strategy; a bare function of an Observation becomes one."""
    from nightschool.strategies import by_score

    part = find("strategies", name)
    if isinstance(part, Strategy):
        return part
    if callable(part):
        return by_score(part)
    raise ConfigError(f"Strategy {name!r} has neither `choose` nor is it a score function.")


def exam(name: str, system: System | None = None) -> Exam:
    """A way to mark answers; one that examines in a physical system is made with it."""
    part = find("exams", name)
    if not isinstance(part, type) and isinstance(part, Exam):
        return part
    if system is None:
        raise ConfigError(
            f"Exam {name!r} examines in a physical system, and this school has none; begin one "
            "with `nightschool init FOLDER --task control --env NAME`."
        )
    made: Exam = part(system)
    return made


def agreement(name: str) -> Agreement:
    """How answers are weighed."""
    part: Agreement = find("agreements", name)
    return part


def oracle(name: str, **settings: Any) -> Oracle:
    """An oracle, made with its settings."""
    made: Oracle = _make("oracles", name, settings)
    return made


def system(name: str, **settings: Any) -> System:
    """A physical system, made with its settings."""
    made: System = _make("systems", name, settings)
    return made


def check(kind: str, name: str, settings: Mapping[str, Any]) -> Any:
    """The factory of an oracle or a system; ConfigError for a setting that it does not have."""
    factory = find(kind, name)
    known = inspect.signature(factory).parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in known.values())
    for key in settings:
        if key not in known and not open_ended:
            raise ConfigError(
                f"The {kind[:-1]} {name!r} has no setting {key!r}; "
                f"known: {', '.join(known) or 'none'}."
            )
    missing = [
        n
        for n, p in known.items()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD and n not in settings
    ]
    for each in missing:
        if each != "system":  # the school's own, put in by whoever makes the oracle
            raise ConfigError(
                f"The {kind[:-1]} {name!r} needs {each!r}: `--set {kind[:-1]}_settings.{each}=…` "
                f"at init, or `nightschool config {kind[:-1]}_settings.{each} …`."
            )
    return factory


def _make(kind: str, name: str, settings: dict[str, Any]) -> Any:
    factory = check(kind, name, settings)
    try:
        return factory(**settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"The {kind[:-1]} {name!r} cannot be made: {error}.") from error
