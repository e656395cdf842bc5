"""`nightschool`: every command; what is heavy is imported only by the command that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from nightschool import __version__
from nightschool.cli.find import find_school
from nightschool.types.errors import NightschoolError


class Friendly(click.Group):
    """A group whose commands print an error that a person can mend without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a NightschoolError becomes one line on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except NightschoolError as error:
            click.echo(f"nightschool: {error}", err=True)
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


def _open(ctx: click.Context, **options: Any) -> Any:
    from nightschool.app import School

    return School.open(find_school(ctx.obj), **options)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--task",
    type=click.Choice(["words", "classification", "control", "drawing"]),
    default="words",
    help="What it learns: words or labels from people, control of a system, drawing from an "
    "artist.",
)
@click.option("--model", default="starter", help="A folder or NAME@REVISION; default: the starter.")
@click.option(
    "--original",
    type=click.Path(path_type=Path),
    help="What it was trained on before. Classification: rows of context and answer, a label.",
)
@click.option("--exam", type=click.Path(path_type=Path), help="A test file of your own.")
@click.option("--learner", default=None, help="Which learner teaches it; default: the task's.")
@click.option("--labels", type=click.Path(path_type=Path), help="Classification: one a line.")
@click.option("--env", help="Control: the system that reacts; default: Pendulum-v1.")
@click.option("--captions", type=click.Path(path_type=Path), help="Drawing: captions, one a line.")
@click.option(
    "--seed",
    default=0,
    help="The school's seed, for simulations: contexts kept for the exam can be guessed from it. "
    "Default 0: a secret, random choice.",
)
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any other setting.")
def init(folder: Path, **options: Any) -> None:
    """Begin a school in a new folder."""
    from nightschool.cli.init import begin

    begin(folder, **options)


@main.group()
def labels() -> None:
    """The labels of a school of classification."""


@labels.command("add")
@click.argument("names", nargs=-1, required=True)
@click.pass_context
def labels_add(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Add labels: answers may be them at once, the model has them from its next night on."""
    from nightschool.app.labels import add_labels

    found = add_labels(find_school(ctx.obj), names)
    click.echo(f"{len(found)} labels: {', '.join(found)}.")


@labels.command("list")
@click.pass_context
def labels_list(ctx: click.Context) -> None:
    """The labels, one a line."""
    from nightschool.app.config import read_config
    from nightschool.app.labels import needed_labels

    for name in needed_labels(read_config(find_school(ctx.obj))):
        click.echo(name)


@main.group()
def pool() -> None:
    """Contexts that could be asked."""


@pool.command("add")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def pool_add(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Add contexts from .jsonl, .csv, .parquet or .txt files."""
    from nightschool.app.pool import read_contexts

    with _open(ctx) as school:
        config = school.config
        how = (config.max_context_chars, school.kind, config.sheets)
        for file in files:  # all to the end first: a broken line anywhere adds nothing
            for context in read_contexts(file, *how):
                school.check(context)
        for file in files:
            added = school.add_contexts(read_contexts(file, *how))
            click.echo(
                f"{file}: {added.new} contexts added ({added.training} to learn from, "
                f"{added.exam} kept for the exam), {added.known} known before."
            )


@main.command()
@click.option("--person", default="me", help="Who answers.")
@click.option("--limit", default=0, help="Stop after this many answers; 0: go on.")
@click.pass_context
def ask(ctx: click.Context, person: str, limit: int) -> None:
    """Answer the model's questions here in the terminal."""
    from nightschool.cli.ask import ask_person

    with _open(ctx) as school:
        ask_person(school, person, limit)


@main.command()
@click.option("--limit", default=0, help="At most so many questions; 0: all that wait.")
@click.option("--nights", default=0, help="Then run a night, and so on, this many times.")
@click.pass_context
def teach(ctx: click.Context, limit: int, nights: int) -> None:
    """Let the school's own oracle (a system, a simulated teacher) answer what waits."""
    from nightschool.cli.teach import teach_school

    teach_school(find_school(ctx.obj), limit, nights)


@main.command()
@click.option("--host", default=None, help="Address to listen on; default: this machine only.")
@click.option("--port", type=int, default=None, help="Port; default from the settings.")
@click.option("--allow-remote", is_flag=True, help="Allow an address that others can reach.")
@click.option("--name", "names", multiple=True, help="A further host name that it is called by.")
@click.pass_context
def serve(
    ctx: click.Context,
    host: str | None,
    port: int | None,
    allow_remote: bool,
    names: tuple[str, ...],
) -> None:
    """The page, the API, and the nights on schedule."""
    from nightschool.cli.serve import serve_school

    with _open(ctx) as school:
        serve_school(school, host, port, allow_remote, names)


@main.command()
@click.option("--rebuild", is_flag=True, help="Learn again from version 0 on the whole manifest.")
@click.option("--abandon", is_flag=True, help="First give up a night that broke and cannot end.")
@click.pass_context
def night(ctx: click.Context, rebuild: bool, abandon: bool) -> None:
    """Run one night now."""
    from nightschool.cli.night import run

    if abandon:
        with _open(ctx) as school:
            number = school.abandon()
            click.echo(f"Night {number} was given up." if number else "No broken night waits.")
    run(find_school(ctx.obj), rebuild)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Where the school stands, and where the time went."""
    from nightschool.cli.render import print_status

    with _open(ctx) as school:
        print_status(school.status(), as_json)


@main.command(context_settings={"show_default": True})
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


@main.group(invoke_without_command=True)
@click.pass_context
def exam(ctx: click.Context) -> None:
    """Let champion and newest version sit the exam now; decides nothing."""
    if ctx.invoked_subcommand is None:
        from nightschool.cli.render import print_exam

        with _open(ctx) as school:
            print_exam(school.exam_now(), school.champion().id)


@exam.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def exam_add(ctx: click.Context, file: Path) -> None:
    """Bring a test file; items already answered for training are refused and listed."""
    with _open(ctx) as school:
        count = school.examiner.add(file)
        click.echo(
            f"{count} items from {file}; the exam now holds {len(school.examiner.marked())}."
        )


@main.command()
@click.argument("version")
@click.option("--by", default="owner", help="Who decides.")
@click.option("--reason", default="promoted by hand", help="Why, for the record.")
@click.pass_context
def promote(ctx: click.Context, version: str, by: str, reason: str) -> None:
    """Let VERSION serve, by your decision; it is recorded."""
    with _open(ctx) as school:
        click.echo(f"{school.promote(version, by, reason).id} serves.")


@main.command()
@click.option("--by", default="owner", help="Who decides.")
@click.option("--reason", default="rolled back by hand", help="Why, for the record.")
@click.pass_context
def rollback(ctx: click.Context, by: str, reason: str) -> None:
    """Let the champion before the present one serve again."""
    with _open(ctx) as school:
        click.echo(f"{school.rollback(by, reason).id} serves.")


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def backup(ctx: click.Context, target: Path) -> None:
    """Copy the whole school to TARGET, consistent while it is in use."""
    with _open(ctx) as school:
        school.backup(target)
    click.echo(f"Backed up to {target}; it is a school of its own and opens as one.")


@main.command()
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.pass_context
def config(ctx: click.Context, key: str | None, value: str | None) -> None:
    """Show all settings, or one; or set one."""
    from nightschool.cli.settings import show_or_set

    show_or_set(find_school(ctx.obj), key, value)


@main.command()
@click.option("--collect-garbage", is_flag=True, help="Delete weights that nothing needs.")
@click.pass_context
def doctor(ctx: click.Context, collect_garbage: bool) -> None:
    """Check every hash and file; exit code 1 when something is wrong."""
    with _open(ctx) as school:
        problems = school.warehouse.verify()
        for problem in problems:
            click.echo(problem)
        click.echo(f"{len(problems)} problems." if problems else "All is well.")
        if collect_garbage:
            freed = school.warehouse.collect_garbage()
            click.echo(f"{freed / 2**20:.1f} MiB freed.")
    if problems:
        sys.exit(1)


@main.command()
@click.option(
    "--teacher",
    type=click.Choice(["words", "robot", "artist"]),
    default="words",
    help="Who teaches: by words, by a robot's reactions, by drawings.",
)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo-school"))
@click.option("--nights", type=int, default=None, help="How many nights; default: the teacher's.")
@click.option("--answers", type=int, default=None, help="Answers a day; default: the teacher's.")
@click.option("--seed", default=1, help="Another seed, another pool and teacher.")
@click.option("--twin/--no-twin", default=True, help="The twin with random questions.")
def demo(folder: Path, teacher: str, **options: Any) -> None:
    """Watch the embedded default learn from a simulated teacher for some nights."""
    from nightschool.cli.demo import run_demo

    run_demo(folder, teacher, **options)


@main.command(context_settings={"show_default": True})
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


@main.group()
def starter() -> None:
    """The small model in the package."""


@starter.command("build-artist")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=0, help="The seed of its weights and drawings.")
@click.option("--threads", default=1, help="CPU threads.")
def starter_build_artist(folder: Path, seed: int, threads: int) -> None:
    """Pretrain the artist's starter again from nothing, into FOLDER."""
    from nightschool.cli.starter import build_artist

    build_artist(folder, seed, threads)


@starter.command("build")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=0, help="The seed of its weights and stories.")
@click.option("--threads", default=1, help="CPU threads.")
def starter_build(folder: Path, seed: int, threads: int) -> None:
    """Pretrain the starter again from nothing, into FOLDER."""
    from nightschool.cli.starter import build_starter

    build_starter(folder, seed, threads)
