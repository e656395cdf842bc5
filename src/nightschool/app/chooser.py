"""How a night chooses: what the log foretells, asking again, and spares that answers re-rank."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nightschool.app import again
from nightschool.app.config import Config
from nightschool.app.foresight import Foreseen, Foresight, Ready, extended
from nightschool.app.leases import overlap_of
from nightschool.app.requeue import with_priors
from nightschool.app.shortlist import Shortlist, gathered
from nightschool.loop import Budget, choose_questions, overlapping
from nightschool.strategies.value import per_second, timed, told
from nightschool.types import (
    TEXT,
    AnsweredQuestion,
    Blocks,
    Context,
    Learner,
    Night,
    Partition,
    Pick,
    Question,
    Strategy,
    uniform,
)

LISTED = 256
"""Contexts asked before, the newest, that a shortlist holds: re-ranking takes milliseconds.

Twice as many where a head over labels is fitted on them.
"""

BASELINE = "random"
"""The strategy that stays what it is: nothing is foreseen, asked again or re-ranked for it."""


@dataclass(frozen=True)
class Chooser:
    """What a school needs to choose tomorrow's questions.

    `question` finds one by its id; `active` tells who answered anything lately, by the present.
    """

    folder: Path
    config: Config
    kind: str
    budget: Budget
    strategy: Strategy
    question: Callable[[str], Question]
    active: Callable[[float], Collection[str]]

    def choose(
        self,
        night: Night,
        learner: Learner,
        pool: Sequence[Context],
        asked: Sequence[Context],
        bank: int,
        now: float,
    ) -> Sequence[Pick]:
        """Tomorrow's picks; where there are spares, a shortlist is left beside the queue."""
        plain = self.config.strategy == BASELINE
        answered = night.answers(Partition.TRAINING)
        observed = learner.observe(pool, asked=asked, seed=night.seed)
        foresight = Foresight(answered, timed=self.config.per_second and not plain)
        blocks = observed if plain else Foreseen(observed, foresight, pool, asked)
        picks = choose_questions(
            Ready(blocks),
            self.strategy if plain else timed(self.strategy),
            self.config.strategy,
            pool=pool,
            exam_pool=night.pool(Partition.EXAM, self.config.questions, night.seed),
            asked=asked,
            bank=bank,
            budget=self._budget(plain),
            key=night.seed,
        )
        if not plain:
            picks = self._ask_again(picks, blocks, learner, foresight, night.seed, now)
        # What the model wrote is asked today or forgotten: it would fill the pool.
        picks = [p for p in picks if not (p.spare and p.context.source == "written")]
        if self._budget(plain).candidates > 1:
            self._list(picks, blocks, learner, asked, answered, night)
        return overlapping(picks, overlap_of(self.config), night.seed + 2)

    def _budget(self, plain: bool) -> Budget:
        """The day's budget; without spares where nothing re-ranks them."""
        listed = self.kind == TEXT and not plain
        return self.budget if listed else replace(self.budget, candidates=1)

    def _ask_again(
        self,
        picks: list[Pick],
        blocks: Blocks,
        learner: Learner,
        foresight: Foresight,
        key: int,
        now: float,
    ) -> list[Pick]:
        """The picks, where some gave way to checking a former answer, if that tells more."""
        whole, rest = divmod(self.config.ask_again * self.config.questions, 1)
        most = int(whole) + int(uniform([self.config.questions], key + 1)[0] < rest)
        # An oracle that answers by itself says the same again.
        if not most or self.kind != TEXT or self.config.oracle:
            return picks
        people = self.active(now)
        doubted = again.doubtful(learner, foresight.answered, now, self.question, people)
        if not doubted:
            return picks
        ids = [p.context.id for p in picks if p.partition is Partition.TRAINING and not p.spare]
        seen = gathered(blocks, ids)
        if seen is None or not seen.has("probs"):
            return picks
        worth = told(seen)
        if seen.has("seconds"):
            worth = per_second(worth, seen.seconds)
        values = {int(name): float(value) for name, value in zip(seen.ids, worth, strict=True)}
        seconds = foresight.seconds([d.context for d in doubted])
        found = again.compete(picks, values, doubted, seconds, most)
        kept = self.budget.candidates > 1
        return [pick for pick in found if kept or not pick.spare]

    def _list(
        self,
        picks: Sequence[Pick],
        blocks: Blocks,
        learner: Learner,
        asked: Sequence[Context],
        answered: Sequence[AnsweredQuestion],
        night: Night,
    ) -> None:
        chosen = [p for p in picks if p.partition is Partition.TRAINING and not p.again]
        seen = gathered(blocks, [p.context.id for p in chosen])
        if seen is None or not seen.has("embeddings"):
            return
        order = {int(name): i for i, name in enumerate(seen.ids)}
        contexts = sorted((p.context for p in chosen), key=lambda c: order[c.id])
        labels = tuple(getattr(learner, "labels", ()))
        many = 2 * LISTED if labels else LISTED
        if seen.has("asked"):
            seen = extended(seen, asked=seen.asked[-many:])
        listed = Shortlist(
            night=night.number,
            strategy=self.config.strategy,
            key=night.seed,
            seen=seen,
            expected=[document.body for document in learner.predict(contexts)],
            said=_said(asked[-many:], answered),
            labels=labels,
        )
        with_priors(listed).write(self.folder)


def _said(asked: Sequence[Context], answered: Sequence[AnsweredQuestion]) -> Sequence[str | None]:
    """The newest reply to each context: its text, "" where it was declined, None if unknown."""
    newest = {a.question.context.id: a.answers[-1] for a in answered}
    found: list[str | None] = []
    for context in asked:
        reply = newest.get(context.id)
        text = reply.document.body if reply is not None and reply.document is not None else ""
        found.append(None if reply is None else text)
    return found
