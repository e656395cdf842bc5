"""From any number of answers to trusted targets, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from nightschool.types import (
    TEXT,
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    Example,
    Reply,
    normalise,
)


def curate(answered: Sequence[AnsweredQuestion], night: int) -> list[Example]:
    """Examples of the answered questions, in the order of the questions."""
    return [example for each in answered for example in make_examples(each, night)]


def make_examples(answered: AnsweredQuestion, night: int) -> list[Example]:
    """What a context's answers teach; nothing where half or more of the replies say it has none.

    "Can't tell" and "bad question" speak against a context; skips say nothing about it. Each
    person's latest answer counts. Texts are put to the vote: the target that most people gave,
    weighted by their share, and none where the two most frequent ones tie. Other answers cannot
    be equal (no two drawings are, nor two trajectories with their noise), so each is an example.
    """
    latest = {a.person: a for a in answered.answers}.values()
    against = sum(a.reply in (Reply.CANT_TELL, Reply.BAD_QUESTION) for a in latest)
    given = [a for a in latest if a.reply is Reply.ANSWER and a.document is not None]
    if 2 * against >= against + len(given):
        return []
    context = answered.question.context
    votes: dict[str, list[Answer]] = {}
    for answer in given:
        assert answer.document is not None
        by_text = answer.document.kind == TEXT
        key = normalise(answer.document.body) if by_text else answer.id
        votes.setdefault(key, []).append(answer)
    ranked = sorted(votes.values(), key=len, reverse=True)
    total = against + len(given)
    if all(a.document is not None and a.document.kind != TEXT for a in given):
        return [_example(context, own, len(given) / total, night) for own in votes.values()]
    if len(ranked) > 1 and len(ranked[0]) == len(ranked[1]):
        return []
    return [_example(context, ranked[0], len(ranked[0]) / total, night)]


def _example(context: Context, answers: Sequence[Answer], weight: float, night: int) -> Example:
    target = clean(answers[0].document)
    names = tuple(sorted(a.id for a in answers))
    parts = [context.document.digest.hex(), target.digest.hex(), f"{weight:.6f}"]
    digest = hashlib.sha256("\0".join([*parts, target.body, *names]).encode()).hexdigest()
    return Example(digest[:32], context.document, target, weight, names, night, context.group)


def clean(document: Document | None) -> Document:
    """The answer as trained on: text without white space at its ends; the log keeps it verbatim."""
    if document is None:
        raise ValueError("An answer of kind ANSWER carries a document.")
    if document.kind != TEXT:
        return document
    return Document(document.body.strip(), blobs=document.blobs, parts=document.parts)
