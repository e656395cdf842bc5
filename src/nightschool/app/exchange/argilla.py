"""Argilla's records (version 2), as `dataset.records.to_json` or `to_list` gives them.

Format: https://docs.argilla.io/latest/how_to_guides/import_export ("Export records") and
https://docs.argilla.io/latest/reference/argilla/records/responses; nested, or flattened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nightschool.app.exchange.replies import (
    Said,
    Wishes,
    a_list,
    a_text,
    an_object,
    items,
    the_only,
)
from nightschool.types import PoolError, Reply

SUBMITTED, DISCARDED = "submitted", "discarded"


def read(path: Path, wishes: Wishes) -> Iterator[Said]:
    """Who said what: a discarded response is a skip, a draft is none yet.

    Suggestions are a model's and not a person's: they are passed over.
    """
    for where, record in items(path):
        nested = "fields" in record
        fields, responses = _nested(record, where) if nested else _flat(record, where)
        if not responses:
            continue
        field = the_only(fields, wishes.field, "field", "--field", where)
        question = the_only(responses, wishes.question, "question", "--question", where)
        for number, response in enumerate(responses[question], 1):
            place = f"{where}, response {number}"
            said = _said(fields[field], response, place, wishes)
            if said is not None:
                yield said


def _nested(
    record: Mapping[str, Any], where: str
) -> tuple[dict[str, str], dict[str, list[Mapping[str, Any]]]]:
    fields = an_object(record["fields"], f"{where}, fields")
    given = record.get("responses") or {}
    responses = {
        name: [an_object(r, where) for r in a_list(each, f"responses to {name}", where)]
        for name, each in an_object(given, f"{where}, responses").items()
    }
    return _texts(fields), {name: each for name, each in responses.items() if each}


def _flat(
    record: Mapping[str, Any], where: str
) -> tuple[dict[str, str], dict[str, list[Mapping[str, Any]]]]:
    ending = ".responses"
    names = [key.removesuffix(ending) for key in record if key.endswith(ending)]
    responses: dict[str, list[Mapping[str, Any]]] = {}
    for name in names:
        values = a_list(record[name + ending], name + ending, where)
        users = a_list(record.get(f"{name}{ending}.users"), "users", where)
        status = a_list(record.get(f"{name}{ending}.status"), "status", where)
        responses[name] = [
            {"value": v, "user_id": _at(users, i), "status": _at(status, i)}
            for i, v in enumerate(values)
        ]
    about = {"id", "status", "_server_id", "external_id"}
    about |= {key for key in record if any(key.startswith(f"{name}.") for name in names)}
    fields = {key: value for key, value in record.items() if key not in about and "." not in key}
    return _texts(fields), {name: each for name, each in responses.items() if each}


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: v for name, v in fields.items() if isinstance(v, str) and v.strip()}


def _said(context: str, response: Mapping[str, Any], where: str, wishes: Wishes) -> Said | None:
    user = response.get("user_id")
    person = f"argilla:{user}" if user else wishes.person or "argilla"
    # Records that were read back without asking for a status are of submitted responses.
    status = response.get("status") or SUBMITTED
    if status == DISCARDED:
        return Said(where, context, person, Reply.SKIP)
    if status != SUBMITTED:
        return None
    value = response.get("value")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)  # a rating
    if isinstance(value, list):
        raise PoolError(
            f"{where}: gives {len(value)} answers; a question here has one. Import a dataset "
            "whose question takes a single label."
        )
    return Said(where, context, person, Reply.ANSWER, a_text(value, "value", where))
