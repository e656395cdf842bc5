"""Commands of the night and the morning: learn, examine, promote, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nightschool.cli.find import BY, counted, find_school, open_school, version_id


@click.command()
@click.option("--rebuild", is_flag=True, help="Learn again from version 0 on the whole manifest.")
@click.option("--abandon", is_flag=True, help="First give up a night that broke and cannot end.")
@click.option("--log-format", type=click.Choice(["json", "text"]), help="Log what it did.")
@click.pass_context
def night(ctx: click.Context, rebuild: bool, abandon: bool, log_format: str | None) -> None:
    """Run one night now."""
    from nightschool.cli.night import run

    if abandon:
        with open_school(ctx) as school:
            number = school.abandon()
            click.echo(f"Night {number} was given up." if number else "No broken night waits.")
    run(find_school(ctx.obj), rebuild, log_format)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Where the school stands, and where the time went."""
    from nightschool.cli.render import print_status

    with open_school(ctx) as school:
        print_status(school.status(), as_json)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--only", default="", metavar="PART", help="One part of it, as JSON, such as nights.")
@click.option(
    "--html", type=click.Path(path_type=Path), help="Into one HTML file that fetches nothing."
)
@click.pass_context
def report(ctx: click.Context, as_json: bool, only: str, html: Path | None) -> None:
    """The morning: exam, effort, lead, where the time went, and what lies ahead."""
    from nightschool.cli.report import report as write_report

    write_report(find_school(ctx.obj), as_json, only, html)


@click.command(context_settings={"show_default": True})
@click.option("--target", default=0.9, help="The exam score to reach, from 0 to 1.")
@click.option("--level", default=0.9, help="How probable the intervals are, from 0 to 1.")
@click.option("--stability", is_flag=True, help="Ask the newest versions a stop set; no fit.")
@click.option("--twin", is_flag=True, help="Measure the lead over random questions: five fits.")
@click.option(
    "--larger",
    multiple=True,
    metavar="MODEL|KEY=VALUE,…",
    help="A larger model or other learner settings, taught the same answers: three fits each.",
)
@click.option(
    "--hypotheses",
    default="",
    show_default=False,
    metavar="N|FILE",
    help="Declare a class: bound answers.",
)
@click.option(
    "--kinds",
    default=0,
    help="How many different answers a question may have; 0: as many as the labels or FILE.",
)
@click.option("--noise", default="measured", help="Share of wrong answers.")
@click.option("--error", default=0.0, help="How often the wrong hypothesis may be named.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def limits(ctx: click.Context, /, **options: Any) -> None:
    """When to stop, what more answers would bring, and the fewest that could do."""
    from nightschool.cli.limits import print_limits

    print_limits(find_school(ctx.obj), **options)


@click.group(invoke_without_command=True)
@click.pass_context
def exam(ctx: click.Context) -> None:
    """Let champion and newest version sit the exam now; decides nothing."""
    if ctx.invoked_subcommand is None:
        from nightschool.cli.render import print_exam

        with open_school(ctx) as school:
            print_exam(school.exam_now(), school.champion().id)


@exam.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def exam_add(ctx: click.Context, file: Path) -> None:
    """Bring a test file; items already answered for training are refused and listed."""
    with open_school(ctx) as school:
        count = school.examiner.add(file)
        click.echo(
            f"{counted(count, 'item')} from {file}; the exam now holds "
            f"{len(school.examiner.marked()):,}."
        )


@click.command()
@click.argument("version", default="", callback=version_id)
@click.option(
    "--against",
    default="",
    callback=version_id,
    metavar="VERSION",
    help="Another to compare the exam with.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def versions(ctx: click.Context, version: str, against: str, as_json: bool) -> None:
    """Every version; or VERSION's parent, recipe, manifest, seed and exam, won and lost."""
    from nightschool.cli.versions import print_version, print_versions

    with open_school(ctx) as school:
        if version:
            print_version(school, version, against, as_json)
        else:
            print_versions(school, as_json)


@click.command()
@click.argument("version", callback=version_id)
@click.option("--by", default=BY, help="Who decides.")
@click.option("--reason", default="promoted by hand", help="Why, for the record.")
@click.pass_context
def promote(ctx: click.Context, version: str, by: str, reason: str) -> None:
    """Let VERSION serve, by your decision; it is recorded."""
    with open_school(ctx) as school:
        click.echo(f"{school.promote(version, by, reason).id} serves.")


@click.command()
@click.option("--by", default=BY, help="Who decides.")
@click.option("--reason", default="rolled back by hand", help="Why, for the record.")
@click.pass_context
def rollback(ctx: click.Context, by: str, reason: str) -> None:
    """Let the champion before the present one serve again."""
    with open_school(ctx) as school:
        click.echo(f"{school.rollback(by, reason).id} serves.")


@click.command(context_settings={"show_default": True})
@click.option("--strategies", default="random,hybrid", help="Names, with commas between them.")
@click.option(
    "--teacher",
    type=click.Choice(["words", "robot", "artist"]),
    default="words",
    help="Whose simulated answers the embedded starter learns from.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Your own labelled rows instead (.jsonl, .csv, .parquet): context, answer, maybe group.",
)
@click.option(
    "--task",
    type=click.Choice(["words", "classification"]),
    default="words",
    help="With --data: what is learned from it, texts in words or labels.",
)
@click.option("--model", default="starter", help="With --data: a folder or NAME@REVISION.")
@click.option("--labels", type=click.Path(path_type=Path), help="With --data: labels, one a line.")
@click.option("--learner", default=None, help="With --data: which learner; default: the task's.")
@click.option("--hidden", default=0.3, help="With --data: the share kept for the hidden exam.")
@click.option(
    "--oracle",
    default="",
    show_default=False,
    help="Who answers; default: the teacher's, or the data.",
)
@click.option("--seeds", default=5, type=click.IntRange(1), help="How many runs a strategy.")
@click.option("--first-seed", default=1, type=click.IntRange(1), help="The first of the seeds.")
@click.option("--nights", type=click.IntRange(1), help="How many nights; default: the teacher's.")
@click.option("--answers", type=click.IntRange(1), help="Answers a day; default: the teacher's.")
@click.option("--measure", default="all", help="Which measure of the hidden exam is compared.")
@click.option("--target", type=float, help="Report the answers that it takes to get there.")
@click.option("--lower", is_flag=True, help="Less is better, as of an error.")
@click.option("--processes", default=2, type=click.IntRange(1), help="Runs side by side.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("simulation"),
    help="The folder of the runs, tables and picture.",
)
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any other setting.")
@click.option("--report-only", is_flag=True, help="Only what is complete; run nothing.")
@click.pass_context
def simulate(ctx: click.Context, /, out: Path, **options: Any) -> None:
    """Compare strategies on simulated schools, before people's hours are spent.

    The same days and nights as a real school's, against an oracle that never tires. What is
    complete in --out is kept: the same command goes on where it was stopped, and more --seeds or
    --strategies are added to it.
    """
    from nightschool.cli.simulate import command_line, simulate_schools

    simulate_schools(command_line(ctx), out, **options)
