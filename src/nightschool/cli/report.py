"""`nightschool report`: the morning in the terminal, as JSON, or as one HTML file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.bar import Bar
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from nightschool.app import School
from nightschool.types import ConfigError
from nightschool.web.report import view
from nightschool.web.standalone import standalone
from nightschool.web.texts import t

SHOWN = 10
"""Nights that the terminal shows, the newest."""

WIDE = 32
COLOURS = {"promote": "green", "keep": "default", "roll_back": "yellow"}


def report(folder: Path, as_json: bool, only: str, html: Path | None) -> None:
    """Read the morning once, and write it as wanted."""
    with School.open(folder) as school:
        morning, name = school.morning.read().as_dict(), school.name
    if only and only not in morning:
        raise ConfigError(f"The report has no part {only!r}; it has {', '.join(morning)}.")
    if html is not None:
        write(html, standalone(name, morning))
        click.echo(f"{html}: the morning of {name}, in one file.")
    if as_json or only:
        click.echo(json.dumps(morning[only] if only else morning, indent=2))
    elif html is None:
        show(Console(), name, morning)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; ConfigError where its folder is not there."""
    if not path.parent.is_dir():
        raise ConfigError(f"{path.parent} is not a folder; make it, or name another file.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def show(console: Console, name: str, morning: Mapping[str, Any]) -> None:
    """The morning for a terminal: numbers, the curve, the day, the verdicts."""
    m = view(morning)
    console.print(Text(f"{name}  ", "bold") + Text(m["headline"]))
    console.print(Text(m["reason"]))
    console.print(Text(" · ".join(m["state"]), "dim"))
    for warning in m["warnings"]:
        console.print(Text(warning, "yellow"))
    console.print(Columns([_tile(tile) for tile in m["tiles"]], equal=True))
    if m["rows"]:
        console.print(_nights(m["rows"][:SHOWN], morning["nights"]))
    if m["ledger"]:
        console.print(_day(m["ledger"]))
    if m["growth"]:
        steps = [f"{s['name']}: {s['value']} ({s['share']})" for s in m["growth"]["steps"]]
        console.print(Text(t("morning.growth"), "bold"))
        console.print(Text(f"{m['growth']['why']} {'; '.join(steps)}."))
    commands = [own[0] for own in morning["commands"].values()]
    console.print(Text(f"{t('morning.how_title')}: {', '.join(commands)}", "dim"))


def _tile(tile: Mapping[str, Any]) -> Panel:
    text = Text(tile["value"], "bold")
    for line in tile["lines"]:
        text.append(f"\n{line}", "dim")
    return Panel(text, title=tile["name"], title_align="left", border_style="dim", width=WIDE)


def _nights(rows: list[Mapping[str, Any]], nights: list[Mapping[str, Any]]) -> Table:
    table = Table(title=t("morning.verdicts"), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for key in ("night", "verdict", "learned", "before", "after"):
        table.add_column(t(f"morning.{key}"), justify="left" if key == "verdict" else "right")
    table.add_column(t("morning.exam_range"))
    table.add_column("0–100 %", min_width=WIDE)
    marks = {n["night"]: n["after"] for n in nights}
    for row in rows:
        mark = marks[row["night"]]
        table.add_row(
            str(row["night"]),
            Text(row["decision"], COLOURS[row["kind"]]),
            row["answers"],
            row["before"],
            row["after"],
            row["after_range"],
            Bar(1.0, mark["low"], mark["high"], width=WIDE) if mark else "",
        )
    return table


def _day(ledger: list[Mapping[str, Any]]) -> Table:
    title, note = t("morning.day"), t("morning.day_bars")
    table = Table(title=title, title_justify="left", box=None, show_header=False, caption=note)
    table.caption_justify = "left"
    table.add_column()
    table.add_column(justify="right")
    table.add_column(min_width=WIDE)
    for row in ledger:
        bar = "" if row["bar"] is None else Bar(100.0, 0.0, row["bar"], width=WIDE)
        table.add_row(row["name"], row["told"], bar)
    return table
