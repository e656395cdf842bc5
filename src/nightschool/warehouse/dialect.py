"""What SQLite and PostgreSQL do differently; no other file knows which of them it talks to."""

from __future__ import annotations

import sqlite3
import time
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite

from nightschool.types import WarehouseError

BUSY_SECONDS = 30
"""How long a write waits for another process's write (the night's, or the server's)."""

_WRITES = "nightschool_writes"


def make_engine(folder: Path, url: str | None) -> Engine:
    """An engine for the school's own SQLite file, or for the database that `url` names."""
    if url is not None and not url.startswith("sqlite"):
        return create_engine(url, pool_size=8, max_overflow=-1)
    engine = create_engine(
        url or f"sqlite:///{folder / 'school.db'}",
        pool_size=8,
        max_overflow=-1,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(raw: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling would begin late and commit early; we say BEGIN.
    raw.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    # A deferred transaction that starts writing late fails at once when another one wrote in
    # between, without waiting; IMMEDIATE waits its turn.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def for_writing(connection: Connection) -> Connection:
    """The same connection, whose transactions take the write lock when they begin."""
    return connection.execution_options(**{_WRITES: True})


def upsert(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the database's own dialect."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: Table) -> Any:
    """The same for a dialect's name, for statements that are made once."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _insert_once(dialect: str, table: Table) -> Any:
    return insert_into(dialect, table).on_conflict_do_nothing()


def insert_once(connection: Connection, table: Table) -> Any:
    """An INSERT that passes over a row whose key is there already (its rowcount is then 0)."""
    return _insert_once(connection.dialect.name, table)


def quiesce(connection: Connection) -> None:
    """Wait for writers, so that "up to the highest sequence number" never grows afterwards.

    PostgreSQL gives numbers before their rows are visible; SQLite's write lock is enough.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE answers, retractions IN SHARE MODE"))


def copy_database(engine: Engine, target: Path) -> None:
    """A consistent copy of a SQLite log, made while others go on writing (SQLite's backup)."""
    if engine.dialect.name != "sqlite":
        raise WarehouseError(
            f"A {engine.dialect.name} log is backed up by its own tools, e.g. `pg_dump`."
        )
    copy = sqlite3.connect(target)
    try:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.backup(copy)
    finally:
        copy.close()


def scrub(engine: Engine) -> None:
    """Leave nothing in the database's files of what its tables hold no more.

    Raises WarehouseError where somebody reads or writes for longer than `BUSY_SECONDS`.
    """
    command = "VACUUM" if engine.dialect.name == "sqlite" else "VACUUM (FULL)"
    raw = engine.raw_connection()
    try:
        if engine.dialect.name != "sqlite":
            raw.driver_connection.autocommit = True  # type: ignore[union-attr]
        cursor = raw.cursor()
        cursor.execute(command)
        if engine.dialect.name == "sqlite":
            _empty_wal(cursor)
    finally:
        raw.invalidate()


def _empty_wal(cursor: Any) -> None:
    """Write the log beside the database into it, and cut it off: old pages stay there otherwise."""
    until = time.monotonic() + BUSY_SECONDS
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    while cursor.fetchone()[0]:
        if time.monotonic() > until:
            raise WarehouseError(
                "Somebody reads the log all the time, so what was erased is still in "
                "`school.db-wal`; stop them and open the school again."
            )
        time.sleep(0.05)
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def damage(connection: Connection) -> str:
    """What the database says is wrong with its own file; empty when all is well."""
    if connection.dialect.name != "sqlite":
        return ""
    found = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    return "" if found == "ok" else found
