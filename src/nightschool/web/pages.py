"""The pages: one to answer on, one that shows trials, one that shows how the school does."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nightschool.web.desk import Desk
from nightschool.web.report import view

TEMPLATES = Path(__file__).parent / "templates"
FRESH_SECONDS = 1.0


def routes(school: Desk) -> APIRouter:
    """The routes that a person opens, and the status as JSON."""
    pages = APIRouter()
    # Everything is escaped, whatever a file is called: contexts and names are hostile texts.
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    latest = _Latest(school)

    def render(name: str, **values: Any) -> HTMLResponse:
        html = jinja.get_template(name).render(school=school.name, kind=school.kind, **values)
        return HTMLResponse(html)

    @pages.get("/", response_class=HTMLResponse)
    def answer_page() -> HTMLResponse:
        return render(
            "answer.html",
            key=key_of(school),
            limit=school.config.max_answer_chars,
            labels=getattr(school, "labels", ()),
        )

    @pages.get("/experiments", response_class=HTMLResponse)
    def experiments_page() -> HTMLResponse:
        return render("experiments.html")

    @pages.get("/status", response_class=HTMLResponse)
    def status_page() -> HTMLResponse:
        return render("status.html", **view(latest.read()))

    @pages.get("/api/status")
    def status() -> JSONResponse:
        return JSONResponse(latest.read())

    return pages


def key_of(school: Desk) -> str:
    """A short name under which a browser stores this school's answers, apart from any other's."""
    return hashlib.sha256(str(school.folder.resolve()).encode()).hexdigest()[:12]


class _Latest:
    """The status, read now and then however many pages look at it.

    At most once a second, and for at most a tenth of the time where reading it is slow.
    """

    def __init__(self, school: Desk) -> None:
        self._school = school
        self._lock = threading.Lock()
        self._due = float("-inf")
        self._status: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        with self._lock:
            began = time.monotonic()
            if began > self._due:
                self._status = self._school.status().as_dict()
                now = time.monotonic()
                self._due = now + max(FRESH_SECONDS, 10 * (now - began))
            return self._status
