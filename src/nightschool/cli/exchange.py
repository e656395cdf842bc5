"""`nightschool export` and `nightschool import`: records out of a school, and into it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nightschool.app import School
from nightschool.app.exchange import (
    Selection,
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
from nightschool.app.labels import near
from nightschool.cli.find import BY, counted
from nightschool.cli.render import replies_told
from nightschool.types import ConfigError


def write_out(
    school: School, file: str, form: str, filters: tuple[str, ...], answers: bool, exam: bool
) -> None:
    """Write a selection to a file, or to the terminal for "-"."""
    if answers and exam:
        raise ConfigError("Export the answers or the exam, never both in one file.")
    what = What.ANSWERS if answers else What.EXAM if exam else What.EXAMPLES
    chosen = selection_of(pairs(filters))
    if what is not What.EXAM:
        check_known(school, chosen)
    if file == "-":
        for piece in stream(school, format_of(form, ".jsonl", what), chosen, what):
            sys.stdout.buffer.write(piece)
        return
    count = export(school, Path(file), form, chosen, what)
    name = "exam item" if what is What.EXAM else what.value.removesuffix("s")
    click.echo(f"{counted(count, name)} in {file}.")
    if what is What.EXAM:
        click.echo("Whoever trains a model on this file has no exam left to show.", err=True)


def check_known(school: School, chosen: Selection) -> None:
    """Raise ConfigError for a filter that nothing here can fit, with what there is."""
    for name in ("person", "group", "source", "strategy", "night"):
        wanted = getattr(chosen, name)
        if wanted in ("", None):
            continue
        known = school.warehouse.archive.values(name)
        if str(wanted) not in known:
            listed = ", ".join(near(str(wanted), known)) or "none yet"
            raise ConfigError(f"There is no {name} {wanted!r} here; there are: {listed}.")


def take_in(
    school: School, file: Path, tool: str, person: str, field: str, question: str, check: bool
) -> None:
    """Take the replies of a file in, or say what that would do."""
    wishes = Wishes(person, field, question)
    taken = import_file(school, file, tool, wishes, by=BY, check=check)
    click.echo(told(taken, file, check))


def told(taken: Taken, file: Path, check: bool) -> str:
    """What an import did, in sentences."""
    kinds = replies_told({kind.value: n for kind, n in taken.kinds.items()})
    would = "would be " if check else ""
    return (
        f"{file}: {counted(taken.replies, 'reply', 'replies')} ({kinds}) of "
        f"{counted(len(taken.people), 'person', 'people')}. {taken.answers:,} {would}added, "
        f"{taken.known:,} known before; {counted(taken.contexts, 'new context')} ({taken.exam:,} "
        "kept for the exam)." + (" Nothing was changed." if check else "")
    )
