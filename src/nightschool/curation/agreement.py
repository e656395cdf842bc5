"""From any number of answers to one trusted target, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from nightschool.types import (
    TEXT,
    Answer,
    AnsweredQuestion,
    Document,
    Example,
    Reply,
    normalise,
)


def curate(answered: Sequence[AnsweredQuestion], night: int) -> list[Example]:
    """Examples of the answered questions: one for each context on which people agree."""
    made = (make_example(a, night) for a in answered)
    return [example for example in made if example is not None]


def make_example(answered: AnsweredQuestion, night: int) -> Example | None:
    """The target that most people gave, weighted by their share; None where nobody can tell.

    A context is left out when half or more of its replies are "can't tell" or "bad question",
    or when the two most frequent answers tie. Skips say nothing about the context. Each
    person's latest answer counts.
    """
    latest: dict[str, Answer] = {a.person: a for a in answered.answers}
    votes: dict[str, list[Answer]] = {}
    against = 0
    for answer in latest.values():
        if answer.reply is Reply.ANSWER and answer.document is not None:
            votes.setdefault(_key(answer.document), []).append(answer)
        elif answer.reply in (Reply.CANT_TELL, Reply.BAD_QUESTION):
            against += 1
    if not votes:
        return None
    ranked = sorted(votes.values(), key=len, reverse=True)
    total = against + sum(len(v) for v in ranked)
    if 2 * against >= total or (len(ranked) > 1 and len(ranked[0]) == len(ranked[1])):
        return None
    winners = ranked[0]
    target = clean(winners[0].document)
    context = answered.question.context
    names = tuple(sorted(a.id for a in winners))
    parts = [context.document.digest.hex(), target.digest.hex(), f"{len(winners) / total:.6f}"]
    digest = hashlib.sha256("\0".join([*parts, target.body, *names]).encode()).hexdigest()
    return Example(
        digest[:32],
        context.document,
        target,
        len(winners) / total,
        names,
        night,
        context.group,
    )


def clean(document: Document | None) -> Document:
    """The answer as trained on: text without white space at its ends; the log keeps it verbatim."""
    if document is None:
        raise ValueError("An answer of kind ANSWER carries a document.")
    if document.kind != TEXT:
        return document
    return Document(document.body.strip(), blobs=document.blobs)


def _key(document: Document) -> str:
    return normalise(document.body) if document.kind == TEXT else document.digest.hex()
