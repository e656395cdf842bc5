"""The model's own guess beside a question, where the school shows it (it biases people)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nightschool.types import TEXT, Learner, Partition, Pick, Question, uniform

WITHHELD = 0.25
"""Share of the questions to learn from that come without a guess.

A question that examines never has one. If all others had, its absence would tell which those are;
and answers given without a guess show how much the others were biased by it.
"""


def with_guesses(picks: Sequence[Pick], learner: Learner, key: int) -> Sequence[Pick]:
    """The picks with what the model would say, for most of the texts that it will learn from."""
    drawn = uniform([p.context.id for p in picks], key)
    asked = [
        i
        for i, (pick, u) in enumerate(zip(picks, drawn, strict=True))
        if pick.partition is Partition.TRAINING
        and pick.context.document.kind == TEXT
        and u >= WITHHELD
    ]
    guesses = learner.predict([picks[i].context for i in asked]) if asked else ()
    found = list(picks)
    for i, guess in zip(asked, guesses, strict=True):
        if guess.kind == TEXT:
            found[i] = replace(picks[i], guess=guess.body.strip())
    return found


def guess_of(question: Question, shown: bool) -> str:
    """The guess that a person may see; empty unless it is `shown` and the question teaches."""
    return question.guess if shown and question.partition is Partition.TRAINING else ""
