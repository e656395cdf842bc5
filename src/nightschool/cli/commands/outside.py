"""Commands to and from other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nightschool.cli.find import find_school, open_school


@click.group()
def webhook() -> None:
    """Addresses that are told what happens: answers kept, nights ended, champions changed."""


@webhook.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--event", "events", multiple=True, help="Only this event; may be repeated.")
@click.option(
    "--secret",
    default="",
    metavar="$NAME",
    help="Not a new secret, but the one in this variable of the server's environment.",
)
@click.pass_context
def webhook_add(
    ctx: click.Context, name: str, url: str, events: tuple[str, ...], secret: str
) -> None:
    """Tell URL what happens; prints the secret that signs the messages."""
    from nightschool.cli import webhooks

    webhooks.add(find_school(ctx.obj), name, url, events, secret)


@webhook.command("remove")
@click.argument("name")
@click.pass_context
def webhook_remove(ctx: click.Context, name: str) -> None:
    """Tell it nothing any more."""
    from nightschool.cli import webhooks

    webhooks.remove(find_school(ctx.obj), name)


@webhook.command("list")
@click.pass_context
def webhook_list(ctx: click.Context) -> None:
    """The webhooks, one a line, and how many messages wait."""
    from nightschool.cli import webhooks

    webhooks.show(find_school(ctx.obj))


@webhook.command("test")
@click.argument("name")
@click.pass_context
def webhook_test(ctx: click.Context, name: str) -> None:
    """Send one message now and say what came back."""
    from nightschool.cli import webhooks

    webhooks.test(find_school(ctx.obj), name)


@click.command()
@click.argument("file")
@click.option(
    "--format",
    "form",
    default="",
    help="prompt, chat, jsonl, csv or parquet; default: what FILE's ending says (.jsonl: prompt "
    "for examples, every column for --answers).",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only these: text, person, reply, group, source, night, strategy, state.",
)
@click.option("--answers", is_flag=True, help="Every reply as it was given, not the examples.")
@click.option("--exam", is_flag=True, help="The exam's items: train nothing on them.")
@click.pass_context
def export(
    ctx: click.Context, file: str, form: str, filters: tuple[str, ...], answers: bool, exam: bool
) -> None:
    """Write examples (or answers, or the exam) to FILE; "-" is the terminal."""
    from nightschool.cli.exchange import write_out

    with open_school(ctx) as school:
        write_out(school, file, form, filters, answers, exam)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "tool",
    required=True,
    type=click.Choice(["prodigy", "labelstudio", "argilla", "openai", "nightschool"]),
    help="Whose file it is.",
)
@click.option("--person", default="", help="Whose replies they are, where the file does not say.")
@click.option("--field", default="", help="Which field of a record is the context, if several.")
@click.option("--question", default="", help="Which of several questions was answered.")
@click.option("--check", is_flag=True, help="Only say what would be imported.")
@click.pass_context
def import_(ctx: click.Context, /, file: Path, tool: str, **options: Any) -> None:
    """Take answers from another tool's FILE in: all of it, or nothing; twice adds nothing."""
    from nightschool.cli.exchange import take_in

    with open_school(ctx) as school:
        take_in(school, file, tool, **options)
