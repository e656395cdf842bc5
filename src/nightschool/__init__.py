"""nightschool: a model teaches itself by asking people, and learns from them overnight."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from nightschool.app.classroom import LocalClassroom
    from nightschool.client import Client

__version__ = "0.1.0"
__all__ = ["__version__", "connect", "open"]


def connect(url: str, token: str | None = None, *, person: str = "") -> Client:
    """A school behind a server; `person` names who answers where there are no accounts."""
    from nightschool.client import Client

    return Client(url, token, person=person)


def open(folder: str | PathLike[str], *, person: str = "me") -> LocalClassroom:
    """The school in a folder, in this process; loads what it needs, and no model before."""
    from pathlib import Path

    from nightschool.app.classroom import LocalClassroom

    return LocalClassroom.open(Path(folder), person)
