"""The audit trail as sentences for the page; the API tells the bare entries."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from nightschool.types import UnknownQuestion
from nightschool.types.people import Role
from nightschool.web.desk import Desk
from nightschool.web.texts import catalogue, t, tn

SETTLING = ("question settled", "settling taken back")
"""Entries about one question each: they come in runs, which are told in one sentence."""


def told(school: Desk, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The trail as sentences; `records` are the questions that each is about, with their links."""
    found = []
    for (person, action), group in groupby(entries, lambda e: (e["person"], e["action"])):
        run = list(group)
        if action not in SETTLING:
            found += [{**sentence(entry), "records": []} for entry in run]
            continue
        records = [each for entry in run if (each := _record(school, entry))]
        name = f"people.did_{action.replace(' ', '_')}"
        said = tn(name, len(run), person=_actor(person))
        found.append({"at": run[0]["at"], "told": said, "rest": "", "records": records})
    return found


def _record(school: Desk, entry: dict[str, Any]) -> dict[str, str] | None:
    """The record that a settling is about; None where its answer was erased."""
    name = entry["subject"]
    try:
        if entry["action"] == "settling taken back":
            answer = school.answer_with_id(name)
            if answer is None:
                return None
            name = answer.question_id
        context = school.question(name).context
    except UnknownQuestion:
        return None
    return {"path": f"/warehouse/{context.id:016x}", "text": context.text}


def sentence(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry's time (`at`, seconds since 1970), its sentence (`told`), and what is left to say.

    `rest` holds details that the sentence does not; an action that the catalogue does not know is
    told by its own words.
    """
    subject, detail = entry["subject"], entry["detail"]
    name = f"people.did_{entry['action'].replace(' ', '_')}"
    if subject == entry["person"] and f"{name}_own" in catalogue():
        name = f"{name}_own"
    form = catalogue().get(name)
    if form is None:
        words = (_actor(entry["person"]), entry["action"], subject)
        return {"at": entry["at"], "told": " ".join(filter(None, words)), "rest": detail}
    role = _role(detail) if "{role}" in form else ""
    values = {"person": _actor(entry["person"]), "subject": subject or t("people.anybody")}
    told = t(name, **values, detail=detail, role=role)
    said = role or "{detail}" in form
    return {"at": entry["at"], "told": told, "rest": "" if said else detail}


def _actor(person: str) -> str:
    """Who did it; a few names, such as "serve", stand for no person."""
    return catalogue().get(f"people.actor_{person}", person)


def _role(detail: str) -> str:
    """The role that a detail names: "teacher", "viewer -> owner" or "owner, link by anna"."""
    word = detail.rpartition("-> ")[2].partition(",")[0]
    return t(f"people.a_{word}") if word in [role.value for role in Role] else detail
