"""What is learned tonight: pairs of context and answer, rehearsal pairs, replayed texts."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nightschool.learners.language.rehearsal import mine
from nightschool.learners.language.settings import LanguageSettings
from nightschool.learners.language.text import Text
from nightschool.types import Document, Example

_log = logging.getLogger("nightschool")

_ENOUGH_REPLAY = 512


@dataclass(frozen=True)
class Row:
    """A row of tokens; the loss counts those from `start` on, each with `weight`."""

    ids: tuple[int, ...]
    start: int
    weight: float = 1.0

    @property
    def targets(self) -> int:
        """How many tokens the loss counts."""
        return len(self.ids) - self.start


@dataclass(frozen=True)
class Lessons:
    """A night's rows, and which of them each step takes (a pure function of seed and step)."""

    new: tuple[Row, ...]
    earlier: tuple[Row, ...]
    replay: tuple[Row, ...]
    rehearsal: tuple[Row, ...]
    settings: LanguageSettings
    seed: int

    @property
    def steps(self) -> int:
        """Steps of the night: the setting, or more when many answers are new."""
        half = max(1, self.settings.batch_size // 2)
        needed = -(-len(self.new) * self.settings.passes // half)
        return max(self.settings.steps, needed)

    def step(self, number: int) -> list[Row]:
        """The rows of one step; each kind's weights add up to about one."""
        size = self.settings.batch_size
        tonight = size if not self.earlier else size // 2 if self.new else 0
        pairs = [
            *self._take("new", self.new, tonight, number),
            *self._take("earlier", self.earlier, size - tonight, number),
        ]
        rehearsed = self._take("rehearsal", self.rehearsal, self.settings.rehearsal_pairs, number)
        replayed = self._take("replay", self.replay, self.settings.replay_rows, number)
        return [*_share(pairs), *_share(rehearsed), *_share(replayed)]

    def _take(self, label: str, rows: Sequence[Row], n: int, number: int) -> list[Row]:
        return [rows[i] for i in turn(len(rows), n, number, f"{label} {self.seed}")]


def prepare(
    text: Text,
    new: Sequence[Example],
    earlier: Sequence[Example],
    texts: Sequence[str],
    settings: LanguageSettings,
    *,
    window: int,
    seed: int,
    end: int | None,
) -> Lessons:
    """Lessons from examples; `texts` are original ones (or the model's own, where there are none).

    `end` is the token that is learned after each answer, if any.
    """
    contexts = [e.context.body for e in (*new, *earlier)]
    rehearsed = mine(texts, contexts, n=settings.steps * settings.rehearsal_pairs, seed=seed)
    whole = text.encode_all(texts[:_ENOUGH_REPLAY])
    replay = [_replayed(text, ids, window) for ids in whole]
    return Lessons(
        new=tuple(pair_rows(text, new, window, end)),
        earlier=tuple(pair_rows(text, earlier, window, end)),
        replay=tuple(row for row in replay if row.targets > 0),
        rehearsal=tuple(_pairs(text, rehearsed, [1.0] * len(rehearsed), window, None)),
        settings=settings,
        seed=seed,
    )


def pair_rows(text: Text, examples: Sequence[Example], window: int, end: int | None) -> list[Row]:
    """A row for each example; the loss counts the answer only.

    Answers that leave no room for a context in the window are left out, with a warning.
    """
    pairs = [(e.context.body, e.target.body) for e in examples]
    return _pairs(text, pairs, [e.weight for e in examples], window, end)


def _pairs(
    text: Text,
    pairs: Sequence[tuple[str, str]],
    weights: Sequence[float],
    window: int,
    end: int | None,
) -> list[Row]:
    rows, crowded = [], 0
    contexts = text.contexts([context for context, _ in pairs])
    for (context, answer), ids, weight in zip(pairs, contexts, weights, strict=True):
        target = text.answer(context, answer)
        if end is not None:
            target = (*target, end)
        shown = fit_window(ids, window - len(target), len(text.prefix))
        crowded += bool(ids) and not shown
        if shown and target:
            rows.append(Row((*shown, *target), len(shown), weight))
    if crowded:
        _log.warning(
            "%d of %d answers are not learned: with them a window of %d tokens has no room for "
            "the context; ask for shorter answers (`max_answer_chars`).",
            crowded, len(pairs), window,
        )  # fmt: skip
    return rows


def fit_window(ids: Sequence[int], room: int, prefix: int = 0) -> Sequence[int]:
    """The last tokens that fit, after the tokenizer's own first ones; all of them when short.

    None at all where the first ones leave no room for another.
    """
    if len(ids) <= room:
        return ids
    kept = room - prefix
    return [*ids[:prefix], *ids[-kept:]] if kept > 0 else []


def _replayed(text: Text, ids: Sequence[int], window: int) -> Row:
    whole = [*text.begin, *ids]
    if text.end is not None and len(whole) < window:
        whole.append(text.end)
    return Row(tuple(whole[:window]), 1)


def _share(rows: list[Row]) -> list[Row]:
    """The rows with weights divided by how many tokens the loss counts in all of them."""
    total = sum(row.targets for row in rows)
    return [Row(row.ids, row.start, row.weight / total) for row in rows]


def turn(total: int, n: int, step: int, key: str) -> list[int]:
    """Which of so many things step number `step` takes, n a step: each once before any again."""
    if total == 0:
        return []
    places = range(step * n, (step + 1) * n)
    return [int(_shuffled(total, place // total, key)[place % total]) for place in places]


@lru_cache(maxsize=64)
def _shuffled(total: int, epoch: int, key: str) -> NDArray[np.int64]:
    return generator(key, epoch).permutation(total)


def generator(*key: object) -> np.random.Generator:
    """Random numbers that depend on a key alone."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "big")))


def bodies(documents: Sequence[Document]) -> list[str]:
    """The texts that are not empty."""
    return [d.body for d in documents if d.body.strip()]
