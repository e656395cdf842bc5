"""Timelines in the log: where each process' time went, one row for each stretch of its life."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, select

from nightschool.timeline import Slice
from nightschool.warehouse import tables
from nightschool.warehouse.dialect import upsert
from nightschool.warehouse.log import Log

_t = tables.timelines


class Timelines:
    """The kept timelines of one school."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def keep(self, found: Slice) -> None:
        """Keep a slice as it is now, in place of the same one as it was before."""
        self._log.write(lambda connection: _keep(connection, found))

    def since(self, moment: float) -> Sequence[Slice]:
        """Slices that ended at that moment (seconds since 1970) or later, oldest first."""
        with self._log.read() as connection:
            query = select(_t).where(_t.c.began + _t.c.wall >= moment).order_by(_t.c.began)
            return [
                Slice(**{**row._mapping, "parts": json.loads(row.parts)})
                for row in connection.execute(query)
            ]


def _keep(connection: Connection, found: Slice) -> None:
    key = {"id": found.id}
    values = {
        "process": found.process,
        "night": found.night,
        "began": found.began,
        "wall": found.wall,
        "parts": json.dumps(dict(found.parts)),
        "open": found.open,
    }
    row = upsert(connection, _t).values(**key, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))
