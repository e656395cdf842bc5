"""The conformance suite of an oracle, whatever it answers with."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool.types import (
    CAPTION,
    EXPERIMENT,
    TEXT,
    Document,
    Oracle,
    Question,
    Reply,
    Trajectory,
    check_drawing,
    check_trajectory,
)


def check_oracle(oracle: Oracle, questions: Sequence[Question]) -> None:
    """Every promise of an oracle, on questions that it may meet."""
    assert oracle.person, "an oracle has a name, under which its answers are kept"
    for question in questions:
        said = oracle.answer(question)
        assert said.seconds >= 0, "seconds are never negative"
        given = said.document is not None
        assert given == (said.reply is Reply.ANSWER), "a document comes with ANSWER and only so"
        if said.document is not None:
            _fits(said.document, question.context.document)


def _fits(answer: Document, context: Document) -> None:
    if context.kind == EXPERIMENT:
        check_trajectory(answer, context)
        assert Trajectory.of(answer).document() == answer, "a trajectory is written canonically"
    elif context.kind == CAPTION:
        check_drawing(answer, context)
    elif context.kind == TEXT:
        assert answer.kind == TEXT, "a text is answered by a text"
        assert answer.body.strip(), "an answer is not empty"
    assert set(answer.parts) == set(answer.blobs), "every large part that is named is given"
