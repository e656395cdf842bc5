"""`nightschool`: every command; what is heavy is imported only by the command that needs it."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from nightschool import __version__
from nightschool.cli.commands import day, night, outside, people, school
from nightschool.cli.find import say
from nightschool.types.errors import NightschoolError


class Friendly(click.Group):
    """A group whose commands print an error that a person can mend without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a NightschoolError becomes one line on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except NightschoolError as error:
            say(f"nightschool: {error}", err=True)
            ctx.exit(1)


@click.group(cls=Friendly, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-s",
    "--school",
    type=click.Path(path_type=Path),
    envvar="NIGHTSCHOOL_SCHOOL",
    help="The school's folder (default: this folder, or the one around it that is a school).",
)
@click.version_option(__version__)
@click.pass_context
def main(ctx: click.Context, school: Path | None) -> None:
    """A model teaches itself by asking: it asks by day, learns by night, and serves with proof."""
    ctx.obj = school


COMMANDS = (
    school.init,
    school.labels,
    school.config,
    school.doctor,
    school.backup,
    school.starter,
    school.demo,
    day.pool,
    day.ask,
    day.teach,
    day.serve,
    night.night,
    night.status,
    night.report,
    night.limits,
    night.exam,
    night.versions,
    night.promote,
    night.rollback,
    night.simulate,
    people.gold,
    people.figures,
    people.people,
    outside.webhook,
    outside.export,
    outside.import_,
)
for command in COMMANDS:
    main.add_command(command)


def run() -> None:
    """The command as a process, which ends when all is done.

    Python would first take apart what torch has built, object by object, for a second or more.
    """
    code = 1

    def end() -> None:
        with suppress(OSError):  # nobody reads on
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)

    atexit.register(end)  # the first to come is the last to be called
    try:
        main()
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
        raise
