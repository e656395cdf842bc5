"""The page and the API: parse, call, render."""

from nightschool.web.app import create_app
from nightschool.web.server import run

__all__ = ["create_app", "run"]
