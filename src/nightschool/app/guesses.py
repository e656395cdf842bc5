"""The model's own guess beside a question, where the school shows it (it biases people)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from nightschool.types import TEXT, Context, Learner, Partition, Pick, Question, uniform

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
    """The guess that a person may see; empty unless it is `shown`, and for what examines."""
    return question.guess if shown and question.partition is not Partition.EXAM else ""


def of_gold(contexts: Iterable[Context], learner: Learner) -> str:
    """What the model would say of each gold text, by context id, as JSON.

    Gold questions come with a guess as often as others do, or one could tell them apart.
    """
    asked = [context for context in contexts if context.document.kind == TEXT]
    said = learner.predict(asked) if asked else ()
    pairs = zip(asked, said, strict=True)
    return json.dumps({f"{c.id}": guess.body.strip() for c, guess in pairs if guess.kind == TEXT})
