"""Prodigy's JSON lines, as `prodigy db-out` writes them.

Formats: https://prodi.gy/docs/api-interfaces (text classification and choice; the keys that every
task has: answer, _timestamp, _annotator_id, _session_id).
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
    a_text,
    lines,
)
from nightschool.types import PoolError, Reply

DECISIONS = ("accept", "reject", "ignore")


def read(path: Path, wishes: Wishes) -> Iterator[Said]:
    """Who said what. An ignored task is a skip; a rejected choice is a bad question.

    A rejected label ("not this one") is no answer: where nothing else was accepted by that person
    for that text, it is a skip whose note names the label, so that what was seen is kept.
    """
    rejected: dict[tuple[str, str], Said] = {}
    answered: set[tuple[str, str]] = set()
    for where, task in lines(path):
        said = _said(task, where, wishes)
        pair = (said.context, said.person)
        if task.get("answer") == "reject" and said.reply is Reply.SKIP:
            rejected.setdefault(pair, said)
            continue
        answered.add(pair)
        yield said
    yield from (said for pair, said in rejected.items() if pair not in answered)


def _said(task: Mapping[str, Any], where: str, wishes: Wishes) -> Said:
    decision = task.get("answer")
    if decision not in DECISIONS:
        raise PoolError(f"{where}: answer must be accept, reject or ignore, not {decision!r}.")
    context = a_text(task.get(wishes.field or "text"), wishes.field or "text", where)
    common: dict[str, Any] = {
        "where": where,
        "context": context,
        "person": _person(task, wishes),
        "at": a_moment(task.get("_timestamp"), where),
    }
    if decision == "ignore":
        return Said(**common, reply=Reply.SKIP)
    if "options" in task:
        return _choice(task, where, decision, common)
    label = a_text(task.get("label"), "label", where)
    if decision == "reject":
        return Said(**common, reply=Reply.SKIP, note=f"not {label}")
    return Said(**common, reply=Reply.ANSWER, answer=label)


def _choice(task: Mapping[str, Any], where: str, decision: str, common: dict[str, Any]) -> Said:
    if decision == "reject":
        return Said(**common, reply=Reply.BAD_QUESTION)
    accepted = a_list(task.get("accept"), "accept", where)
    if not accepted:
        return Said(**common, reply=Reply.SKIP, note="no option accepted")
    if len(accepted) > 1:
        raise PoolError(
            f"{where}: accepts {len(accepted)} options; a question here has one answer. Export "
            "tasks with a single choice, or one label at a time."
        )
    options = a_list(task.get("options"), "options", where)
    texts = {o.get("id"): o.get("text") for o in options if isinstance(o, dict)}
    chosen = accepted[0]
    if chosen not in texts:
        raise PoolError(f"{where}: accepts {chosen!r}, which is none of its options.")
    # What a person read and chose is the text; an option without one shows its id.
    answer = a_text(texts[chosen] or str(chosen), "an option's text", where)
    return Said(**common, reply=Reply.ANSWER, answer=answer)


def _person(task: Mapping[str, Any], wishes: Wishes) -> str:
    named = task.get("_annotator_id") or task.get("_session_id")
    return f"prodigy:{named}" if named else wishes.person or "prodigy"
