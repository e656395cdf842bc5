"""Label Studio's JSON export (not JSON-MIN): tasks with annotations.

Format: https://labelstud.io/guide/task_format and https://labelstud.io/guide/export ("JSON");
choices and text areas: https://labelstud.io/tags/choices, https://labelstud.io/tags/textarea.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nightschool.app.exchange.replies import (
    Said,
    Wishes,
    a_list,
    a_moment,
    a_number,
    a_text,
    an_object,
    items,
    the_only,
)
from nightschool.types import PoolError, Reply

PARTS = {"choices": "choices", "textarea": "text"}
"""For each type of result, where its value is."""


def read(path: Path, wishes: Wishes) -> Iterator[Said]:
    """Who said what: a cancelled annotation, or one without a result, is a skip."""
    for where, task in items(path):
        data = an_object(task.get("data"), f"{where}, data")
        texts = {k: v for k, v in data.items() if isinstance(v, str) and v.strip()}
        field = the_only(texts, wishes.field, "text", "--field", where)
        if "annotations" not in task:
            raise PoolError(
                f"{where}: has no annotations; export the project as JSON, not as JSON-MIN."
            )
        for number, each in enumerate(a_list(task["annotations"], "annotations", where), 1):
            place = f"{where}, annotation {number}"
            yield _said(texts[field], an_object(each, place), place, wishes)


def _said(context: str, made: Mapping[str, Any], where: str, wishes: Wishes) -> Said:
    common: dict[str, Any] = {
        "where": where,
        "context": context,
        "person": _person(made.get("completed_by"), wishes, where),
        "at": a_moment(made.get("created_at") or made.get("updated_at"), where),
        "seconds": a_number(made.get("lead_time"), "lead_time", where),
    }
    results = _results(made, where)
    if made.get("was_cancelled") or not results:
        return Said(**common, reply=Reply.SKIP)
    question = the_only(results, wishes.question, "question", "--question", where)
    given = results[question]
    if len(given) != 1:
        raise PoolError(
            f"{where}: gives {len(given)} answers to {question!r}; a question here has one. "
            "Let people choose one, and export again."
        )
    return Said(**common, reply=Reply.ANSWER, answer=a_text(given[0], question, where))


def _results(made: Mapping[str, Any], where: str) -> dict[str, list[Any]]:
    """What was answered, by the name of the control that was answered with."""
    found: dict[str, list[Any]] = {}
    for result in a_list(made.get("result"), "result", where):
        each = an_object(result, where)
        kind = each.get("type")
        if kind not in PARTS:
            continue  # a marked span, a rating of an image: no text
        value = an_object(each.get("value"), f"{where}, value").get(PARTS[kind])
        given = value if isinstance(value, list) else [value]
        found.setdefault(str(each.get("from_name", kind)), []).extend(given)
    return found


def _person(by: Any, wishes: Wishes, where: str) -> str:
    """A number, or an object with an e-mail address, as the export's settings have it."""
    if isinstance(by, dict):
        by = by.get("email") or by.get("id")
    if by is None or by == "":
        return wishes.person or "labelstudio"
    if not isinstance(by, int | str):
        raise PoolError(f"{where}: completed_by must be a number or a person, not {by!r}.")
    return f"labelstudio:{by}"
