"""Marks and predictions: how probable an accepted answer is, and what the model would say.

A mark is the probability that the model's text goes on with an accepted answer as whole words:
the product over the answer's tokens, times the chance that the next token does not make the last
word longer (" four" is not " fourteen"). What follows after the answer is not held against it,
for a story goes on (" four apples.").
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nightschool.learners.language.body import Body, batches
from nightschool.learners.language.lessons import fit_window
from nightschool.learners.language.text import Text, ends_in_word
from nightschool.types import ExamItem

TOKENS_AT_ONCE = 4096
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|(?<=[。！？])")


@dataclass(frozen=True)
class Habits:
    """How long answers were at the last lesson: 95 of 100 have at most so many words and tokens.

    `ends` says that the end of an answer was learned too (when answers have several tokens).
    """

    words: int = 1
    tokens: int = 1
    ends: bool = False

    @classmethod
    def of(cls, text: Text, pairs: Iterable[tuple[str, str]], most: int) -> Habits:
        """The habits of some (context, answer) pairs; at most so many tokens."""
        spelled = [(len(a.split()), len(text.answer(c, a))) for c, a in pairs]
        if not spelled:
            return cls()
        words, tokens = np.quantile(np.asarray(spelled), 0.95, axis=0, method="inverted_cdf")
        tokens = min(max(1, int(tokens)), most)
        return cls(max(1, int(words)), tokens, ends=tokens > 1 and text.end is not None)


@dataclass(frozen=True)
class _Way:
    """One way in which an item can be answered rightly."""

    item: int
    ids: tuple[int, ...]
    start: int
    whole_word: bool


def mark(body: Body, text: Text, items: Sequence[ExamItem], window: int) -> list[float]:
    """The probability of the accepted answers of each item, in [0, 1]."""
    ways = list(_ways(text, items, window))
    goes_on = torch.from_numpy(text.goes_on).to(body.device)
    marks = [0.0] * len(items)
    for batch in batches([len(way.ids) for way in ways], TOKENS_AT_ONCE):
        chosen = [ways[i] for i in batch]
        for way, probability in zip(chosen, _probabilities(body, chosen, goes_on), strict=True):
            marks[way.item] += probability
    return [min(1.0, max(0.0, value)) for value in marks]


def _probabilities(body: Body, ways: Sequence[_Way], goes_on: torch.Tensor) -> Iterator[float]:
    wanted = [range(way.start - 1, len(way.ids) - (not way.whole_word)) for way in ways]
    with torch.no_grad():
        logs = body.logits([way.ids for way in ways], wanted)[0].log_softmax(-1)
    at = 0
    for way in ways:
        answer = torch.tensor(way.ids[way.start :], device=logs.device)
        n = len(answer)
        total = logs[at : at + n].gather(1, answer[:, None]).double().sum().exp()
        at += n
        if way.whole_word:
            total = total * (1.0 - logs[at][goes_on].double().exp().sum())
            at += 1
        yield float(total)


def _ways(text: Text, items: Sequence[ExamItem], window: int) -> Iterator[_Way]:
    contexts = text.contexts([item.context.body for item in items])
    for i, (item, ids) in enumerate(zip(items, contexts, strict=True)):
        spelled: dict[tuple[int, ...], bool] = {}
        for accepted in item.accepted:
            answer = text.answer(item.context.body, accepted.body)
            spelled.setdefault(answer, ends_in_word(accepted.body))
        for answer, whole in spelled.items():
            if any(_begins_with(text, answer, other) for other in spelled if other != answer):
                continue
            shown = fit_window(ids, window - len(answer), len(text.prefix))
            if shown and answer:
                yield _Way(i, (*shown, *answer), len(shown), whole)


def _begins_with(text: Text, answer: Sequence[int], other: Sequence[int]) -> bool:
    """Whether the shorter answer's event already holds the longer one ("New" and "New York")."""
    longer = len(answer) > len(other) and tuple(answer[: len(other)]) == tuple(other)
    return longer and not text.goes_on[answer[len(other)]]


def predict(
    body: Body, text: Text, contexts: Sequence[str], habits: Habits, window: int, most: int
) -> list[str]:
    """The greedy answer to each context.

    Ends at an end token or a line's end, before it has more words than answers have, after a
    sentence (unless the end was learned), or at the most tokens.
    """
    room = window - most
    rows = [fit_window(ids, room, len(text.prefix)) for ids in text.contexts(contexts)]
    answers = [""] * len(rows)
    for batch in same_length([len(row) for row in rows], TOKENS_AT_ONCE):
        said = _greedy(body, text, [list(rows[i]) for i in batch], habits, most)
        for i, words in zip(batch, said, strict=True):
            answers[i] = words.strip().rstrip(".,;:!?" if not habits.ends else "")
    return answers


def same_length(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Positions in batches of exactly equal lengths, at most so many tokens each."""
    groups: dict[int, list[int]] = defaultdict(list)
    for i, length in enumerate(lengths):
        if length > 0:
            groups[length].append(i)
    for length, group in sorted(groups.items()):
        size = max(1, tokens // length)
        for at in range(0, len(group), size):
            yield group[at : at + size]


def _greedy(body: Body, text: Text, rows: list[list[int]], habits: Habits, most: int) -> list[str]:
    ids = torch.tensor(rows, device=body.device)
    said: list[list[int]] = [[] for _ in rows]
    done: NDArray[np.bool_] = np.zeros(len(rows), dtype=bool)
    cache: Any = None
    for _ in range(most):
        logits, cache = body.step(ids, cache)
        best = logits.argmax(-1)
        for i, token in enumerate(best.tolist()):
            if not done[i]:
                done[i] = _ended(text, rows[i], said[i], token, habits)
        if done.all():
            break
        ids = best[:, None]
    return [_within(text.decode(s, rows[i][-8:]), habits) for i, s in enumerate(said)]


def _ended(text: Text, row: list[int], said: list[int], token: int, habits: Habits) -> bool:
    """Add a token to what was said, unless the answer ended before it."""
    if text.is_end[token]:
        return True
    said.append(token)
    words = text.decode(said, row[-8:])
    return len(words.split()) > habits.words or len(_within(words, habits)) < len(words.rstrip())


def _within(words: str, habits: Habits) -> str:
    """As much of what was said as belongs to the answer."""
    kept = re.match(r"\s*\S*" + r"\s+\S+" * (habits.words - 1), words)
    words = kept[0] if kept else words.rstrip()
    return words if habits.ends else _SENTENCE_END.split(words.lstrip(), maxsplit=1)[0]
