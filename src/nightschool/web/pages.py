"""The pages: one to answer on, one that shows trials, one that shows how the school does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from nightschool.types.people import Right
from nightschool.web.desk import Desk, Report
from nightschool.web.door import anybody, caller, needs
from nightschool.web.machines import Machines
from nightschool.web.nights import under_way
from nightschool.web.render import Renderer
from nightschool.web.report import view

FRESH_SECONDS = 1.0
ICON = Path(__file__).parent / "static" / "favicon.ico"


def routes(school: Desk, render: Renderer, machines: Machines) -> APIRouter:
    """The routes that a person opens, and the status as JSON."""
    pages = APIRouter()
    latest = _Latest(lambda: school.status())
    morning = _Latest(lambda: school.morning.read())

    @pages.get("/", response_class=HTMLResponse, dependencies=[needs(Right.LOOK)])
    def answer_page(request: Request) -> Response:
        if not caller(request).may(Right.ANSWER):  # who only looks is led to what there is to see
            return RedirectResponse("/status", 303)
        return render(
            request,
            "answer.html",
            limit=school.config.max_answer_chars,
            labels=getattr(school, "labels", ()),
            guesses=school.config.show_guess,
        )

    @pages.get("/experiments", response_class=HTMLResponse, dependencies=[needs(Right.READ)])
    def experiments_page(request: Request) -> HTMLResponse:
        return render(request, "experiments.html")

    @pages.get("/status", response_class=HTMLResponse, dependencies=[needs(Right.LOOK)])
    def status_page(request: Request) -> HTMLResponse:
        night = under_way(school, machines)
        return render(request, "morning.html", m=view(morning.read()), night=night)

    @pages.get("/favicon.ico", dependencies=[anybody()], include_in_schema=False)
    def icon() -> FileResponse:
        return FileResponse(ICON, headers={"cache-control": "max-age=86400"})

    @pages.get("/api/morning", dependencies=[needs(Right.LOOK)])
    def this_morning() -> JSONResponse:
        """Everything that the morning's page shows: nights, time, forecast, and their commands."""
        return JSONResponse(morning.read())

    @pages.get("/api/status", dependencies=[needs(Right.LOOK)])
    def status() -> JSONResponse:
        return JSONResponse(latest.read())

    return pages


class _Latest:
    """A report on the school, read now and then however many pages look at it.

    At most once a second, and for at most a tenth of the time where reading it is slow.
    """

    def __init__(self, read: Callable[[], Report]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._due = float("-inf")
        self._status: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        with self._lock:
            began = time.monotonic()
            if began > self._due:
                self._status = self._read().as_dict()
                now = time.monotonic()
                self._due = now + max(FRESH_SECONDS, 10 * (now - began))
            return self._status
