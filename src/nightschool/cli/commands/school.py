"""Commands that make and keep a school."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from nightschool.cli.find import counted, find_school, open_school


@click.command()
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
@click.option(
    "--database",
    metavar="URL",
    help="Keep the log in this empty PostgreSQL database, postgresql://USER@HOST/DATABASE; "
    "default: SQLite, in the folder.",
)
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any other setting.")
def init(folder: Path, **options: Any) -> None:
    """Begin a school in a new folder."""
    from nightschool.cli.init import begin

    begin(folder, **options)


@click.group()
def labels() -> None:
    """The labels of a school of classification."""


@labels.command("add")
@click.argument("names", nargs=-1, required=True)
@click.pass_context
def labels_add(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Add labels: answers may be them at once, the model has them from its next night on."""
    from nightschool.app.labels import add_labels
    from nightschool.cli.settings import note_change

    found = add_labels(find_school(ctx.obj), names)
    note_change(find_school(ctx.obj), "labels", f"added: {', '.join(names)}")
    click.echo(f"{counted(len(found), 'label')}: {', '.join(found)}.")


@labels.command("list")
@click.pass_context
def labels_list(ctx: click.Context) -> None:
    """The labels, one a line."""
    from nightschool.app.config import read_config
    from nightschool.app.labels import needed_labels

    for name in needed_labels(read_config(find_school(ctx.obj))):
        click.echo(name)


@click.command()
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.pass_context
def config(ctx: click.Context, key: str | None, value: str | None) -> None:
    """Show all settings, or one; or set one."""
    from nightschool.cli.settings import show_or_set

    show_or_set(find_school(ctx.obj), key, value)


@click.command()
@click.option("--collect-garbage", is_flag=True, help="Delete weights that nothing needs.")
@click.pass_context
def doctor(ctx: click.Context, collect_garbage: bool) -> None:
    """Check every hash and file; exit code 1 when something is wrong."""
    with open_school(ctx) as school:
        problems = school.warehouse.verify()
        for problem in problems:
            click.echo(problem)
        click.echo(f"{counted(len(problems), 'problem')}." if problems else "All is well.")
        if collect_garbage:
            freed = school.warehouse.collect_garbage()
            click.echo(f"{freed / 2**20:.1f} MiB freed.")
    if problems:
        sys.exit(1)


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_context
def backup(ctx: click.Context, target: Path) -> None:
    """Copy the whole school to TARGET, consistent while it is in use."""
    with open_school(ctx) as school:
        school.backup(target)
    click.echo(f"Backed up to {target}; it is a school of its own and opens as one.")


@click.group()
def starter() -> None:
    """The small model in the package, and contexts to ask it about."""


@starter.command("contexts")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--number", default=1000, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--seed", default=0, help="Another seed, other contexts.")
def starter_contexts(file: Path, number: int, seed: int) -> None:
    """Write contexts of the starter's little world to FILE, a pool to begin with."""
    from nightschool.cli.starter import write_contexts

    write_contexts(file, number, seed)


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


@click.command()
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
