"""The warehouse to look at: search, one record's whole life, and downloads of any selection."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Protocol, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from nightschool.app.archive import Learning, Life, Records
from nightschool.app.exchange import ENDING, MEDIA, Format, What, selection_of, stream
from nightschool.types import TEXT, ConfigError, Document, Partition, Reply
from nightschool.types.people import Right
from nightschool.warehouse.archive import FoundAnswer, FoundContext, Selection, State
from nightschool.web.answers import content
from nightschool.web.desk import Desk
from nightschool.web.door import needs
from nightschool.web.render import Renderer

ON_PAGE = 50
MOST = 500
"""Records in one reply of the API."""

FILTERS = tuple(Selection.__dataclass_fields__)

Id = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]
Place = Annotated[int | None, Query(ge=0, le=(1 << 62))]
Short = Annotated[str, Query(max_length=200)]


class Kept(Protocol):
    """What these routes need of a school."""

    @property
    def records(self) -> Records:
        """The warehouse's records."""


class Filters:
    """The filters of a request, as a dependency; a wrong value is answered with 422."""

    def __init__(
        self,
        text: Short = "",
        person: Short = "",
        reply: Short = "",
        group: Short = "",
        source: Short = "",
        partition: Short = "",
        night: Short = "",
        strategy: Short = "",
        state: Short = "",
    ) -> None:
        given = {
            "text": text, "person": person, "reply": reply, "group": group, "source": source,
            "partition": partition, "night": night, "strategy": strategy, "state": state,
        }  # fmt: skip
        self.given = {name: value for name, value in given.items() if value}
        try:
            self.selection = selection_of(self.given)
        except ConfigError as error:
            raise HTTPException(422, str(error)) from error


Filtered = Annotated[Filters, Depends(Filters)]


def routes(school: Desk, render: Renderer) -> APIRouter:
    """The pages under /warehouse, their API, and the export."""
    api = APIRouter()
    kept = cast(Kept, school)
    reads = [needs(Right.READ)]

    @api.get("/warehouse", response_class=HTMLResponse, dependencies=reads)
    def warehouse_page(
        request: Request,
        filters: Filtered,
        show: Annotated[str, Query(pattern="^(answers|contexts)$")] = "answers",
        before: Place = None,
        after: Place = None,
    ) -> HTMLResponse:
        chosen = filters.selection
        if show == "answers":
            rows = [told_answer(f) for f in kept.records.answers(chosen, before, ON_PAGE)]
            last = {"before": rows[-1]["seq"]} if len(rows) == ON_PAGE else {}
        else:
            rows = [told_context(f) for f in kept.records.contexts(chosen, after, ON_PAGE)]
            last = {"after": int(rows[-1]["id"], 16)} if len(rows) == ON_PAGE else {}
        query = {**filters.given, "show": show}
        return render(
            request,
            "warehouse.html",
            rows=rows,
            show=show,
            given=filters.given,
            paged=before is not None or after is not None,
            following=urlencode({**query, **last}) if last else "",
            selected=urlencode(filters.given),
            choices=CHOICES,
            command=command(filters.given),
        )

    @api.get("/warehouse/{record}", response_class=HTMLResponse, dependencies=reads)
    def record_page(request: Request, record: Id) -> HTMLResponse:
        return render(request, "record.html", life=told_life(_life(kept, record)), id=record)

    @api.get("/api/warehouse/answers", dependencies=reads)
    def answers(
        filters: Filtered, before: Place = None, n: Annotated[int, Query(ge=1, le=MOST)] = ON_PAGE
    ) -> JSONResponse:
        """Answers of a selection, newest first; the next page is `before` the last one's seq."""
        found = kept.records.answers(filters.selection, before, n)
        return JSONResponse({"answers": [told_answer(each) for each in found]})

    @api.get("/api/warehouse/contexts", dependencies=reads)
    def contexts(
        filters: Filtered,
        after: Annotated[str, Query(pattern="^([0-9a-f]{16})?$")] = "",
        n: Annotated[int, Query(ge=1, le=MOST)] = ON_PAGE,
    ) -> JSONResponse:
        """Contexts of a selection by id, asked or not; the next page is `after` the last id."""
        place = int(after, 16) if after else None
        if place is not None and place >= 1 << 63:
            raise HTTPException(422, "after: no context has so high an id.")
        found = kept.records.contexts(filters.selection, place, n)
        return JSONResponse({"contexts": [told_context(each) for each in found]})

    @api.get("/api/warehouse/records/{record}", dependencies=reads)
    def record(record: Id) -> JSONResponse:
        """One record's whole life."""
        return JSONResponse(told_life(_life(kept, record)))

    @api.get(
        "/api/export",
        dependencies=reads,
        response_class=StreamingResponse,
        responses={200: {"content": {kind: {} for kind in MEDIA.values()}}},
    )
    def export(
        filters: Filtered, format: Format = Format.PROMPT, what: What = What.EXAMPLES
    ) -> Response:
        """A selection as a file: examples, raw answers, or (only when asked for) the exam."""
        try:
            pieces = stream(school, format, filters.selection, what)  # type: ignore[arg-type]
        except ConfigError as error:
            raise HTTPException(422, str(error)) from error
        name = f'attachment; filename="{what}.{ENDING[format]}"'
        return StreamingResponse(
            pieces, media_type=MEDIA[format], headers={"content-disposition": name}
        )

    return api


CHOICES: Mapping[str, list[str]] = {
    "reply": [each.value for each in Reply],
    "partition": [each.value for each in Partition],
    "state": [each.value for each in State],
}


def command(given: Mapping[str, str]) -> str:
    """The command that exports the same selection."""
    parts = [f"--filter {name}={quoted(v)}" for name, v in given.items() if name != "partition"]
    return " ".join(["nightschool export FILE.jsonl", *parts])


def quoted(value: str) -> str:
    """A word of a shell command."""
    return shlex.quote(value)


def _life(kept: Kept, record: str) -> Life:
    number = int(record, 16)
    life = kept.records.life(number) if number < 1 << 63 else None
    if life is None:
        raise HTTPException(404)
    return life


def shown(document: Document | None) -> str | None:
    """A document in words; a drawing or a trajectory by its kind."""
    if document is None:
        return None
    if document.kind == TEXT:
        return document.body
    try:
        return str(content(document)["text"])
    except (KeyError, ValueError, TypeError):
        return f"({document.kind})"


def told_answer(found: FoundAnswer) -> dict[str, Any]:
    """An answer with what was asked, as JSON."""
    answer, question = found.answer, found.question
    taken = found.retraction
    return {
        "seq": found.seq,
        "id": answer.id,
        "record": f"{question.context.id:016x}",
        "context": shown(question.context.document),
        "group": question.context.group,
        "source": question.context.source,
        "partition": question.partition.value,
        "person": answer.person,
        "reply": answer.reply.value,
        "text": shown_answer(answer.document),
        "note": answer.note,
        "seconds": answer.seconds,
        "at": answer.at,
        "settles": answer.settles,
        "question": question.id,
        "strategy": question.strategy,
        "score": question.score,
        "version": question.version,
        "night": question.night,
        "retracted": None
        if taken is None
        else {
            "why": taken.why.value,
            "person": taken.person,
            "at": taken.at,
            "reason": taken.reason,
        },
    }


def shown_answer(document: Document | None) -> str | None:
    """An answer in words; what is no text by its kind."""
    if document is None or document.kind == TEXT:
        return document.body if document is not None else None
    return f"({document.kind})"


def told_context(found: FoundContext) -> dict[str, Any]:
    """A context, as JSON."""
    return {
        "id": f"{found.context.id:016x}",
        "record": f"{found.context.id:016x}",
        "context": shown(found.context.document),
        "group": found.context.group,
        "source": found.context.source,
        "partition": found.partition.value,
        "questions": found.questions,
        "answers": found.answers,
    }


def told_life(life: Life) -> dict[str, Any]:
    """One record's whole life, as JSON."""
    context = life.traces.context
    return {
        "id": f"{context.id:016x}",
        "context": shown(context.document),
        "group": context.group,
        "source": context.source,
        "partition": life.traces.partition.value,
        "questions": [
            {
                "id": q.id,
                "night": q.night,
                "strategy": q.strategy,
                "score": q.score,
                "version": q.version,
                "wanted": q.wanted,
                "guess": q.guess,
            }
            for q in life.traces.questions
        ],
        "answers": [told_answer(each) for each in life.traces.answers],
        "examples": [told_learning(each) for each in life.learned],
        "exams": [
            {"night": s.night, "version": s.version, "marks": {m.name: m.value for m in s.marks}}
            for s in life.sat
        ],
    }


def told_learning(learning: Learning) -> dict[str, Any]:
    """An example and where it went, as JSON."""
    example = learning.example
    return {
        "id": example.id,
        "answer": shown_answer(example.target),
        "weight": example.weight,
        "night": example.night,
        "answers": list(example.answers),
        "segment": learning.segment,
        "manifests": list(learning.manifests),
        "versions": list(learning.versions),
        "left_out": list(learning.left_out),
        "before": learning.before,
        "before_version": learning.before_version,
    }
