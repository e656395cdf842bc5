"""The command line: parse, call, print."""

from nightschool.cli.main import main

__all__ = ["main"]
