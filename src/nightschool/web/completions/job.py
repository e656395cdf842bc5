"""What the model is asked to do, whichever of OpenAI's two forms it was asked in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nightschool.types import LearnerError
from nightschool.types.serving import Message, Prompt
from nightschool.web.serving import Served


@dataclass(frozen=True)
class Job:
    """Prompts to complete, `n` times each; `chat` instead is one prompt in turns.

    `logprobs` is how many probable tokens are told for each place, None for no such thing;
    `echo` gives the prompt back before what was written.
    """

    model: str
    prompts: Sequence[Prompt] = ()
    chat: Sequence[Message] = ()
    n: int = 1
    max_tokens: int = 16
    temperature: float = 1.0
    seed: int | None = None
    stop: Sequence[str] = ()
    echo: bool = False
    logprobs: int | None = None

    def texts(self, served: Served) -> list[Prompt]:
        """The prompts as this model reads them; raises LearnerError for what it cannot."""
        if self.chat:
            return [as_prompt(self.chat, served)]
        if not hasattr(served.generator, "score"):
            numbers = any(not isinstance(prompt, str) for prompt in self.prompts)
            what = "arrays of tokens" if numbers else "logprobs"
            if numbers or self.logprobs is not None:
                raise LearnerError(f"The model {served.version.id} does not take {what}.")
        return list(self.prompts)


@dataclass(frozen=True)
class Usage:
    """Tokens that were read and written."""

    prompt: int = 0
    written: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt + other.prompt, self.written + other.written)

    def as_dict(self) -> dict[str, int]:
        """In OpenAI's words."""
        total = self.prompt + self.written
        words = {"prompt_tokens": self.prompt, "completion_tokens": self.written}
        return {**words, "total_tokens": total}


@dataclass(frozen=True)
class Piece:
    """A piece of one choice; the last one of a choice says why it ended and what it cost."""

    index: int
    text: str
    finish: str | None = None
    usage: Usage | None = None
    logprobs: dict[str, list[object]] | None = field(default=None, compare=False)


def as_prompt(chat: Sequence[Message], served: Served) -> Prompt:
    """A chat as the model reads it: by its own template, else its texts one below the other.

    Without a template no role is named, so that a single message is exactly a context as people
    are asked it, and the reply is what they would answer.
    """
    known = getattr(served.generator, "chat", None)
    tokens = known(chat) if known is not None else None
    return tokens if tokens is not None else "\n".join(message["content"] for message in chat)
