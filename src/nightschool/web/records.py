"""The warehouse to look at: search, one record's whole life, and downloads of any selection."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Protocol, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from pydantic import AfterValidator
from starlette.exceptions import HTTPException

from nightschool.app.archive import Life, Records
from nightschool.app.exchange import ENDING, MEDIA, Format, What, selection_of, stream
from nightschool.types import ConfigError, Partition, Reply
from nightschool.types.people import Right
from nightschool.warehouse.archive import Selection, State
from nightschool.web.desk import Desk, storable
from nightschool.web.door import Answering, Reading, caller, needs
from nightschool.web.render import Renderer
from nightschool.web.told import told_answer, told_context, told_life
from nightschool.web.veil import refuse_filter, sees

ON_PAGE = 50
MOST = 500
"""Records in one reply of the API."""

Id = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]
Place = Annotated[int | None, Query(ge=0, le=(1 << 62))]
Short = Annotated[str, Query(max_length=200)]

FILES: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in MEDIA.values()}}}
"""What an export is, for the description of the API."""


class Kept(Protocol):
    """What these routes need of a school."""

    @property
    def records(self) -> Records:
        """The warehouse's records."""


class Filters:
    """The filters of a request, as a dependency; a wrong value is answered with 422.

    Whose answers they are only an owner may ask.
    """

    def __init__(
        self,
        request: Request,
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
        refuse_filter(person, caller(request))
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
    api.include_router(_pages(kept, render))
    api.include_router(_api(kept))
    api.include_router(_export(school))
    api.include_router(_own(school))
    return api


def _pages(kept: Kept, render: Renderer) -> APIRouter:
    api = APIRouter(prefix="/warehouse", dependencies=[needs(Right.READ)])

    @api.get("", response_class=HTMLResponse)
    def warehouse_page(
        request: Request,
        filters: Filtered,
        show: Annotated[str, Query(pattern="^(answers|contexts)$")] = "answers",
        before: Place = None,
        after: Place = None,
    ) -> HTMLResponse:
        chosen, who = filters.selection, caller(request)
        if show == "answers":
            rows = [told_answer(f, who) for f in kept.records.answers(chosen, before, ON_PAGE)]
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

    @api.get("/{record}", response_class=HTMLResponse)
    def record_page(request: Request, record: Id) -> HTMLResponse:
        return render(
            request, "record.html", life=told_life(_life(kept, record), caller(request)), id=record
        )

    return api


def _api(kept: Kept) -> APIRouter:
    api = APIRouter(prefix="/api/warehouse", dependencies=[needs(Right.READ)])

    @api.get("/answers")
    def answers(
        filters: Filtered,
        who: Reading,
        before: Place = None,
        n: Annotated[int, Query(ge=1, le=MOST)] = ON_PAGE,
    ) -> JSONResponse:
        """Answers of a selection, newest first; the next page is `before` the last one's seq.

        `person` and `seconds` are null where the answer is another's and the caller no owner.
        """
        found = kept.records.answers(filters.selection, before, n)
        return JSONResponse({"answers": [told_answer(each, who) for each in found]})

    @api.get("/contexts")
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

    @api.get("/records/{record}")
    def record(record: Id, who: Reading) -> JSONResponse:
        """One record's whole life."""
        return JSONResponse(told_life(_life(kept, record), who))

    return api


def _export(school: Desk) -> APIRouter:
    api = APIRouter(dependencies=[needs(Right.READ)])

    @api.get("/api/export", response_class=StreamingResponse, responses=FILES)
    def export(
        filters: Filtered,
        who: Reading,
        format: Format = Format.PROMPT,
        what: What = What.EXAMPLES,
    ) -> StreamingResponse:
        """A selection as a file: examples, raw answers, or (only when asked for) the exam.

        Whose the answers are and how long they took stands only in an owner's file.
        """
        return _download(school, format, filters.selection, what, nameless=not sees(who))

    return api


def _own(school: Desk) -> APIRouter:
    api = APIRouter()

    @api.get("/api/me/export", response_class=StreamingResponse, responses=FILES)
    def own(
        who: Answering,
        format: Format = Format.JSONL,
        person: Annotated[str, Query(max_length=64), AfterValidator(storable)] = "",
    ) -> StreamingResponse:
        """Everything that the caller answered, as a file; `person` counts without accounts."""
        whose = Selection(person=who.person or person or "me")
        return _download(school, format, whose, What.OWN)

    return api


def _download(
    school: Any, form: Format, chosen: Selection, what: What, *, nameless: bool = False
) -> StreamingResponse:
    """An export as a file to keep; what cannot be exported is answered with 422."""
    try:
        pieces = stream(school, form, chosen, what, nameless=nameless)
    except ConfigError as error:
        raise HTTPException(422, str(error)) from error
    name = What.ANSWERS if what is What.OWN else what
    named = f'attachment; filename="{name}.{ENDING[form]}"'
    return StreamingResponse(pieces, media_type=MEDIA[form], headers={"content-disposition": named})


CHOICES: Mapping[str, list[str]] = {
    "reply": [each.value for each in Reply],
    "partition": [each.value for each in Partition],
    "state": [each.value for each in State],
}


def command(given: Mapping[str, str]) -> str:
    """The command that exports the same selection."""
    parts = [
        f"--filter {name}={shlex.quote(v)}" for name, v in given.items() if name != "partition"
    ]
    return " ".join(["nightschool export FILE.jsonl", *parts])


def _life(kept: Kept, record: str) -> Life:
    number = int(record, 16)
    life = kept.records.life(number) if number < 1 << 63 else None
    if life is None:
        raise HTTPException(404)
    return life
