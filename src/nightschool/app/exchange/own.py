"""What this program exports as answers, read back: nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nightschool.app.exchange.replies import (
    Said,
    Wishes,
    a_moment,
    a_number,
    a_text,
    lines,
)
from nightschool.types import TEXT, PoolError, Reply


def read(path: Path, _wishes: Wishes) -> Iterator[Said]:
    """Every reply that counted, with its own id, so that examples are the very same again."""
    for where, row in lines(path):
        if "reply" not in row or "person" not in row:
            raise PoolError(
                f"{where}: is no answer (found {sorted(row)}); export with "
                "`nightschool export FILE --answers --format jsonl`."
            )
        if row.get("retracted"):
            continue
        if row.get("context_kind", TEXT) != TEXT or row.get("answer_kind") not in (None, TEXT):
            raise PoolError(
                f"{where}: is about a {row.get('context_kind')}; only texts are imported. Copy "
                "the whole school with `nightschool backup`."
            )
        if row["reply"] not in set(Reply):
            raise PoolError(f"{where}: reply must be one of {', '.join(Reply)}.")
        reply = Reply(row["reply"])
        answers = reply is Reply.ANSWER
        yield Said(
            where=where,
            context=a_text(row.get("context"), "context", where),
            person=a_text(row["person"], "person", where),
            reply=reply,
            answer=a_text(row.get("answer"), "answer", where) if answers else "",
            seconds=a_number(row.get("seconds"), "seconds", where),
            at=a_moment(row.get("at"), where),
            note=str(row.get("note") or ""),
            group=str(row.get("group") or ""),
            id=a_text(row.get("id"), "id", where),
            settles=row.get("settles") is True,
        )
