"""What the log tells of a question before it is asked: its seconds, and if it has an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightschool import heads
from nightschool.app.pace import Pace, learn_pace
from nightschool.strategies.batch import finite
from nightschool.types import (
    AnsweredQuestion,
    Blocks,
    Context,
    Floats,
    Observation,
    Reply,
)

FEW = 8
"""Vectors from which a mean is taken."""

DECLINED = frozenset({Reply.SKIP, Reply.CANT_TELL, Reply.BAD_QUESTION})


@dataclass(frozen=True)
class Foresight:
    """Replies to training contexts, and what follows from them; exam replies never come here."""

    answered: Sequence[AnsweredQuestion]
    timed: bool = True

    def seconds(self, contexts: Sequence[Context]) -> NDArray[np.float32]:
        """Expected seconds (n,) of each; 1 for each where gains are not to be `timed`."""
        if not self.timed:
            return np.ones(len(contexts), np.float32)
        return self.pace.seconds(contexts)

    @cached_property
    def pace(self) -> Pace:
        """How long questions take."""
        return learn_pace(self.answered)

    @cached_property
    def had_answer(self) -> dict[int, bool]:
        """By context, whether at least half of the replies were answers."""
        return {a.question.context.id: has_answer(a) for a in self.answered}

    def head(self, asked: Sequence[Context], embeddings: Floats) -> heads.Head | None:
        """A light head for "a person can answer this"; None while nobody has declined.

        `embeddings` (a, d) are those of `asked`, in its order.
        """
        known = [i for i, c in enumerate(asked) if c.id in self.had_answer]
        y = np.array([self.had_answer[asked[i].id] for i in known], np.int64)
        if len(embeddings) != len(asked) or not len(y) or y.all():
            return None
        return heads.fit(centred(embeddings[known], embeddings), y, 2)


def has_answer(answered: AnsweredQuestion) -> bool:
    """Whether at least half of the people's latest replies were answers."""
    latest = {a.person: a.reply for a in answered.answers}.values()
    return 2 * sum(reply in DECLINED for reply in latest) <= len(latest)


class Foreseen:
    """Blocks with `seconds` and, where the learner gives embeddings, `answerable` added."""

    def __init__(
        self,
        blocks: Blocks,
        foresight: Foresight,
        contexts: Sequence[Context],
        asked: Sequence[Context],
    ) -> None:
        self._blocks = blocks
        self._foresight = foresight
        self._contexts = contexts
        self._asked = asked
        self._fitted: tuple[heads.Head | None] | None = None

    def __iter__(self) -> Iterator[Observation]:
        return map(self._with_more, self._blocks)

    def _with_more(self, block: Observation) -> Observation:
        told: dict[str, Any] = {}
        if self._foresight.timed:
            told["seconds"] = np.array([self._seconds[int(i)] for i in block.ids], np.float32)
        head = self._head(block)
        if head is not None:
            x = centred(block.embeddings, block.asked)
            told["answerable"] = head.probs(x)[:, 1].astype(np.float32)
        return extended(block, **told)

    @cached_property
    def _seconds(self) -> dict[int, float]:
        seconds = self._foresight.seconds(self._contexts)
        return {c.id: float(s) for c, s in zip(self._contexts, seconds, strict=True)}

    def _head(self, block: Observation) -> heads.Head | None:
        # Fitted when the first block is there: what was asked comes with it.
        if self._fitted is None:
            fits = block.has("embeddings") and block.has("asked")
            self._fitted = (self._foresight.head(self._asked, block.asked) if fits else None,)
        return self._fitted[0]


@dataclass(frozen=True)
class Ready:
    """What a learner has observed already, for whoever asks it to observe."""

    blocks: Blocks

    def observe(
        self, contexts: Sequence[Context], *, asked: Sequence[Context] = (), seed: int
    ) -> Blocks:
        """The same blocks, whatever is asked."""
        return self.blocks


def extended(observation: Observation, **more: NDArray[Any]) -> Observation:
    """The observation with further fields."""
    names = [f.name for f in fields(observation) if f.name != "ids" and observation.has(f.name)]
    given = {name: getattr(observation, name) for name in names}
    return Observation(observation.ids, **{**given, **more})


def centred(embeddings: Floats, around: Floats) -> Floats:
    """Embeddings about the mean of others, and as long as those are on the average.

    What all of a learner's vectors share says nothing, and few replies would be spent on it.
    Fewer than `FEW` others have no mean worth the name: nothing is moved.
    """
    base = finite(around)
    if len(base) < FEW:
        return finite(embeddings)
    mean = base.mean(axis=0)
    usual = float(np.sqrt(((base - mean) ** 2).sum(axis=1).mean()))
    moved: Floats = ((finite(embeddings) - mean) / max(usual, 1e-6)).astype(np.float32)
    return moved
