"""Replies in OpenAI's two forms: whole, as a stream of events, or as an error."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi.responses import JSONResponse

from nightschool.types import NightschoolError, WarehouseError
from nightschool.web.completions.completer import Busy
from nightschool.web.completions.job import Piece, Usage
from nightschool.web.serving import Served, UnknownModel

log = logging.getLogger(__name__)


class Form:
    """How completions are worded."""

    prefix, whole_kind, piece_kind = "cmpl", "text_completion", "text_completion"

    def whole(self, piece: Piece) -> dict[str, Any]:
        """One choice; `text` is all of it."""
        return {
            "index": piece.index,
            "text": piece.text,
            "logprobs": piece.logprobs,
            "finish_reason": piece.finish,
        }

    def piece(self, piece: Piece, first: bool) -> dict[str, Any]:
        """A piece of one choice, in a stream."""
        return self.whole(piece)


class ChatForm(Form):
    """How chats are worded."""

    prefix, whole_kind, piece_kind = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def whole(self, piece: Piece) -> dict[str, Any]:
        """One choice; `text` is all of it."""
        message = {"role": "assistant", "content": piece.text, "refusal": None}
        return self._choice(piece, {"message": message})

    def piece(self, piece: Piece, first: bool) -> dict[str, Any]:
        """A piece of one choice, in a stream; the first says whose words they are."""
        delta = {"role": "assistant"} if first else {}
        if piece.text or first:
            delta["content"] = piece.text
        return self._choice(piece, {"delta": delta})

    def _choice(self, piece: Piece, said: Mapping[str, Any]) -> dict[str, Any]:
        end = {"logprobs": None, "finish_reason": piece.finish}
        return {"index": piece.index, **said, **end}


@dataclass(frozen=True)
class Reply:
    """A reply that is being made: its form, and who makes it."""

    form: Form
    served: Served

    def head(self, kind: str) -> dict[str, Any]:
        """What every reply begins with."""
        return {
            "id": f"{self.form.prefix}-{uuid.uuid4().hex}",
            "object": kind,
            "created": int(time.time()),
            "model": self.served.version.id,
        }

    async def whole(self, pieces: AsyncIterator[Served | Piece]) -> dict[str, Any]:
        """All choices whole; `usage` where the model counts."""
        made: dict[int, Piece] = {}
        used: Usage | None = None
        async for piece in pieces:
            assert isinstance(piece, Piece)
            text = made[piece.index].text if piece.index in made else ""
            made[piece.index] = Piece(
                piece.index, text + piece.text, piece.finish, None, piece.logprobs
            )
            used = total(used, piece.usage)
        body = self.head(self.form.whole_kind)
        body["choices"] = [self.form.whole(piece) for piece in made.values()]
        return body | ({"usage": used.as_dict()} if used else {})

    async def stream(
        self,
        begin: Served | Piece,
        pieces: AsyncIterator[Served | Piece],
        counted: bool,
    ) -> AsyncIterator[str]:
        """The choices as server-sent events, piece by piece, and [DONE].

        `counted` adds an event about the tokens before the end, where the model counts.
        """
        head = self.head(self.form.piece_kind)
        seen: set[int] = set()
        used: Usage | None = None

        def line(thing: Served | Piece) -> str:
            nonlocal used
            assert isinstance(thing, Piece)
            used = total(used, thing.usage)
            told = self.form.piece(thing, thing.index not in seen)
            seen.add(thing.index)
            return event({**head, "choices": [told]})

        async with aclosing(pieces):  # type: ignore[type-var]
            yield line(begin)
            try:
                async for piece in pieces:
                    yield line(piece)
            except Exception as error:
                yield f"data: {bytes(explain(error).body).decode()}\n\n"
                return
        if counted and used:
            yield event({**head, "choices": [], "usage": used.as_dict()})
        yield "data: [DONE]\n\n"


def total(so_far: Usage | None, more: Usage | None) -> Usage | None:
    """The sum of what was used, None where nothing was counted."""
    return more if so_far is None else so_far if more is None else so_far + more


def event(body: Mapping[str, Any]) -> str:
    """One server-sent event."""
    return f"data: {json.dumps(body)}\n\n"


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
