"""`nightschool versions`: every version, or one with its exam, as the page tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from nightschool.app import School
from nightschool.cli.people import day
from nightschool.types import ConfigError
from nightschool.web.texts import t, tn
from nightschool.web.versions import told_line, told_page

SHOWN = 20
"""Items that were won, or lost, that the terminal shows; --json has all."""


def print_versions(school: School, as_json: bool) -> None:
    """The versions, newest first: where each comes from, its exam, and why it serves or not."""
    lines = [told_line(line) for line in school.versions.every()]
    if as_json:
        click.echo(json.dumps(lines, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    names = ("version", "parent", "night", "examples", "score", "why")
    table = Table(*(t(f"versions.{name}") for name in names), box=None)
    for line in lines:
        table.add_row(
            line["id"] + (f" ({t('versions.serves')})" if line["serves"] else ""),
            line["parent"] or t("versions.as_brought"),
            f"{line['night']}",
            f"{line['examples']:,}",
            _points(line["score"]),
            Text(f"{line['decided']} {line['why']}".strip()),
        )
    Console().print(table)


def print_version(school: School, version: str, against: str, as_json: bool) -> None:
    """One version: where it comes from, and what it won and lost against another."""
    page = told_page(school.versions.page(version, against))
    if against and page["against"] != against:
        others = ", ".join(page["others"]) or "none"
        raise ConfigError(f"{version} sat no exam with {against}; compare it with: {others}.")
    if as_json:
        click.echo(json.dumps(page, indent=2))
        return
    serves = f" ({t('versions.serves')})" if page["serves"] else ""
    click.echo(t("versions.version_heading", id=page["id"]) + serves)
    if page["decided"]:
        click.echo(page["decided"])
    if page["reason"]:
        click.echo(f"{t('versions.in_night', n=page['judged']).capitalize()}: {page['reason']}")
    if page["erased"]:
        click.echo(t("versions.erased", names=", ".join(page["erased"])))
    if not page["there"]:
        click.echo(t("versions.gone"))
    click.echo()
    for name, told in _facts(page):
        click.echo(f"{t(f'versions.{name}')}: {told}")
    for reign in page["reigns"]:
        click.echo(f"{t('versions.served')}: {_reign(reign)}")
    click.echo()
    _print_exam(page)


def _facts(page: Mapping[str, Any]) -> list[tuple[str, str]]:
    recipe, manifest = page["recipe"], page["manifest"]
    rows = sum(segment["rows"] for segment in manifest["segments"])
    size = t(
        "versions.segments",
        n=len(manifest["segments"]),
        rows=f"{rows:,}",
        excluded=manifest["excluded"],
    )
    note = f"; {manifest['note']}" if manifest["note"] else ""
    return [
        ("parent", page["parent"] or t("versions.as_brought")),
        *([("children", ", ".join(page["children"]))] if page["children"] else []),
        ("night", f"{page['night']}"),
        ("recipe", f"{recipe['learner']} {json.dumps(recipe['settings'])}"),
        ("seed", f"{page['seed']}"),
        ("weights", page["weights"]),
        ("manifest", f"{manifest['hash']}\n  {size}{note}"),
    ]


def _reign(reign: Mapping[str, Any]) -> str:
    night = reign["night"]
    hand = [t("versions.by_hand")] if reign["by_hand"] else []
    when = [t("versions.in_night", n=night)] if night else hand
    told = ", ".join([day(reign["at"]), *when, f"{t('versions.by')} {reign['by']}"])
    return told if night else f"{told}: {reign['reason']}"  # a night's reason stands above


def _print_exam(page: Mapping[str, Any]) -> None:
    items = page["items"]
    if not items:
        click.echo(t("versions.no_exam"))
        return
    if not page["against"]:
        click.echo(tn("versions.alone", len(items)))
        return
    counts = {name: page[name] for name in ("won", "lost")}
    click.echo(f"{t('versions.against')} {page['against']}.")
    click.echo(t("versions.exam_night", n=page["exam_night"], items=len(items), **counts))
    for name, count in counts.items():
        click.echo(f"\n{t(f'versions.{name}')} ({count})")
        if not count:
            click.echo(f"  {t(f'versions.none_{name}')}")
        changed = [item for item in items if item["change"] == name]
        for item in changed[:SHOWN]:
            context = item["context"] or t("versions.unknown_context")
            accepted = " · ".join(item["accepted"]) or t("versions.not_in_bank")
            marks = f"{_points(item['before'])} → {_points(item['after'])}"
            click.echo(f"  {context}  {t('versions.accepted')} {accepted}  {marks}")
        if count > SHOWN:
            click.echo(f"  {t('versions.more', shown=SHOWN, all=count)}")


def _points(mark: float | None) -> str:
    """A mark in points; a dash where it is not known."""
    return "–" if mark is None else f"{100 * mark:.0f}"
