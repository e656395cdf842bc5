"""`nightschool people withdraw` and `erase`: what somebody said is taken back, or deleted."""

from __future__ import annotations

from collections.abc import Callable

import click

from nightschool.app import School
from nightschool.cli.find import BY, counted, say
from nightschool.types import Version


def withdraw(school: School, person: str, reason: str) -> None:
    """Take back all answers of a person; they stay in the log."""
    count = school.leaving.withdraw(person, BY, reason)
    verb = "counts" if count == 1 else "count"
    cure = forgetting(school, lambda version: school.warehouse.leaving.unlearned(version) > 0)
    say(f"{counted(count, 'answer')} of {person} no longer {verb}. {cure}".rstrip())


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
        cure = forgetting(school, lambda version: version.id in erased.versions)
        say(f"Learned from them: {', '.join(erased.versions)}. {cure}".rstrip())
    click.echo(
        "Backups from before, trackers, and what webhooks were sent still hold it; so do texts of "
        'others that quote them. docs/people.md, "Leaving", says what is yours to delete.'
    )


def forgetting(school: School, learned: Callable[[Version], bool]) -> str:
    """What is left to do so that a version serves that never learned them; often nothing."""
    newest, serves = school.warehouse.trainee(), school.champion()
    if learned(newest):
        return "`nightschool night --rebuild` makes a version without them."
    if learned(serves):
        return f"{newest.id} never did: `nightschool promote {newest.id}` lets it serve."
    return ""
