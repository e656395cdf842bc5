"""`nightschool gold` and `nightschool figures`: who answers with care."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nightschool.app import School
from nightschool.app.figures import Share
from nightschool.cli.find import BY, counted


def add_gold(school: School, file: Path) -> None:
    """Bring gold questions and say how many there are."""
    count = school.gold.add(file, BY)
    click.echo(
        f"{counted(count, 'gold question')} from {file}; the school now has "
        f"{len(school.gold.items()):,}. "
        f"About {school.config.gold_share:.0%} of what each person is asked is gold."
    )


def print_gold(school: School, as_json: bool) -> None:
    """Every gold question with its accepted answers."""
    items = school.gold.items()
    if as_json:
        rows = [{"context": i.context.text, "answers": list(i.accepted)} for i in items]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for item in items:
        click.echo(f"{item.context.text!r}: {' | '.join(item.accepted)}")
    if not items:
        click.echo("No gold yet; bring some with `nightschool gold add FILE`.")


def print_figures(school: School, as_json: bool) -> None:
    """Everybody's figures as a table, shares with their 95 % interval."""
    figures = school.figures.everybody()
    if as_json:
        click.echo(json.dumps([figure.as_dict() for figure in figures], ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("who", "answers", "seconds", "agreement", "gold", "weight", "withdrawn", box=None)
    for each in figures:
        table.add_row(
            _plain(each.person),
            f"{each.answers:,}",
            f"{each.seconds:.1f}" if each.seconds is not None else "–",
            _share(each.agreement),
            _share(each.gold),
            f"{each.weight:.1f}" if each.weight is not None else "–",
            f"{each.withdrawn:,}" if each.withdrawn else "",
        )
    if figures:
        Console().print(table)
    else:
        click.echo("Nobody has answered yet.")


def _share(share: Share) -> str:
    if share.mean is None:
        return "–"
    return f"{share.mean:.0%} ({share.low:.0%} to {share.high:.0%}, {share.n:,})"


def _plain(name: str) -> str:
    from rich.markup import escape

    return escape(name)
