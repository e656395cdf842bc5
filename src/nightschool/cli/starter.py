"""`nightschool starter build` and `build-artist`."""

from __future__ import annotations

from pathlib import Path

import click

from nightschool.starter.build import build


def build_starter(folder: Path, seed: int, threads: int) -> None:
    """Pretrain the starter again from nothing."""
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
