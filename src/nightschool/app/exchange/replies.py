"""One reply out of a file, whatever tool wrote it, and how such files are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nightschool.types import PoolError, Reply


@dataclass(frozen=True)
class Said:
    """Who said what about which context; `where` names file and line, for errors.

    `at` is seconds since 1970, 0 where the file does not say when; `seconds` is how long it
    took, 0 where unknown. `id` is the reply's own name where the file has one for ever.
    """

    where: str
    context: str
    person: str
    reply: Reply
    answer: str = ""
    seconds: float = 0.0
    at: float = 0.0
    note: str = ""
    group: str = ""
    id: str = ""
    settles: bool = False


@dataclass(frozen=True)
class Wishes:
    """What a person says about a file: whose the replies are, and which field is which.

    `person` is for replies of which the file does not say whose they are; `field` is the part of
    a record that is shown as the context, `question` the one that is answered, where there are
    several.
    """

    person: str = ""
    field: str = ""
    question: str = ""


def lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each object of a file of JSON lines, with where it stands; PoolError for a broken line."""
    for number, line in enumerate(text_of(path).split("\n"), 1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, an_object(parsed(line, where), where)


def items(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each object of a JSON list, or of JSON lines, with where it stands."""
    text = text_of(path)
    if not text.lstrip().startswith("["):
        yield from lines(path)
        return
    found = parsed(text, str(path))
    for number, item in enumerate(found, 1):
        where = f"{path}, record {number}"
        yield where, an_object(item, where)


def text_of(path: Path) -> str:
    """A file's text; PoolError where there is none."""
    if not path.is_file():
        raise PoolError(f"{path}: there is no such file.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PoolError(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8.") from error


def parsed(text: str, where: str) -> Any:
    """JSON; PoolError that says where it breaks."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line, told = getattr(error, "lineno", 1), getattr(error, "msg", "too deep")
        place = f", line {line}" if line > 1 else ""
        raise PoolError(f"{where}{place}: broken JSON ({told}); nothing was imported.") from error


def an_object(value: Any, where: str) -> Mapping[str, Any]:
    """The value, if it is a JSON object; PoolError otherwise."""
    if not isinstance(value, dict):
        raise PoolError(f"{where}: needs a JSON object, not {str(value)[:60]!r}.")
    return value


def a_text(value: Any, name: str, where: str) -> str:
    """The value, if it is a text with something in it; PoolError otherwise."""
    if not isinstance(value, str) or not value.strip():
        raise PoolError(f"{where}: {name} must be a text, not {str(value)[:60]!r}.")
    return value


def a_list(value: Any, name: str, where: str) -> list[Any]:
    """The value as a list, nothing as an empty one; PoolError otherwise."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise PoolError(f"{where}: {name} must be a list, not {str(value)[:60]!r}.")
    return value


def a_number(value: Any, name: str, where: str) -> float:
    """The value as a number from 0 up, nothing as 0; PoolError otherwise."""
    if value is None:
        return 0.0
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value < 1e15:
        raise PoolError(f"{where}: {name} must be a number from 0 up, not {str(value)[:60]!r}.")
    return float(value)


def a_moment(value: Any, where: str) -> float:
    """A moment in ISO 8601 or in seconds since 1970, as the latter; 0 where nothing is said."""
    if not isinstance(value, str):
        return a_number(value, "a time", where)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise PoolError(f"{where}: {value[:60]!r} is no date and time of ISO 8601.") from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, aware.timestamp())


def the_only(choices: Mapping[str, Any], wish: str, what: str, option: str, where: str) -> str:
    """The name that was wished for, or the only one; PoolError that lists them otherwise."""
    if wish:
        if wish not in choices:
            raise PoolError(f"{where}: has no {what} {wish!r} (found {sorted(choices)}).")
        return wish
    if len(choices) != 1:
        raise PoolError(
            f"{where}: has {len(choices)} {what}s ({', '.join(sorted(choices))}); say which with "
            f"{option}."
        )
    return next(iter(choices))
