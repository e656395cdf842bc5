"""Filters as people write them, `person=anna`, to a selection of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightschool.types import ConfigError, Partition, Reply
from nightschool.warehouse.archive import Selection, State

CHOICES: Mapping[str, type[Reply] | type[Partition] | type[State]] = {
    "reply": Reply,
    "partition": Partition,
    "state": State,
}


def selection_of(said: Mapping[str, str]) -> Selection:
    """The selection that filters name; an empty value is none. ConfigError with the cure.

    Filters: text, person, reply, group, source, partition, night, strategy, state.
    """
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name not in Selection.__dataclass_fields__:
            names = ", ".join(Selection.__dataclass_fields__)
            raise ConfigError(f"There is no filter {name!r}; filter by {names}.")
        if value != "":
            values[name] = _value(name, value)
    return Selection(**values)


def _value(name: str, value: str) -> object:
    if name in CHOICES:
        choices = list(CHOICES[name])
        if value not in choices:
            raise ConfigError(f"{name} is one of {', '.join(choices)}, not {value!r}.")
        return CHOICES[name](value)
    if name == "night":
        if not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise ConfigError(f"night is a number such as 3 (0: before the first), not {value!r}.")
        return int(value)
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise ConfigError(f"{name} holds half a character or a NUL; type it again.")
    return value


def pairs(said: tuple[str, ...]) -> dict[str, str]:
    """`KEY=VALUE` texts as a mapping; ConfigError for one without an equals sign."""
    found: dict[str, str] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals:
            raise ConfigError(f"A filter reads KEY=VALUE, such as person=anna, not {each!r}.")
        found[name.strip()] = value
    return found
