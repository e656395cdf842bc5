"""Commands about those who answer: accounts, figures, gold."""

from __future__ import annotations

from pathlib import Path

import click

from nightschool.cli.find import open_school


@click.group()
def gold() -> None:
    """Questions whose answers are known: they show who answers with care."""


@gold.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def gold_add(ctx: click.Context, file: Path) -> None:
    """Bring gold questions from FILE (as a test file); what was ever learned is refused."""
    from nightschool.cli.crowd import add_gold

    with open_school(ctx) as school:
        add_gold(school, file)


@gold.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def gold_list(ctx: click.Context, as_json: bool) -> None:
    """Every gold question with its answers."""
    from nightschool.cli.crowd import print_gold

    with open_school(ctx) as school:
        print_gold(school, as_json)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def figures(ctx: click.Context, as_json: bool) -> None:
    """How people answer: how many, how fast, their agreement, and how often gold was right."""
    from nightschool.cli.crowd import print_figures

    with open_school(ctx) as school:
        print_figures(school, as_json)


@click.group()
def people() -> None:
    """Who may sign in: accounts, invitations, tokens, and the audit trail."""


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def people_list(ctx: click.Context, as_json: bool) -> None:
    """Everybody who has an account, with their role, and open invitations."""
    from nightschool.cli.people import print_people

    with open_school(ctx) as school:
        print_people(school, as_json)


@people.command("invite")
@click.argument("person", default="")
@click.option("--role", type=click.Choice(["owner", "teacher", "viewer"]), default="teacher")
@click.option("--days", default=7.0, help="How long the link is good.")
@click.pass_context
def people_invite(ctx: click.Context, person: str, role: str, days: float) -> None:
    """A one-time link for a new person; without PERSON they choose their name."""
    from nightschool.cli.people import invite

    with open_school(ctx) as school:
        invite(school, person, role, days)


@people.command("link")
@click.argument("person", default="")
@click.pass_context
def people_link(ctx: click.Context, person: str) -> None:
    """A one-time link: for a new owner, or for PERSON to choose a new password."""
    from nightschool.cli.people import link

    with open_school(ctx) as school:
        link(school, person)


@people.command("role")
@click.argument("person")
@click.argument("role", type=click.Choice(["owner", "teacher", "viewer"]))
@click.pass_context
def people_role(ctx: click.Context, person: str, role: str) -> None:
    """Give PERSON another role."""
    from nightschool.cli.people import set_role

    with open_school(ctx) as school:
        set_role(school, person, role)


@people.command("disable")
@click.argument("person")
@click.option("--undo", is_flag=True, help="Let PERSON in again.")
@click.pass_context
def people_disable(ctx: click.Context, person: str, undo: bool) -> None:
    """Shut PERSON out: every session, token and link of theirs ends."""
    from nightschool.cli.people import disable

    with open_school(ctx) as school:
        disable(school, person, not undo)


@people.command("token")
@click.argument("person")
@click.argument("name")
@click.option("--days", type=float, default=None, help="How long it is good; default: for ever.")
@click.option("--revoke", is_flag=True, help="End the token of that name instead.")
@click.pass_context
def people_token(
    ctx: click.Context, person: str, name: str, days: float | None, revoke: bool
) -> None:
    """A token called NAME, with which a machine has PERSON's rights; it is shown once."""
    from nightschool.cli.people import token

    with open_school(ctx) as school:
        token(school, person, name, days, revoke)


@people.command("withdraw")
@click.argument("person")
@click.option("--reason", default="", help="Why, for the record.")
@click.pass_context
def people_withdraw(ctx: click.Context, person: str, reason: str) -> None:
    """Take back all answers of PERSON and shut them out; a rebuild forgets what was learned."""
    from nightschool.cli.leaving import withdraw

    with open_school(ctx) as school:
        withdraw(school, person, reason)


@people.command("erase")
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask back.")
@click.pass_context
def people_erase(ctx: click.Context, person: str, yes: bool) -> None:
    """Delete PERSON and all that they said, for good; their name becomes a number."""
    from nightschool.cli.leaving import erase

    with open_school(ctx) as school:
        erase(school, person, yes)


@people.command("audit")
@click.option("--newest", default=50, help="How many entries.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def people_audit(ctx: click.Context, newest: int, as_json: bool) -> None:
    """Who changed what, newest first."""
    from nightschool.cli.people import print_audit

    with open_school(ctx) as school:
        print_audit(school, newest, as_json)
