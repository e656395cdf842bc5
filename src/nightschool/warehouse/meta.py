"""What a school remembers about itself: a few settings by name."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from nightschool.warehouse.dialect import upsert
from nightschool.warehouse.tables import meta

CREATED = "created"
"""Seconds since 1970 when the school began."""

SEED = "seed"
"""Decides every random draw of the nights."""


def get(connection: Connection, key: str) -> str | None:
    """The value of a setting, when it has one."""
    value: str | None = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    return value


def put(connection: Connection, values: Mapping[str, str]) -> None:
    """Remember settings."""
    for key, value in values.items():
        connection.execute(
            upsert(connection, meta)
            .values(key=key, value=value)
            .on_conflict_do_update(index_elements=["key"], set_={"value": value})
        )
