"""`nightschool people`: accounts from the terminal, where whoever holds the folder is the owner."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import click

from nightschool.app import School
from nightschool.app.accounts import DAY
from nightschool.cli.find import BY
from nightschool.types.people import AccountError, Role


def print_people(school: School, as_json: bool) -> None:
    """Accounts and open invitations."""
    accounts, invitations = school.accounts.all(), school.accounts.invitations()
    if as_json:
        open_ = [{k: v for k, v in asdict(i).items() if k != "token"} for i in invitations]
        click.echo(json.dumps({"people": [asdict(a) for a in accounts], "invitations": open_}))
        return
    for account in accounts:
        mark = "  (disabled)" if account.disabled is not None else ""
        click.echo(f"{account.person}  {account.role.value}{mark}")
    for invitation in invitations:
        name = invitation.person or "somebody"
        click.echo(f"invited: {name} as {invitation.role.value}, until {day(invitation.until)}")
    if not accounts and not invitations:
        click.echo("Nobody yet; `nightschool serve` prints a link for the first owner.")


def invite(school: School, person: str, role: str, days: float) -> None:
    """Print a link for a new person."""
    secret = school.accounts.invite(Role(role), BY, person, days * DAY)
    _print_link(school, secret, days)


def link(school: School, person: str) -> None:
    """Print a link for a new owner, or for somebody's new password."""
    accounts = school.accounts
    _print_link(school, accounts.renew(person, BY) if person else accounts.owner_link(BY), 1)


def set_role(school: School, person: str, role: str) -> None:
    """Give a person another role."""
    school.accounts.set_role(person, Role(role), BY)
    click.echo(f"{person} is {role} now.")


def disable(school: School, person: str, disabled: bool) -> None:
    """Shut a person out, or let them in again."""
    school.accounts.set_disabled(person, disabled, BY)
    click.echo(f"{person} {'is shut out' if disabled else 'may come in'}; their answers stay.")


def token(school: School, person: str, name: str, days: float | None, revoke: bool) -> None:
    """Print a new token, or end one."""
    if not revoke:
        seconds = days * DAY if days is not None else None
        click.echo(school.accounts.add_token(person, name, BY, seconds))
        return
    found = [t for t in school.accounts.tokens(person) if t.name == name]
    if not found:
        names = ", ".join(t.name for t in school.accounts.tokens(person)) or "none"
        raise AccountError(f"{person!r} has no token {name!r}; there are: {names}.")
    for each in found:
        school.accounts.revoke(each, BY)
    click.echo(f"{len(found)} revoked.")


def print_audit(school: School, newest: int, as_json: bool) -> None:
    """The audit trail, newest first."""
    entries = school.warehouse.audit.entries(newest)
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in entries]))
        return
    for entry in entries:
        told = "  ".join(part for part in (entry.action, entry.subject, entry.detail) if part)
        click.echo(f"{day(entry.at)}  {entry.person}  {told}")


def day(at: float) -> str:
    """A moment in local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _print_link(school: School, secret: str, days: float) -> None:
    config = school.config
    until = "a day" if days == 1 else f"{days:g} days"
    click.echo(f"http://{config.host}:{config.port}/join/{secret}")
    click.echo(
        f"Good once, for {until}, while `nightschool serve` runs (say its address).", err=True
    )
