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
    api = APIRouter()
    api.include_router(_models(school))
    api.include_router(_writing(completer, offer))
    return api


def _writing(completer: Completer, offer: Offer | None) -> APIRouter:
    api = APIRouter(prefix="/v1", dependencies=[needs(Right.USE)])

    @api.post("/completions", responses=STREAMED)
    async def complete(wanted: Wanted) -> Response:
        """What the model writes after a text, in the form of OpenAI's completions."""
        return await answer(wanted, Form())

    @api.post("/chat/completions", responses=STREAMED)
    async def chat(wanted: ChatWanted) -> Response:
        """What the model says next in a chat, in the form of OpenAI's chat completions."""
        return await answer(wanted, ChatForm())

    async def answer(wanted: Wanted | ChatWanted, form: Form) -> Response:
        job = wanted.job()
        pieces = completer.complete(job)
        try:
            served = await anext(pieces)
            assert isinstance(served, Served)
            reply = Reply(form, served)
            if wanted.stream:
                # The first piece is awaited, so that an error still gets its own status code.
                events = reply.stream(await anext(pieces), pieces, wanted.counted)
                told: Response = StreamingResponse(events, media_type="text/event-stream")
            else:
                told = JSONResponse(await reply.whole(pieces))
        except Exception as error:
            return explain(error)
        if offer is not None and (texts := questions_of(job)):
            offer(texts)
        return told

    return api


def _models(school: Desk) -> APIRouter:
    api = APIRouter(prefix="/v1/models", dependencies=[needs(Right.USE)])

    def card(name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": 0, "owned_by": school.name}

    @api.get("")
    def models() -> dict[str, Any]:
        """The models that serve: the champion, by both of its names."""
        return {"object": "list", "data": [card(ALIAS), card(school.champion().id)]}

    @api.get("/{name}", response_model=None)
    def model(name: str) -> dict[str, Any] | Response:
        """One model that serves."""
        if name in (ALIAS, school.champion().id):
            return card(name)
        return refusal(404, f"The model {name!r} does not serve; ask for {ALIAS!r}.", "model")

    return api


def questions_of(job: Job) -> list[str]:
    """What was asked that could be a question for people: no tokens, no text only marked."""
    if job.logprobs is not None or job.echo:
        return []
    texts = [prompt for prompt in job.prompts if isinstance(prompt, str)]
    return [*texts, *(m["content"] for m in job.chat[-1:] if m["role"] == "user")]
