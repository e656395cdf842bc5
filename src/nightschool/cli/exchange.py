"""`nightschool export` and `nightschool import`: records out of a school, and into it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nightschool.app import School
from nightschool.app.exchange import (
    Taken,
    What,
    Wishes,
    export,
    format_of,
    import_file,
    pairs,
    selection_of,
    stream,
)
from nightschool.types import ConfigError


def write_out(
    school: School, file: str, form: str, filters: tuple[str, ...], answers: bool, exam: bool
) -> None:
    """Write a selection to a file, or to the terminal for "-"."""
    if answers and exam:
        raise ConfigError("Export the answers or the exam, never both in one file.")
    what = What.ANSWERS if answers else What.EXAM if exam else What.EXAMPLES
    chosen = selection_of(pairs(filters))
    if file == "-":
        for piece in stream(school, format_of(form or "prompt", file), chosen, what):
            sys.stdout.buffer.write(piece)
        return
    count = export(school, Path(file), form, chosen, what)
    click.echo(f"{count:,} {what.value if what is not What.EXAM else 'exam items'} in {file}.")
    if what is What.EXAM:
        click.echo("Whoever trains a model on this file has no exam left to show.", err=True)


def take_in(
    school: School, file: Path, tool: str, person: str, field: str, question: str, check: bool
) -> None:
    """Take the replies of a file in, or say what that would do."""
    wishes = Wishes(person, field, question)
    taken = import_file(school, file, tool, wishes, check=check)
    click.echo(told(taken, file, check))


def told(taken: Taken, file: Path, check: bool) -> str:
    """What an import did, in sentences."""
    kinds = ", ".join(f"{n:,} {kind.value}" for kind, n in taken.kinds.items())
    would = "would be " if check else ""
    return (
        f"{file}: {taken.replies:,} replies ({kinds}) of {len(taken.people):,} people. "
        f"{taken.answers:,} {would}added, {taken.known:,} known before; {taken.contexts:,} new "
        f"contexts ({taken.exam:,} kept for the exam)." + (" Nothing was changed." if check else "")
    )
