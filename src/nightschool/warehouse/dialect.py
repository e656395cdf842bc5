"""What SQLite and PostgreSQL do differently; no other file knows which of them it talks to."""

from __future__ import annotations

import sqlite3
import time
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    Text,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from nightschool.types import WarehouseError
from nightschool.warehouse.migrations import migrate
from nightschool.warehouse.tables import METADATA

BUSY_SECONDS = 30
"""How long a write waits for another process's write (the night's, or the server's)."""

FILE = "school.db"
"""The log of a school that has its own SQLite file."""

ADDRESS = "school.url"
"""In the folder of a school whose log is in a PostgreSQL database: the database's address."""

AT_ONCE = 1_000
"""Rows that are copied together."""

_WRITES = "nightschool_writes"
_ONE_WRITER = 0x6E696768
"""The number of the PostgreSQL lock that a write holds until its commit."""


def has_log(folder: Path) -> bool:
    """Whether the folder is a school's: it has a log, or says where that is."""
    return (folder / FILE).is_file() or (folder / ADDRESS).is_file()


def remember_address(folder: Path, address: str) -> None:
    """Write down in a new school's folder, for its owner's eyes only, where the log is.

    Raises WarehouseError, with nothing written, for an address that no driver understands.
    """
    _server_engine(address).dispose()
    path = folder / ADDRESS
    path.touch(mode=0o600)
    path.write_text(f"{address}\n", encoding="utf-8")


def make_engine(folder: Path) -> Engine:
    """An engine for the school's own SQLite file, or for the database that its folder names.

    Raises WarehouseError for an address that no driver understands.
    """
    if (folder / ADDRESS).is_file():
        return _server_engine((folder / ADDRESS).read_text(encoding="utf-8").strip())
    engine = create_engine(
        f"sqlite:///{folder / FILE}",
        pool_size=8,
        max_overflow=-1,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _server_engine(address: str) -> Engine:
    try:
        url = make_url(address)
        if url.get_backend_name() != "postgresql":
            raise WarehouseError(
                f"A log is kept in PostgreSQL, not in {url.get_backend_name()!r}; give an address "
                "like postgresql://USER@HOST/DATABASE, or none for SQLite in the folder."
            )
        # What is read is one moment of the log, as with SQLite; each writes in their turn.
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=8,
            max_overflow=-1,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
            execution_options={"preserve_rowcount": True},  # also of an INSERT
        )
    except ArgumentError as error:
        raise WarehouseError(
            f"{address!r} is no database's address; write postgresql://USER@HOST/DATABASE."
        ) from error
    except ModuleNotFoundError as error:
        raise WarehouseError(
            "PostgreSQL needs its driver; `pip install 'nightschool[postgresql]'`."
        ) from error
    event.listen(engine, "begin", _in_turn)
    return engine


def _in_turn(connection: Connection) -> None:
    # Whoever writes has read what all before wrote, as behind SQLite's BEGIN IMMEDIATE; and no
    # sequence number becomes visible after a higher one.
    if connection.get_execution_options().get(_WRITES):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_WRITER})")


def _on_connect(raw: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling would begin late and commit early; we say BEGIN.
    raw.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")
    raw.create_function("small", 1, lambda text: text and text.lower(), deterministic=True)


class _Small(GenericFunction[str]):
    """A text in small letters of every alphabet; SQLite's own `lower` knows ASCII alone."""

    name = "small"
    type = Text()
    inherit_cache = True


@compiles(_Small, "postgresql")
def _lower(element: _Small, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower{compiler.process(element.clause_expr, **options)}"


def holds(column: Column[str], words: str) -> ColumnElement[bool]:
    """The condition that a text holds these words, letters large or small."""
    if words.isascii():  # the database's own comparing takes a quarter of the time
        return column.icontains(words, autoescape=True)
    return _Small(column).contains(words.lower(), autoescape=True)


def _on_begin(connection: Connection) -> None:
    # A deferred transaction that starts writing late fails at once when another one wrote in
    # between, without waiting; IMMEDIATE waits its turn.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def for_writing(connection: Connection) -> Connection:
    """The same connection, whose transactions take the write lock when they begin."""
    if connection.dialect.name == "postgresql":
        # Behind the lock each statement sees what was committed; it came after the snapshot.
        connection = connection.execution_options(isolation_level="READ COMMITTED")
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


def copy_database(engine: Engine, folder: Path) -> None:
    """A consistent copy of a log in that folder's own SQLite file, while others go on writing."""
    if engine.dialect.name == "sqlite":
        copy = sqlite3.connect(folder / FILE)
        try:
            with engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert isinstance(raw, sqlite3.Connection)
                raw.backup(copy)
        finally:
            copy.close()
        return
    target = make_engine(folder)
    with engine.connect() as source, target.connect() as plain:
        connection = for_writing(plain)
        with connection.begin():
            migrate(connection)
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            for table in METADATA.tables.values():
                rows = source.execution_options(yield_per=AT_ONCE).execute(table.select())
                for part in rows.mappings().partitions():
                    connection.execute(table.insert(), [dict(row) for row in part])
    target.dispose()


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
        if engine.dialect.name != "sqlite":
            cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
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
