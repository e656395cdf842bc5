"""Completions in OpenAI's form, by the champion."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nightschool.types import NightschoolError, WarehouseError
from nightschool.web.desk import Desk
from nightschool.web.serving import ALIAS, Served, Serving, UnknownModel

log = logging.getLogger(__name__)

AT_ONCE = 2
MOST_WAITING = 64
MOST_TOKENS = 4096
MOST_CHOICES = 64

# Options of OpenAI's that we do not have, and the values that change nothing.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "best_of": (None, 1),
    "echo": (None, False),
    "frequency_penalty": (None, 0),
    "logit_bias": (None, {}),
    "logprobs": (None,),
    "presence_penalty": (None, 0),
    "stream_options": (None, {}, {"include_usage": False}),
    "suffix": (None, ""),
    "top_p": (None, 1),
}

Stop = Annotated[str, Field(min_length=1)]


class Wanted(BaseModel):
    """A request for completions: one choice for each prompt, `n` times."""

    model_config = ConfigDict(extra="allow")

    model: str = ALIAS
    prompt: str | list[str]
    max_tokens: int = Field(default=16, ge=1, le=MOST_TOKENS)
    temperature: float = Field(default=1.0, ge=0, le=2)
    seed: int | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    n: int = Field(default=1, ge=1, le=MOST_CHOICES)
    stream: bool = False
    user: str | None = None

    @field_validator("max_tokens", "temperature", "n", "stream", mode="before")
    @classmethod
    def _default_for_null(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None else value

    @field_validator("prompt", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if isinstance(value, list) and any(not isinstance(p, str) for p in value):
            raise ValueError("send the prompt as text; arrays of tokens are not supported")
        return value

    @model_validator(mode="after")
    def _possible(self) -> Wanted:
        for name, value in (self.model_extra or {}).items():
            if value not in NEUTRAL.get(name, ()):
                raise ValueError(f"the option {name!r} (here {value!r}) is not supported; omit it")
        if not 1 <= len(self.prompts) * self.n <= MOST_CHOICES:
            raise ValueError(f"ask for 1 to {MOST_CHOICES} completions (prompts times n)")
        return self

    @property
    def prompts(self) -> list[str]:
        """The prompts as a list."""
        return [self.prompt] if isinstance(self.prompt, str) else self.prompt


@dataclass(frozen=True)
class Piece:
    """A piece of one choice; the last one of a choice says why it ended."""

    index: int
    text: str
    finish: str | None = None


class Busy(NightschoolError):
    """Too many requests wait for the model."""


class Completer:
    """Where requests for completions queue: so many threads generate, so many may wait.

    The threads are its own, so a slow model never holds up the page.
    """

    def __init__(self, serving: Serving, *, at_once: int = AT_ONCE) -> None:
        self.serving = serving
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="generate")
        self._most = at_once + MOST_WAITING
        self._open = 0
        self._closed = threading.Event()

    async def complete(self, wanted: Wanted) -> AsyncIterator[Served | Piece]:
        """First who serves this request, then its pieces; raises what the model raises."""
        if self._open >= self._most:
            raise Busy(f"{self._open} requests wait for the model already; try again later.")
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Served | Piece | BaseException | None] = asyncio.Queue()
        gone = threading.Event()

        def put(thing: Served | Piece | BaseException | None) -> None:
            # The loop may be closed already when the server is going down.
            if not gone.is_set():
                loop.call_soon_threadsafe(queue.put_nowait, thing)

        def work() -> None:
            # One thread from begin to end: torch keeps its modes per thread.
            try:
                if not gone.is_set():
                    served = self.serving.get(wanted.model)
                    put(served)
                    for piece in choices(served, wanted):
                        if gone.is_set() or self._closed.is_set():
                            return
                        put(piece)
                put(None)
            except BaseException as error:
                put(error)

        self._open += 1
        try:
            self._threads.submit(work)
            while (thing := await queue.get()) is not None:
                if isinstance(thing, BaseException):
                    raise thing
                yield thing
        finally:
            gone.set()
            self._open -= 1

    def close(self) -> None:
        """Take no more work; what runs ends at its next piece."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)


def choices(served: Served, wanted: Wanted) -> Iterator[Piece]:
    """The pieces of every choice, one choice after the other."""
    stop = [wanted.stop] if isinstance(wanted.stop, str) else wanted.stop or []
    seed = wanted.seed if wanted.seed is not None else secrets.randbelow(1 << 31)
    prompts = [p for p in wanted.prompts for _ in range(wanted.n)]
    for index, prompt in enumerate(prompts):
        count = 0
        for text in served.generator.complete(
            prompt,
            max_tokens=wanted.max_tokens,
            temperature=wanted.temperature,
            seed=(seed + index) % (1 << 31),
            stop=stop,
        ):
            count += 1
            yield Piece(index, text)
        # The interface does not say why a text ended; a piece is a token for our own learner.
        yield Piece(index, "", "length" if count >= wanted.max_tokens else "stop")


def routes(school: Desk, completer: Completer) -> APIRouter:
    """The routes under /v1."""
    api = APIRouter(prefix="/v1")

    def card(name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": 0, "owned_by": school.name}

    @api.get("/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [card(ALIAS), card(school.champion().id)]}

    @api.get("/models/{name}", response_model=None)
    def model(name: str) -> dict[str, Any] | Response:
        if name in (ALIAS, school.champion().id):
            return card(name)
        return refusal(404, f"The model {name!r} does not serve; ask for {ALIAS!r}.", "model")

    @api.post("/completions")
    async def complete(wanted: Wanted) -> Response:
        pieces = completer.complete(wanted)
        try:
            served = await anext(pieces)
            assert isinstance(served, Served)
            head = {
                "id": f"cmpl-{uuid.uuid4().hex}",
                "object": "text_completion",
                "created": int(time.time()),
                "model": served.version.id,
            }
            if not wanted.stream:
                return JSONResponse({**head, "choices": await collect(pieces)})
            # The first piece is awaited, so that an error still gets its own status code.
            first = await anext(pieces)
        except Exception as error:
            return explain(error)
        return StreamingResponse(events(head, first, pieces), media_type="text/event-stream")

    return api


async def collect(pieces: AsyncIterator[Served | Piece]) -> list[dict[str, Any]]:
    """All choices whole."""
    made: dict[int, dict[str, Any]] = {}
    async for piece in pieces:
        assert isinstance(piece, Piece)
        choice = made.setdefault(piece.index, chunk(Piece(piece.index, "")))
        choice["text"] += piece.text
        choice["finish_reason"] = piece.finish
    return list(made.values())


async def events(
    head: dict[str, Any], first: Served | Piece, pieces: AsyncIterator[Served | Piece]
) -> AsyncIterator[str]:
    """The choices as server-sent events, piece by piece, and [DONE]."""

    def line(thing: Served | Piece) -> str:
        assert isinstance(thing, Piece)
        return f"data: {json.dumps({**head, 'choices': [chunk(thing)]})}\n\n"

    async with aclosing(pieces):  # type: ignore[type-var]
        yield line(first)
        try:
            async for piece in pieces:
                yield line(piece)
        except Exception as error:
            body = bytes(explain(error).body).decode()
            yield f"data: {body}\n\n"
            return
    yield "data: [DONE]\n\n"


def chunk(piece: Piece) -> dict[str, Any]:
    """One choice, or a piece of it, in OpenAI's words."""
    return {
        "index": piece.index,
        "text": piece.text,
        "logprobs": None,
        "finish_reason": piece.finish,
    }


def explain(error: Exception) -> JSONResponse:
    """What went wrong, in OpenAI's form."""
    if isinstance(error, UnknownModel):
        return refusal(404, str(error), "model", "model_not_found")
    if isinstance(error, Busy):
        return refusal(429, str(error), code="rate_limit_exceeded")
    if isinstance(error, WarehouseError):
        return refusal(503, str(error))
    if isinstance(error, NightschoolError):
        return refusal(400, str(error))
    log.error("A completion failed", exc_info=error)
    return refusal(500, "The model failed; the server's log says why.")


def refusal(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> JSONResponse:
    """An error as OpenAI's clients read it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    body = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": body}, status)
