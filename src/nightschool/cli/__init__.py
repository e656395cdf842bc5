"""The command line: parse, call, print."""

from nightschool.cli.main import main, run

__all__ = ["main", "run"]
