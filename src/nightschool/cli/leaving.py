"""`nightschool people withdraw` and `erase`: what somebody said is taken back, or deleted."""

from __future__ import annotations

import click

from nightschool.app import School
from nightschool.cli.find import BY, counted

REBUILD = "`nightschool night --rebuild` makes a version without them."


def withdraw(school: School, person: str, reason: str) -> None:
    """Take back all answers of a person; they stay in the log."""
    count = school.leaving.withdraw(person, BY, reason)
    verb = "counts" if count == 1 else "count"
    click.echo(f"{counted(count, 'answer')} of {person} no longer {verb}. {REBUILD}")


def erase(school: School, person: str, yes: bool) -> None:
    """Delete a person and all that they said."""
    if not yes:
        click.confirm(f"Delete {person} and all that they said, for good?", abort=True)
    erased = school.leaving.erase(person, BY)
    click.echo(
        f"{person} is {erased.person} from now on. Their answers are deleted from this school, all "
        f"but what weights learned. Segments rewritten: {len(erased.segments)}."
    )
    if erased.versions:
        click.echo(f"Learned from them: {', '.join(erased.versions)}. {REBUILD}")
    click.echo(
        "Backups from before, trackers, and what webhooks were sent still hold it; so do texts of "
        'others that quote them. docs/people.md, "Leaving", says what is yours to delete.'
    )
