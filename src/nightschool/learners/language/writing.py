"""Writing: completions piece by piece, and whole texts drawn from the model itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from nightschool.learners.language.body import Body
from nightschool.learners.language.lessons import generator
from nightschool.learners.language.text import Text
from nightschool.types import LearnerError
from nightschool.types.serving import Prompt

_AT_ONCE = 64
_TAIL = 8
BROKEN = "�"


def complete(
    body: Body,
    text: Text,
    prompt: Prompt,
    *,
    max_tokens: int,
    temperature: float,
    seed: int,
    stop: Sequence[str],
    window: int,
) -> Iterator[str]:
    """Pieces of text that continue the prompt, never half a character, never past a stop string.

    The prompt is taken as it is, spaces at the end included. Raises LearnerError when it leaves
    no room in the model's window.
    """
    ids = read(body, text, prompt) or text.begin
    check_room(len(ids), 1, window)
    drawn = draw(body, ids, min(max_tokens, window - len(ids)), temperature, seed)
    tokens = takewhile(lambda token: token not in text.stops, drawn)
    return _until(_pieces(text, ids, tokens), [s for s in stop if s])


def read(body: Body, text: Text, prompt: Prompt) -> list[int]:
    """The tokens of a prompt; a prompt in tokens is taken as it is."""
    if isinstance(prompt, str):
        return [*text.prefix, *text.encode(prompt)]
    if wrong := [t for t in prompt if not 0 <= t < body.vocabulary]:
        raise LearnerError(f"There is no token {wrong[0]}; the model has {body.vocabulary}.")
    return list(prompt)


def check_room(shown: int, wanted: int, window: int) -> None:
    """Raise LearnerError for a prompt that leaves no room for so many more tokens."""
    if shown + wanted > window:
        raise LearnerError(
            f"The prompt has {shown} tokens, the model reads {window}; shorten the prompt."
        )


def draw(body: Body, ids: list[int], n: int, temperature: float, seed: int) -> Iterator[int]:
    """Up to n tokens after others, end marks among them; the caller stops at one."""
    rng = generator("complete", seed)
    shown = torch.tensor([ids], device=body.device)
    cache: Any = None
    for _ in range(n):
        logits, cache = body.step(shown, cache)
        token = _draw(logits.cpu().numpy().astype(np.float64), temperature, rng)[0]
        yield token
        shown = torch.tensor([[token]], device=body.device)


def _draw(logits: Any, temperature: float, rng: np.random.Generator) -> list[int]:
    """A token for each row of logits (n, V); the most probable one at temperature 0."""
    if temperature <= 0:
        return [int(i) for i in logits.argmax(-1)]
    scaled = logits / temperature
    odds = np.exp(scaled - scaled.max(-1, keepdims=True)).cumsum(-1)
    drawn = rng.random((len(odds), 1)) * odds[:, -1:]
    return [int(i) for i in np.minimum((odds <= drawn).sum(-1), odds.shape[1] - 1)]


def _pieces(text: Text, before: list[int], tokens: Iterator[int]) -> Iterator[str]:
    """What each token adds to the text; a character of several tokens comes when it is whole."""
    after, waiting, given = before[-_TAIL:], [], ""
    for token in tokens:
        waiting.append(token)
        whole = text.decode(waiting, after)
        if whole.endswith(BROKEN) and len(waiting) < 64:
            continue
        if len(whole) > len(given):
            yield whole[len(given) :]
        given = whole
        if len(waiting) > 4 * _TAIL:
            # Old tokens are let go, so that a long text is not decoded again for each token.
            after, waiting, given = waiting[-_TAIL:], [], ""
    if waiting and len(rest := text.decode(waiting, after)) > len(given):
        yield rest[len(given) :]


def _until(pieces: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """The pieces up to the first stop string; what may begin one is held back."""
    held = ""
    for piece in pieces:
        held += piece
        at = min((i for s in stop if (i := held.find(s)) >= 0), default=-1)
        if at >= 0:
            if at:
                yield held[:at]
            return
        keep = max((n for s in stop for n in range(1, len(s)) if held.endswith(s[:n])), default=0)
        ready, held = held[: len(held) - keep], held[len(held) - keep :]
        if ready:
            yield ready
    if held:
        yield held


def sample(body: Body, text: Text, n: int, *, seed: int, longest: int) -> list[str]:
    """n texts that the model writes from nothing, at temperature 1."""
    rng = generator("sample", seed)
    written: list[str] = []
    while len(written) < n:
        size = min(_AT_ONCE, n - len(written))
        start = text.begin
        ids = torch.tensor([start] * size, device=body.device)
        said: list[list[int]] = [[] for _ in range(size)]
        going, cache = [True] * size, None
        for _ in range(longest):
            logits, cache = body.step(ids, cache)
            drawn = _draw(logits.cpu().numpy().astype(np.float64), 1.0, rng)
            for i, token in enumerate(drawn):
                going[i] = going[i] and token not in text.stops
                if going[i]:
                    said[i].append(token)
            if not any(going):
                break
            ids = torch.tensor(drawn, device=body.device)[:, None]
        written += [text.decode(tokens, start).strip() for tokens in said]
    return written
