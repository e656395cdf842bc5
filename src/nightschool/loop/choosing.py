"""Tomorrow's queue: what the strategy chose, and random draws from the exam partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from nightschool.types import Blocks, Context, Partition, Pick, Picks, Strategy, uniform


class Observer(Protocol):
    """Whoever sees contexts as arrays: a learner."""

    def observe(
        self, contexts: Sequence[Context], *, asked: Sequence[Context] = (), seed: int
    ) -> Blocks:
        """The contexts as blocks of arrays."""


@dataclass(frozen=True)
class Budget:
    """How many questions a day, and which share of them is drawn from the exam partition.

    `early_share` holds until the bank has `bank_target` items, `late_share` from then on. For
    each question that the strategy chooses it names `candidates` contexts: those beyond the day
    are spare, and the day's answers may move them up.
    """

    questions: int = 40
    early_share: float = 0.25
    late_share: float = 0.1
    bank_target: int = 100
    candidates: int = 1


def exam_share(budget: Budget, bank: int) -> float:
    """The share of exam questions for a bank of that size, in [0, 1]."""
    return budget.early_share if bank < budget.bank_target else budget.late_share


def exam_questions(budget: Budget, bank: int, key: int) -> int:
    """How many of a day's questions come from the exam partition.

    The share's fraction of a question is drawn by the key, so a small day asks some as well.
    """
    whole, rest = divmod(budget.questions * exam_share(budget, bank), 1)
    return int(whole) + int(uniform([budget.questions], key)[0] < rest)


def at_random(contexts: Sequence[Context], n: int, key: int) -> list[Context]:
    """At most n of the contexts, drawn by keyed ids: the order of the pool does not matter."""
    draws = uniform([c.id for c in contexts], key)
    ids = np.array([c.id for c in contexts], dtype=np.uint64)
    return [contexts[i] for i in np.lexsort((ids, draws))[:n]]


def choose_questions(
    learner: Observer,
    strategy: Strategy,
    name: str,
    *,
    pool: Sequence[Context],
    exam_pool: Sequence[Context],
    asked: Sequence[Context],
    bank: int,
    budget: Budget,
    key: int,
) -> list[Pick]:
    """Picks for one day: exam draws spread evenly among the strategy's choices; spares last.

    `pool` and `exam_pool` are what tonight looks at, already drawn from the whole.

    Where one partition runs dry the other fills its place, so that a person always finds
    questions while there are any.
    """
    wanted = exam_questions(budget, bank, key)
    drawn = at_random(exam_pool, max(wanted, budget.questions - len(pool)), key)
    chosen: list[Pick] = []
    spare: list[Pick] = []
    if pool and budget.questions > len(drawn):
        blocks = learner.observe(pool, asked=asked, seed=key)
        day = budget.questions - len(drawn)
        chosen = _picks(pool, strategy.choose(blocks, day, key), name)
        if budget.candidates > 1:
            # Chosen apart: a strategy that shares a batch out would share a larger one otherwise.
            more = _picks(pool, strategy.choose(blocks, budget.candidates * day, key), name)
            ids = {pick.context.id for pick in chosen}
            spare = [replace(pick, spare=True) for pick in more if pick.context.id not in ids]
            spare = spare[: (budget.candidates - 1) * day]
    exam = [Pick(c, Partition.EXAM, "random", 0.0) for c in drawn]
    return [*interleave(chosen, exam), *spare]


def _picks(pool: Sequence[Context], picks: Picks, name: str) -> list[Pick]:
    return [
        Pick(pool[i], Partition.TRAINING, name, float(s))
        for i, s in zip(picks.index, picks.scores, strict=True)
    ]


def draw_questions(
    pool: Sequence[Context],
    exam_pool: Sequence[Context],
    *,
    bank: int,
    budget: Budget,
    key: int,
    ready: Sequence[Pick] = (),
) -> list[Pick]:
    """Picks without looking at a model, for a queue that ran dry: nobody waits for the model.

    What is `ready` comes first, best first; the rest are random draws.
    """
    wanted = exam_questions(budget, bank, key)
    room = budget.questions - len(pool) - len(ready)
    drawn = at_random(exam_pool, max(wanted, room), key)
    day = budget.questions - len(drawn)
    first = [replace(pick, spare=False) for pick in ready[:day]]
    ids = {pick.context.id for pick in first}
    left = [context for context in pool if context.id not in ids]
    chosen = [
        Pick(c, Partition.TRAINING, "random", 0.0)
        for c in at_random(left, day - len(first), key + 1)
    ]
    exam = [Pick(c, Partition.EXAM, "random", 0.0) for c in drawn]
    return interleave([*first, *chosen], exam)


@dataclass(frozen=True)
class Overlap:
    """Which share of the questions is asked of how many people, so that their answers compare."""

    share: float = 0.0
    people: int = 2


def overlapping(picks: Sequence[Pick], overlap: Overlap, key: int) -> list[Pick]:
    """The picks, of which a share drawn by keyed ids is wanted from several people.

    One that checks a former answer is asked once: it has that answer to compare with.
    """
    draws = uniform([pick.context.id for pick in picks], key)
    return [
        replace(pick, wanted=overlap.people) if draw < overlap.share and not pick.again else pick
        for pick, draw in zip(picks, draws, strict=True)
    ]


def interleave(many: Sequence[Pick], few: Sequence[Pick]) -> list[Pick]:
    """Both lists in their own order, the second spread evenly through the first."""
    placed = [((i + 0.5) / len(many), 0, p) for i, p in enumerate(many)]
    placed += [((i + 0.5) / len(few), 1, p) for i, p in enumerate(few)]
    return [p for *_, p in sorted(placed, key=lambda entry: entry[:2])]
