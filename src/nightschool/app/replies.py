"""What may be kept as an answer: each kind of question has its kind of answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nightschool.types import (
    CAPTION,
    DRAWING,
    EXPERIMENT,
    TEXT,
    TRAJECTORY,
    Answer,
    AnswerError,
    Document,
    Reply,
    check_drawing,
    check_trajectory,
    is_storable,
)

MOST_BODY = 4 << 20
"""The longest body, in characters, of an answer that is no text."""

Check = Callable[[Document, Document], None]

CHECKS: Mapping[str, tuple[str, Check]] = {
    CAPTION: (DRAWING, check_drawing),
    EXPERIMENT: (TRAJECTORY, check_trajectory),
}
"""For a kind of question that is no text: the kind of its answers, and how one is checked."""


def check_reply(answer: Answer, limit: int) -> None:
    """Raise AnswerError for a reply that no question could have.

    `limit` is the longest text kept, in characters.
    """
    document = answer.document
    if answer.reply is not Reply.ANSWER:
        if document is not None:
            raise AnswerError(f"A reply of kind {answer.reply.value} carries no {document.kind}.")
        return
    body = document.body if document is not None else ""
    if not is_storable(body):
        raise AnswerError("The answer holds half a character or a NUL; type it again.")
    if document is not None and document.kind != TEXT:
        limit = MOST_BODY
    if len(body) > limit:
        raise AnswerError(
            f"The answer has {len(body):,} characters, {limit:,} are kept; shorten it, or "
            "raise max_answer_chars."
        )
    if not body.strip():
        raise AnswerError(
            "The answer is empty; type one, or choose skip, can't tell or bad question."
        )


def check_fits(document: Document, context: Document) -> None:
    """Raise AnswerError for an answer whose kind or content does not fit the question."""
    wanted, check = CHECKS.get(context.kind, (TEXT, None))
    if document.kind != wanted:
        raise AnswerError(
            f"A question of kind {context.kind} is answered by a {wanted}, not by a "
            f"{document.kind}."
        )
    if check is not None:
        check(document, context)
