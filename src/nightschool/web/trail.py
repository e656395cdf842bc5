"""The audit trail as sentences for the page; the API tells the bare entries."""

from __future__ import annotations

from typing import Any

from nightschool.types.people import Role
from nightschool.web.texts import catalogue, t


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
    """Who did it; two names stand for no person."""
    return catalogue().get(f"people.actor_{person}", person)


def _role(detail: str) -> str:
    """The role that a detail names: "teacher", "viewer -> owner" or "owner, link by anna"."""
    word = detail.rpartition("-> ")[2].partition(",")[0]
    return t(f"people.a_{word}") if word in [role.value for role in Role] else detail
