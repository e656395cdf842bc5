"""Ask this one again: answers that may be wrong compete with new questions, in nats a second."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from nightschool.curation.agreement import make_examples, settling
from nightschool.strategies.value import asking_again, error_rate, per_second, truth
from nightschool.types import (
    TEXT,
    Answer,
    AnsweredQuestion,
    Context,
    ExamItem,
    Learner,
    Partition,
    Pick,
    Question,
    Reply,
    normalise,
)
from nightschool.warehouse.queue import AGAIN_AFTER

STRATEGY = "again"
"""The name under which such questions stand in the log."""

LOOKED = 300
"""Answered contexts that are looked at, newest first; disputed ones always are."""

MOST = 4
"""Answers after which a context is settled, however doubtful."""


@dataclass(frozen=True)
class Doubtful:
    """A context whose present answer may be wrong, with what one more answer would tell.

    `p` is what the model gives it, `doubt` the probability that it is wrong, `gain` in nats.
    """

    context: Context
    p: float
    doubt: float
    gain: float


def doubtful(
    learner: Learner,
    answered: Sequence[AnsweredQuestion],
    now: float,
    question: Callable[[str], Question],
    active: Collection[str],
) -> Sequence[Doubtful]:
    """Answered contexts of the training partition that somebody else may check, in any order.

    Only texts: no two drawings or trajectories are equal. The model's probability of the
    present answer is the learner's `mark`, in [0, 1]. `question` finds one by its id. `active`
    are the people who answered anything lately.
    """
    votes = [v for v in map(_votes, answered) if v is not None]
    error = error_rate(*seconds_of(answered, question))
    open_ones = [v for v in votes if _somebody_can(v.asked, active, now)]
    disputed = [v for v in open_ones if v.disputed]
    rest = [v for v in open_ones if not v.disputed][::-1]
    looked = [*disputed, *rest[: max(0, LOOKED - len(disputed))]]
    if not looked:
        return ()
    marks = iter(learner.mark([item for v in looked for item in v.items]))
    given = [[next(marks) for _ in v.items] for v in looked]
    found = []
    for many in sorted({len(v.items) for v in looked}):
        rows = [i for i, v in enumerate(looked) if len(v.items) == many]
        p = truth(
            [given[i] for i in rows],
            [looked[i].counts for i in rows],
            [looked[i].declined for i in rows],
            error,
        )
        found += [
            Doubtful(
                looked[i].asked.question.context,
                float(given[i][0]),
                1.0 - float(own[0]),
                float(gain),
            )
            for i, own, gain in zip(rows, p, asking_again(p, error), strict=True)
        ]
    return found


@dataclass(frozen=True)
class _Votes:
    """The different answers to a context, the present one first, and how many gave each."""

    asked: AnsweredQuestion
    items: Sequence[ExamItem]
    counts: Sequence[int]
    declined: int

    @property
    def disputed(self) -> bool:
        return len(self.items) > 1 or self.declined > 0


def _votes(asked: AnsweredQuestion) -> _Votes | None:
    """The votes on a context; None where nobody gave a text."""
    latest = {a.person: a for a in asked.answers}.values()
    if any(a.document is not None and a.document.kind != TEXT for a in latest):
        return None
    said = {normalise(a.document.body): a.document for a in latest if a.document is not None}
    if not said:
        return None
    votes = Counter(normalise(a.document.body) for a in latest if a.document is not None)
    taught = make_examples(asked, 0)
    # A tie teaches nothing; the first of the answers is the one in question.
    present = normalise(taught[0].target.body) if taught else next(iter(said))
    order = sorted(said, key=lambda text: (text != present, -votes[text], text))
    context = asked.question.context
    items = [
        ExamItem(f"{context.id:x}-{i}", context.document, (said[text],), context.group, "again")
        for i, text in enumerate(order)
    ]
    declined = sum(a.reply in (Reply.CANT_TELL, Reply.BAD_QUESTION) for a in latest)
    return _Votes(asked, items, [votes[text] for text in order], declined)


def seconds_of(
    answered: Sequence[AnsweredQuestion], question: Callable[[str], Question]
) -> tuple[list[bool], list[float]]:
    """For each second answer to a context: whether it is the first one, and what the model gave it.

    That stands in the log as the score of a question that asks again; nan for an answer that came
    otherwise (two people had the question at once). "Can't tell" is no agreement; a person's own
    earlier and later answer count too.
    """
    agreed: list[bool] = []
    given: list[float] = []
    for each in answered:
        replies = [a for a in each.answers if a.reply is not Reply.SKIP][:2]
        if len(replies) < 2 or _text(replies[0]) is None:
            continue
        one, two = replies
        asked = question(two.question_id) if two.question_id != one.question_id else None
        agreed.append(_text(one) == _text(two))
        again = asked is not None and asked.strategy == STRATEGY
        given.append(asked.score if asked is not None and again else math.nan)
    return agreed, given


def _text(answer: Answer) -> str | None:
    document = answer.document
    return normalise(document.body) if document is not None and document.kind == TEXT else None


def _somebody_can(asked: AnsweredQuestion, active: Collection[str], now: float) -> bool:
    """Whether the queue would give it to anybody: the rule of the warehouse, for all at once."""
    if len(asked.answers) >= MOST or settling(asked.answers) is not None:
        return False
    own = {a.person: a.at for a in sorted(asked.answers, key=lambda a: a.at)}
    if set(active) - own.keys():
        return True
    if len(active) > 1:
        return False
    alone = active or own.keys()  # where all have left, the first to come back is alone
    return any(own[person] <= now - AGAIN_AFTER for person in alone)


def compete(
    picks: Sequence[Pick],
    values: Mapping[int, float],
    doubted: Sequence[Doubtful],
    seconds: ArrayLike,
    most: int,
) -> list[Pick]:
    """The picks, where at most `most` of the day's least worthy gave way to asking again.

    `values` are nats a second of what was picked, by context; `seconds` what each of the
    `doubted` costs. What gave way is a spare; the score of what is asked again is what
    the model gives the present answer.
    """
    worth = per_second([d.gain for d in doubted], seconds)
    best = sorted(zip(worth, doubted, strict=True), key=lambda w: (-w[0], w[1].context.id))
    day = [i for i, p in enumerate(picks) if not p.spare and p.partition is Partition.TRAINING]
    day.sort(key=lambda i: values.get(picks[i].context.id, np.inf))
    placed, gave_way = list(picks), []
    for place, (value, again) in zip(day[:most], best, strict=False):
        if value <= values.get(picks[place].context.id, np.inf):
            break
        gave_way.append(replace(picks[place], spare=True))
        placed[place] = Pick(again.context, Partition.TRAINING, STRATEGY, again.p, again=True)
    after = next((i for i, p in enumerate(placed) if p.spare), len(placed))
    return [*placed[:after], *gave_way, *placed[after:]]
