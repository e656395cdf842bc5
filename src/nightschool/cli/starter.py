"""`nightschool starter build`."""

from __future__ import annotations

from pathlib import Path

import click

from nightschool.cli.night import night_bar
from nightschool.starter.build import build


def build_starter(folder: Path, seed: int, threads: int) -> None:
    """Pretrain the starter again from nothing."""
    with night_bar("starter") as report:
        build(folder, seed=seed, threads=threads, progress=click.echo)
    click.echo(f"Built in {folder}; what it can do stands in {folder / 'claims.json'}.")
