"""Which folder is the school, and the school in it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from nightschool.types.errors import ConfigError

MARK = "nightschool.toml"

BY = "terminal"
"""Who made a change, for the record: somebody at the command line."""


def counted(n: int, one: str, many: str = "") -> str:
    """How many of something: "1 answer", "2,000 answers"."""
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"


def say(text: str, *, err: bool = False) -> None:
    """Print a message; on a terminal the commands in it are bold, elsewhere in backticks."""
    if (sys.stderr if err else sys.stdout).isatty():
        text = re.sub("`([^`]+)`", lambda found: click.style(found[1], bold=True), text)
    click.echo(text, err=err)


def version_id(_: click.Context, __: click.Parameter, named: str) -> str:
    """A version as it is called, also where only its number was given: "2" is v2."""
    return f"v{int(named)}" if named.isdecimal() else named


def find_school(named: Path | None) -> Path:
    """The folder that was named, else this one or the nearest around it that is a school."""
    if named is not None:
        return named
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / MARK).exists():
            return folder
    raise ConfigError(
        f"No school here: {here} has no {MARK}. Go into a school's folder, name one with "
        "`nightschool --school FOLDER …`, or make one with `nightschool init FOLDER`."
    )


def open_school(ctx: click.Context, **options: Any) -> Any:
    """The school that the command is about, open; imports it only now."""
    from nightschool.app import School

    return School.open(find_school(ctx.obj), **options)
