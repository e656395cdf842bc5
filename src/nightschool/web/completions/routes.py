"""The routes under /v1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse

from nightschool.types.people import Right
from nightschool.web.completions.completer import Completer
from nightschool.web.completions.job import Job
from nightschool.web.completions.replies import ChatForm, Form, Reply, explain, refusal
from nightschool.web.completions.wanted import ChatWanted, Wanted
from nightschool.web.desk import Desk
from nightschool.web.door import needs
from nightschool.web.serving import ALIAS, Served

STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Whole, or as events.", "content": {"text/event-stream": {}}}
}
"""What both forms may reply beside JSON."""

Offer = Callable[[Sequence[str]], object]
"""Called with the texts that the model was asked to go on with."""


def routes(school: Desk, completer: Completer, offer: Offer | None = None) -> APIRouter:
    """Models, completions and chats; `offer` is told what was asked once it was answered."""
    api = APIRouter(prefix="/v1", dependencies=[needs(Right.USE)])

    def card(name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": 0, "owned_by": school.name}

    @api.get("/models")
    def models() -> dict[str, Any]:
        """The models that serve: the champion, by both of its names."""
        return {"object": "list", "data": [card(ALIAS), card(school.champion().id)]}

    @api.get("/models/{name}", response_model=None)
    def model(name: str) -> dict[str, Any] | Response:
        """One model that serves."""
        if name in (ALIAS, school.champion().id):
            return card(name)
        return refusal(404, f"The model {name!r} does not serve; ask for {ALIAS!r}.", "model")

    @api.post("/completions", responses=STREAMED)
    async def complete(wanted: Wanted) -> Response:
        """What the model writes after a text, in the form of OpenAI's completions."""
        return await answer(wanted.job(), Form(), wanted.stream, wanted.counted)

    @api.post("/chat/completions", responses=STREAMED)
    async def chat(wanted: ChatWanted) -> Response:
        """What the model says next in a chat, in the form of OpenAI's chat completions."""
        return await answer(wanted.job(), ChatForm(), wanted.stream, wanted.counted)

    async def answer(job: Job, form: Form, stream: bool, counted: bool) -> Response:
        pieces = completer.complete(job)
        try:
            served = await anext(pieces)
            assert isinstance(served, Served)
            reply = Reply(form, served)
            if not stream:
                told = JSONResponse(await reply.whole(pieces))
                offered(job)
                return told
            # The first piece is awaited, so that an error still gets its own status code.
            first = await anext(pieces)
        except Exception as error:
            return explain(error)
        offered(job)
        events = reply.stream(first, pieces, counted)
        return StreamingResponse(events, media_type="text/event-stream")

    def offered(job: Job) -> None:
        # Texts that a harness only marks, and tokens, are nobody's question.
        if offer is not None and job.logprobs is None and not job.echo:
            texts = [prompt for prompt in job.prompts if isinstance(prompt, str)]
            offer([*texts, *(m["content"] for m in job.chat[-1:] if m["role"] == "user")])

    return api
