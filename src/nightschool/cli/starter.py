"""`nightschool starter`: contexts of its little world, and how its models were pretrained."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from nightschool.cli.find import counted
from nightschool.types.errors import ConfigError


def write_contexts(file: Path, number: int, seed: int) -> None:
    """Write contexts of the starter's world, each with its skill as the group; no file is lost."""
    from nightschool.starter import stories

    if file.suffix != ".jsonl":
        raise ConfigError(f"{file}: contexts are written as JSON lines; end its name in .jsonl.")
    questions = stories.pool(number, seed)
    try:
        with open(file, "x", encoding="utf-8") as out:
            for question in questions:
                out.write(json.dumps({"context": question.context, "group": question.skill}) + "\n")
    except FileExistsError:
        raise ConfigError(f"{file} exists; name a new file, or take that one away first.") from None
    except FileNotFoundError:
        raise ConfigError(f"{file.parent} is no folder; make it, or name another.") from None
    add = f"nightschool pool add {shlex.quote(str(file))}"
    click.echo(f"{counted(number, 'context')} in {file}. Add them with: {add}")


def build_starter(folder: Path, seed: int, threads: int) -> None:
    """Pretrain the starter again from nothing."""
    from nightschool.starter.build import build

    build(folder, seed=seed, threads=threads, progress=click.echo)
    click.echo(f"Built in {folder}; what it can do stands in {folder / 'claims.json'}.")


def build_artist(folder: Path, seed: int, threads: int) -> None:
    """Pretrain the artist's starter again, on drawings of the captions that it knows."""
    from nightschool.cli.night import night_bar
    from nightschool.learners.drawing import build as build_base
    from nightschool.starter.artist import PRETRAINED_EACH, pretraining_set

    captions, pictures = pretraining_set(PRETRAINED_EACH, seed)
    with night_bar("build") as report:
        claims = build_base(
            folder,
            captions,
            pictures,
            seed=seed,
            threads=threads,
            progress=lambda done, total: report("steps", done, total),
        )
    click.echo(f"Built in {folder}: {claims['steps']} steps in {claims['seconds']} seconds.")
