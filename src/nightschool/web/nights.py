"""Nights on demand: start one, see how far it is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from nightschool.app.nights import step_of
from nightschool.types.people import Right
from nightschool.warehouse.night import night_lock
from nightschool.web.desk import Desk
from nightschool.web.door import OWNER, Managing, needs
from nightschool.web.machines import Machines


def routes(school: Desk, machines: Machines) -> APIRouter:
    """The routes of /api/night."""
    api = APIRouter(prefix="/api/night")

    @api.get("", dependencies=[needs(Right.LOOK)])
    def night() -> dict[str, Any]:
        """Whether a night is under way and its step; the newest verdict when not."""
        now = under_way(school, machines)
        verdict = None if now["running"] else newest(school)
        return {"running": now["running"], "step": now["step"], "verdict": verdict}

    @api.post("", status_code=202)
    def start(who: Managing) -> JSONResponse:
        """Start a night now; 409 when one is under way, and where this server runs none."""
        if machines.night is None:
            told = "This server runs no nights; run `nightschool night` in the school's folder."
            return JSONResponse({"error": told}, 409)
        before = newest(school)
        if not machines.night.start(who.person or OWNER):
            told = "A night is under way already; wait for it to end."
            return JSONResponse({"error": told}, 409)
        return JSONResponse({"running": True, "verdict": before}, 202)

    return api


def under_way(school: Desk, machines: Machines) -> dict[str, Any]:
    """Whether this server runs nights (`here`), and how far one is, whoever started it."""
    here = machines.night is not None and machines.night.running
    running = here or night_lock(school.folder).held()
    warehouse = getattr(school, "warehouse", None)
    step = step_of(warehouse) if running and warehouse is not None else ""
    return {"here": machines.night is not None, "running": running, "step": step}


def newest(school: Desk) -> dict[str, Any] | None:
    """The newest verdict; None before the first night ended."""
    verdicts = school.status().as_dict()["verdicts"]
    return dict(verdicts[-1]) if verdicts else None
