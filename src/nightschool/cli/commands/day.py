"""Commands of the day: contexts come in, people and oracles answer."""

from __future__ import annotations

from pathlib import Path

import click

from nightschool.cli.find import counted, find_school, open_school


@click.group()
def pool() -> None:
    """Contexts that could be asked."""


@pool.command("add")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def pool_add(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Add contexts from .jsonl, .csv, .parquet or .txt files."""
    from nightschool.app.pool import read_contexts

    with open_school(ctx) as school:
        config = school.config
        how = (config.max_context_chars, school.kind, config.sheets)
        for file in files:  # all to the end first: a broken line anywhere adds nothing
            for context in read_contexts(file, *how):
                school.check(context)
        for file in files:
            added = school.add_contexts(read_contexts(file, *how))
            click.echo(
                f"{file}: {counted(added.new, 'context')} added ({added.training:,} to learn from, "
                f"{added.exam:,} kept for the exam), {added.known:,} known before."
            )


@click.command()
@click.option("--person", default="me", help="Who answers.")
@click.option("--limit", default=0, help="Stop after this many answers; 0: go on.")
@click.pass_context
def ask(ctx: click.Context, person: str, limit: int) -> None:
    """Answer the model's questions here in the terminal."""
    from nightschool.cli.ask import ask_person

    with open_school(ctx) as school:
        ask_person(school, person, limit)


@click.command()
@click.option("--limit", default=0, help="At most so many questions; 0: all that wait.")
@click.option("--nights", default=0, help="Then run a night, and so on, this many times.")
@click.pass_context
def teach(ctx: click.Context, limit: int, nights: int) -> None:
    """Let the school's own oracle (a system, a simulated teacher) answer what waits."""
    from nightschool.cli.teach import teach_school

    teach_school(find_school(ctx.obj), limit, nights)


@click.command()
@click.option("--host", default=None, help="Address to listen on; default: this machine only.")
@click.option("--port", type=int, default=None, help="Port; default from the settings.")
@click.option("--allow-remote", is_flag=True, help="Allow an address that others can reach.")
@click.option("--name", "names", multiple=True, help="A further host name that it is called by.")
@click.option(
    "--accounts/--no-accounts",
    default=True,
    help="Whether people sign in; without accounts everybody at this machine is the owner.",
)
@click.option("--log-format", type=click.Choice(["json", "text"]), help="Log every request.")
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    help="A proxy before the server (such as 127.0.0.1), believed about clients' addresses.",
)
@click.pass_context
def serve(
    ctx: click.Context,
    host: str | None,
    port: int | None,
    allow_remote: bool,
    names: tuple[str, ...],
    accounts: bool,
    log_format: str | None,
    proxies: tuple[str, ...],
) -> None:
    """The page, the API, and the nights on schedule."""
    from nightschool.cli.serve import serve_school

    with open_school(ctx) as school:
        serve_school(school, host, port, allow_remote, names, accounts, log_format, proxies)
