"""Parts by name: entry points, ours and a stranger's by the same door."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from nightschool.types import ConfigError, Exam, LearnerKind, Oracle, Strategy


def names(kind: str) -> list[str]:
    """The names of all installed parts of a kind: learners, strategies, oracles or exams."""
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


def exam(name: str) -> Exam:
    """A way to mark answers."""
    part: Exam = find("exams", name)
    return part


def oracle(name: str, **settings: Any) -> Oracle:
    """An oracle, made with its settings."""
    made: Oracle = find("oracles", name)(**settings)
    return made
