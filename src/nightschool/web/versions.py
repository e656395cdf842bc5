"""The versions: where each comes from, its exam item by item, and who is to serve."""

from __future__ import annotations

import math
from typing import Annotated, Any, Protocol, cast

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from nightschool.app.archive import Item, Line, Page, Versions
from nightschool.types import Version, WarehouseError
from nightschool.types.people import Right
from nightschool.warehouse import Reign
from nightschool.web.desk import Desk, storable
from nightschool.web.door import OWNER, Managing, needs
from nightschool.web.render import Renderer
from nightschool.web.report import by_hand, parted
from nightschool.web.texts import t
from nightschool.web.told import shown, shown_answer

ON_PAGE = 200
"""Items of an exam that the page shows; the API gives all."""

Id = Annotated[str, InPath(pattern="^v[0-9]{1,9}$")]
Named = Annotated[str, InPath(max_length=100), AfterValidator(storable)]
Against = Annotated[str, Query(pattern="^(v[0-9]{1,9})?$")]


class Championed(Protocol):
    """What these routes need of a school."""

    @property
    def versions(self) -> Versions:
        """The versions."""

    def promote(self, version: str, by: str, reason: str) -> Version:
        """Let a version serve."""

    def rollback(self, by: str, reason: str) -> Version:
        """Let the champion before the present one serve again."""


def because(reason: str) -> str:
    """A reason without the white space around it; it may not be empty."""
    said = storable(reason).strip()
    if not said:
        raise ValueError("say why, for the record")
    return said


class Because(BaseModel):
    """Why, for the record."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=2000), AfterValidator(because)]


def routes(school: Desk, render: Renderer) -> APIRouter:
    """The pages under /versions, their API, and the two decisions."""
    api = APIRouter()
    kept = cast(Championed, school)
    looks, reads = [needs(Right.LOOK)], [needs(Right.READ)]

    @api.get("/versions", response_class=HTMLResponse, dependencies=looks)
    def versions_page(request: Request) -> HTMLResponse:
        return render(request, "versions.html", rows=[told_line(v) for v in kept.versions.every()])

    @api.get("/versions/{version}", response_class=HTMLResponse, dependencies=reads)
    def version_page(request: Request, version: Named, against: Against = "") -> HTMLResponse:
        page = _page(kept, version, against)
        told = told_page(page)
        rest = told["items"][:ON_PAGE]
        return render(request, "version.html", v=told, shown=rest, earlier=kept.versions.earlier())

    @api.get("/api/versions", dependencies=looks)
    def versions() -> JSONResponse:
        """Every version, the newest first."""
        return JSONResponse({"versions": [told_line(each) for each in kept.versions.every()]})

    @api.get("/api/versions/{version}", dependencies=reads)
    def version(version: Id, against: Against = "") -> JSONResponse:
        """One version: its manifest, and its exam item by item beside another version's."""
        return JSONResponse(told_page(_page(kept, version, against)))

    @api.get("/api/versions/{version}/said", dependencies=reads)
    def said(version: Id, against: Against = "") -> JSONResponse:
        """What both versions say to the items that were won or lost; loads both, so it is slow."""
        _page(kept, version, against)
        found = kept.versions.said(version, against)
        return JSONResponse({"said": {item: list(pair) for item, pair in found.items()}})

    @api.post("/api/versions/{version}/promote")
    def promote(version: Id, body: Because, who: Managing) -> JSONResponse:
        """Let this version serve; recorded with who and why."""
        _page(kept, version, "")
        return JSONResponse({"serves": kept.promote(version, who.person or OWNER, body.reason).id})

    @api.post("/api/rollback")
    def rollback(body: Because, who: Managing) -> JSONResponse:
        """Let the champion before the present one serve again."""
        try:
            return JSONResponse({"serves": kept.rollback(who.person or OWNER, body.reason).id})
        except WarehouseError as error:
            raise HTTPException(409, str(error)) from error

    return api


def _page(kept: Championed, version: str, against: str) -> Page:
    try:
        return kept.versions.page(version, against)
    except WarehouseError as error:
        raise HTTPException(404, t("versions.unknown", id=version)) from error


def number(value: float | None) -> float | None:
    """A number that JSON has; None for one that it has not."""
    return value if value is not None and math.isfinite(value) else None


def told_line(line: Line) -> dict[str, Any]:
    """A version in the list, as JSON; nothing of the exam's contents."""
    version, verdict = line.version, line.verdict
    return {
        "id": version.id,
        "parent": version.parent,
        "night": version.night,
        "learner": version.recipe.learner,
        "examples": line.examples,
        "score": number(line.score),
        "items": line.items,
        "serves": line.serves,
        "reign": told_reign(line.reign) if line.reign else None,
        "decided": by_hand(told_reign(line.reign)) if line.reign and line.reign.by_hand else "",
        "decision": verdict.decision.value if verdict else None,
        "judged": verdict.night if verdict else None,
        "reason": verdict.reason if verdict else "",
        "why": parted(verdict.reason)[1] if verdict else "",
        "before": number(verdict.before) if verdict else None,
        "after": number(verdict.after) if verdict else None,
        "there": line.there,
        "erased": list(line.erased),
    }


def told_reign(reign: Reign) -> dict[str, Any]:
    """When a version began to serve, by whom and why."""
    told = {name: getattr(reign, name) for name in ("night", "by", "reason", "at")}
    return {**told, "by_hand": reign.by_hand}


def told_item(item: Item) -> dict[str, Any]:
    """An exam item and what two versions made of it."""
    return {
        "id": item.id,
        "context": shown(item.context),
        "accepted": [shown_answer(answer) for answer in item.accepted],
        "group": item.group,
        "before": number(item.before),
        "after": number(item.after),
        "was_right": item.was_right,
        "is_right": item.is_right,
        "change": item.change,
    }


def told_page(page: Page) -> dict[str, Any]:
    """All about a version, as JSON."""
    version, manifest = page.line.version, page.manifest
    return {
        **told_line(page.line),
        "recipe": {"learner": version.recipe.learner, "settings": dict(version.recipe.settings)},
        "seed": version.seed,
        "weights": version.weights,
        "children": list(page.children),
        "manifest": {
            "hash": manifest.hash,
            "night": manifest.night,
            "note": manifest.note,
            "excluded": page.excluded,
            "segments": [
                {"sha256": s.sha256, "role": s.role, "rows": s.rows, "night": s.night}
                for s in manifest.segments
            ],
        },
        "reigns": [told_reign(reign) for reign in page.reigns],
        "against": page.against,
        "others": list(page.others),
        "exam_night": page.night,
        "won": len(page.of("won")),
        "lost": len(page.of("lost")),
        "items": [told_item(item) for item in page.items],
    }
