"""What a learner may offer beside completing texts, each by a Protocol of its own.

The server looks for the method: a learner that lacks it is served without that part of the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Prompt = str | Sequence[int]
"""A text, or the model's own tokens as they are."""

Message = Mapping[str, str]
"""One turn of a chat: its `role` (system, user or assistant) and its `content`."""


@dataclass(frozen=True)
class ScoredToken:
    """One token and how probable it was after all before it.

    `text` is what it adds to the text, `name` how it is called (the same, unless it adds nothing
    of its own: half a character, an end mark). `logprob` is in nats, None for a text's first
    token; `top` holds the most probable tokens of the place by name, the token itself among them.
    """

    text: str
    name: str
    logprob: float | None
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """A prompt and what the model wrote after it, token by token; `ended` by an end mark."""

    prompt: Sequence[ScoredToken]
    written: Sequence[ScoredToken]
    ended: bool = False


class Scorer(Protocol):
    """A learner that says how probable a text is, and whose tokens may be sent as numbers."""

    def spell(self, tokens: Sequence[int]) -> str:
        """The text of some tokens."""

    def score(
        self, prompt: Prompt, *, max_tokens: int, temperature: float, seed: int, top: int
    ) -> Scored:
        """The prompt and up to max_tokens written ones; raises LearnerError for a bad prompt."""


class Counter(Protocol):
    """A learner that counts tokens."""

    def count(self, prompt: Prompt) -> int:
        """How many tokens the model reads for this prompt."""


class Chatter(Protocol):
    """A learner whose tokenizer may know how a chat is written down."""

    def chat(self, messages: Sequence[Message]) -> Sequence[int] | None:
        """The tokens of a chat, up to where the assistant speaks; None without a template."""
