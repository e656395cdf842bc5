"""The morning as one HTML file that opens from a disk: nothing in it is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nightschool.web import texts
from nightschool.web.report import view

HERE = Path(__file__).parent
SHEETS = ("school.css", "vendor/uplot/uPlot.min.css", "morning.css")
PLOTTING = "vendor/uplot/uPlot.iife.min.js"
PLOTS = "plots.js"


def standalone(school: str, morning: Mapping[str, Any]) -> str:
    """The page of `Morning.as_dict()` with its styles, its data and what draws the plots."""
    jinja = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    jinja.filters["coded"] = texts.coded
    jinja.globals.update(t=texts.t, texts_of=texts.page)
    return jinja.get_template("report.html").render(
        school=school,
        m=view(morning),
        at=f"{datetime.fromtimestamp(morning['at']):%-d %B %Y, %H:%M}",
        sheets=[_static(name) for name in SHEETS],
        plotting=_static(PLOTTING),
        plots=_static(PLOTS),
    )


def _static(name: str) -> str:
    return (HERE / "static" / name).read_text(encoding="utf-8")
