"""The conformance suite of an oracle."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool.types import Oracle, Question, Reply


def check_oracle(oracle: Oracle, questions: Sequence[Question]) -> None:
    """Every promise of an oracle, on questions that it may meet."""
    assert oracle.person, "an oracle has a name, under which its answers are kept"
    for question in questions:
        said = oracle.answer(question)
        assert said.seconds >= 0, "seconds are never negative"
        given = said.document is not None
        assert given == (said.reply is Reply.ANSWER), "a document comes with ANSWER and only so"
