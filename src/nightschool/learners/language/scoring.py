"""How probable a text is, token by token: what evaluation harnesses ask a server for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from nightschool.learners.language import writing
from nightschool.learners.language.body import Body
from nightschool.learners.language.text import Text
from nightschool.types import LearnerError
from nightschool.types.serving import Prompt, Scored, ScoredToken

_NUMBERS = 1 << 26
"""Logits that are held at once: 256 MiB of them, whatever the vocabulary."""

_TAIL = 8
_LONGEST_CHARACTER = 8


def score(
    body: Body,
    text: Text,
    prompt: Prompt,
    *,
    max_tokens: int,
    temperature: float,
    seed: int,
    top: int,
    window: int,
) -> Scored:
    """The tokens of a prompt and of what is written after it, each with its log probability.

    What a tokenizer puts before every text is read but not told. Probabilities are the model's
    own, whatever the temperature at which tokens are drawn. An end mark is among the written
    tokens, so that a client that asked for one token always finds one.
    """
    shown = writing.read(body, text, prompt)
    hidden = len(text.prefix) if isinstance(prompt, str) else 0
    if not shown:
        shown, hidden = text.begin, len(text.begin)
    writing.check_room(len(shown), min(max_tokens, 1), window)
    written, ended = [], False
    for token in writing.draw(body, shown, min(max_tokens, window - len(shown)), temperature, seed):
        written.append(token)
        ended = token in text.stops
        if ended:
            break
    told = list(_scored(body, text, [*shown, *written], hidden, top))
    asked = len(shown) - hidden
    return Scored(tuple(told[:asked]), tuple(told[asked:]), ended)


def _scored(body: Body, text: Text, ids: list[int], hidden: int, top: int) -> Iterator[ScoredToken]:
    """The tokens after the first `hidden` ones; a text's own first token has no probability."""
    speller = _Speller(text, ids[:hidden])
    first = hidden
    if ids[first:] and first == 0:
        yield ScoredToken(*speller.say(ids[0]), None)
        first = 1
    size = max(1, _NUMBERS // body.vocabulary)
    for begin in range(first, len(ids), size):
        end = min(begin + size, len(ids))
        with torch.no_grad():
            logs = body.logits([ids[:end]], [range(begin - 1, end - 1)])[0].log_softmax(-1)
        if not torch.isfinite(logs.max(-1).values).all():
            raise LearnerError("The model's probabilities are not numbers; it cannot be asked.")
        for at, row in zip(range(begin, end), logs, strict=True):
            yield _token(speller, ids[at], row, top)


def _token(speller: _Speller, token: int, row: Tensor, top: int) -> ScoredToken:
    values, best = row.topk(min(max(top, 1), len(row)))
    names: dict[str, float] = {}
    for other, value in zip(best.tolist()[:top], values.tolist()[:top], strict=True):
        names.setdefault(speller.name(other), value)
    own = float(row[token])
    said, name = speller.say(token)
    names[name] = max(own, names.get(name, own))
    return ScoredToken(said, name, own, names)


class _Speller:
    """Spells one token after the other, each as it reads after those before it."""

    def __init__(self, text: Text, before: Sequence[int]) -> None:
        self._text = text
        self._after = list(before[-_TAIL:])
        self._waiting: list[int] = []

    def say(self, token: int) -> tuple[str, str]:
        """What the token adds to the text, and its name; half a character adds nothing yet."""
        piece = self._piece(token)
        if piece.endswith(writing.BROKEN) and len(self._waiting) < _LONGEST_CHARACTER:
            self._waiting.append(token)
            return "", self._text.name(token)
        self._after = [*self._after, *self._waiting, token][-_TAIL:]
        self._waiting = []
        return piece, piece or self._text.name(token)

    def name(self, token: int) -> str:
        """What the token would be called, if it came next."""
        piece = self._piece(token)
        return self._text.name(token) if not piece or piece.endswith(writing.BROKEN) else piece

    def _piece(self, token: int) -> str:
        return self._text.decode([*self._waiting, token], self._after)
