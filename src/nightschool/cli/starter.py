"""`nightschool starter build`."""

from __future__ import annotations

from pathlib import Path

import click

from nightschool.starter.build import build


def build_starter(folder: Path, seed: int, threads: int) -> None:
    """Pretrain the starter again from nothing."""
    build(folder, seed=seed, threads=threads, progress=click.echo)
    click.echo(f"Built in {folder}; what it can do stands in {folder / 'claims.json'}.")
