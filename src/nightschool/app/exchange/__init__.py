"""Records out of a school and into one: exporters and importers of the usual formats."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.app.exchange.filters import pairs, selection_of
from nightschool.app.exchange.formats import ENDING, MEDIA, Format, format_of, write
from nightschool.app.exchange.replies import Wishes
from nightschool.app.exchange.rows import Row, What, rows
from nightschool.app.exchange.taking import READERS, Taken, import_file
from nightschool.types import ConfigError
from nightschool.warehouse.archive import Selection

if TYPE_CHECKING:
    from nightschool.app.school import School

__all__ = [
    "ENDING",
    "MEDIA",
    "READERS",
    "Format",
    "Selection",
    "Taken",
    "What",
    "Wishes",
    "export",
    "format_of",
    "import_file",
    "pairs",
    "rows",
    "selection_of",
    "stream",
]


def stream(
    school: School,
    form: Format | str,
    chosen: Selection | None = None,
    what: What = What.EXAMPLES,
    *,
    nameless: bool = False,
) -> Iterator[bytes]:
    """The bytes of an export in pieces; what cannot be exported is refused before the first.

    `nameless` leaves out whose each answer is and how long it took.
    """
    form = Format(form)
    found = rows(school, chosen or Selection(), what)
    if nameless and what is What.ANSWERS:
        found = ({**row, "person": None, "seconds": None} for row in found)
    pieces = write(found, form, what)
    first = next(pieces, b"")

    def all_pieces() -> Iterator[bytes]:
        yield first
        yield from pieces

    return all_pieces()


def export(
    school: School,
    path: Path,
    form: Format | str = "",
    chosen: Selection | None = None,
    what: What = What.EXAMPLES,
) -> int:
    """Write a selection to a file; returns how many records it has.

    `form` may be left out where the file's ending says it. An existing file is not overwritten,
    and one appears whole or not at all. Raises ConfigError with the cure.
    """
    if path.exists():
        raise ConfigError(f"{path} exists; name a new file, or take that one away first.")
    counted = _Counted(rows(school, chosen or Selection(), what))
    form = format_of(str(form), path.name, what)
    building = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(building, "wb") as file:
            for piece in write(counted, form, what):
                file.write(piece)
        os.rename(building, path)
    finally:
        building.unlink(missing_ok=True)
    return counted.count


class _Counted:
    """Rows that are counted as they pass."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            yield row
