"""Requests as OpenAI's clients send them; what we do not have is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nightschool.types.serving import Prompt
from nightschool.web.completions.job import Job
from nightschool.web.serving import ALIAS

MOST_TOKENS = 4096
MOST_CHOICES = 64
MOST_LOGPROBS = 5
MOST_MESSAGES = 256

Stop = Annotated[str, Field(min_length=1)]
Tokens = list[Annotated[int, Field(ge=0)]]


class StreamOptions(BaseModel):
    """How a stream ends: with a last event about the tokens, or without."""

    model_config = ConfigDict(extra="forbid")

    include_usage: bool = False


class Options(BaseModel):
    """What both of OpenAI's forms have in common."""

    model_config = ConfigDict(extra="allow")

    neutral: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "frequency_penalty": (None, 0),
        "logit_bias": (None, {}),
        "metadata": (None, {}),
        "presence_penalty": (None, 0),
        "store": (None, False),
        "top_p": (None, 1),
    }
    """Options of OpenAI's that we do not have, and the values that change nothing."""

    model: str = ALIAS
    temperature: float = Field(default=1.0, ge=0, le=2)
    seed: int | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    n: int = Field(default=1, ge=1, le=MOST_CHOICES)
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None

    @field_validator("temperature", "n", "stream", "echo", mode="before", check_fields=False)
    @classmethod
    def _default_for_null(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None else value

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name, value in (self.model_extra or {}).items():
            if value not in self.neutral.get(name, ()):
                raise ValueError(f"the option {name!r} (here {value!r}) is not supported; omit it")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options belongs to a stream; omit it or ask for stream")
        return self

    @property
    def stops(self) -> list[str]:
        """The stop strings as a list."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    @property
    def counted(self) -> bool:
        """Whether a stream ends with the numbers of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage


class Wanted(Options):
    """A request for completions: one choice for each prompt, `n` times.

    A prompt is a text, or an array of the model's own tokens.
    """

    neutral: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **Options.neutral,
        "best_of": (None, 1),
        "suffix": (None, ""),
    }

    prompt: str | Tokens | list[str] | list[Tokens]
    max_tokens: int = Field(default=16, ge=0, le=MOST_TOKENS)
    echo: bool = False
    logprobs: int | None = Field(default=None, ge=0, le=MOST_LOGPROBS)

    @field_validator("max_tokens", mode="before")
    @classmethod
    def _most(cls, value: Any) -> Any:
        return 16 if value is None else value

    @field_validator("prompt", mode="before")
    @classmethod
    def _one_kind(cls, value: Any) -> Any:
        kinds = {type(part) for part in value} if isinstance(value, list) else {type(value)}
        if value != [] and kinds not in ({str}, {int}, {list}):
            raise ValueError("send a text, a list of texts, or arrays of tokens")
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not 1 <= len(self.prompts) * self.n <= MOST_CHOICES:
            raise ValueError(f"ask for 1 to {MOST_CHOICES} completions (prompts times n)")
        if self.max_tokens == 0 and not self.echo:
            raise ValueError("max_tokens 0 writes nothing; it is for echo, the prompt alone")
        if self.stream and self.logprobs is not None:
            raise ValueError("logprobs come with whole replies only; omit stream")
        return self

    @property
    def prompts(self) -> list[Prompt]:
        """The prompts as a list."""
        found: list[Prompt] = []
        numbers: list[int] = []
        for part in [self.prompt] if isinstance(self.prompt, str) else self.prompt:
            if isinstance(part, int):
                numbers.append(part)
            else:
                found.append(part)
        return [numbers] if numbers else found

    def job(self) -> Job:
        """What the model is to do."""
        return Job(
            self.model,
            self.prompts,
            n=self.n,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=self.seed,
            stop=self.stops,
            echo=self.echo,
            logprobs=self.logprobs,
        )


class TextPart(BaseModel):
    """A piece of a message; only text is read."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str


class Turn(BaseModel):
    """One message of a chat."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[TextPart], Field(min_length=1)]
    name: str | None = None

    def message(self) -> dict[str, str]:
        """The message as templates know it: a developer is what a system was."""
        text = self.content
        said = text if isinstance(text, str) else "".join(part.text for part in text)
        return {"role": "system" if self.role == "developer" else self.role, "content": said}


class ChatWanted(Options):
    """A request for the next message of a chat, `n` times."""

    neutral: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **Options.neutral,
        "logprobs": (None, False),
        "response_format": (None, {"type": "text"}),
        "tools": (None, []),
        "top_logprobs": (None, 0),
    }

    messages: Annotated[list[Turn], Field(min_length=1, max_length=MOST_MESSAGES)]
    max_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)

    def job(self) -> Job:
        """What the model is to do."""
        return Job(
            self.model,
            chat=[turn.message() for turn in self.messages],
            n=self.n,
            max_tokens=self.max_completion_tokens or self.max_tokens or 256,
            temperature=self.temperature,
            seed=self.seed,
            stop=self.stops,
        )
