"""Numbered, append-only migrations of the log, recorded in the database that they changed.

Never edit one that was released; append the next. The SQL is understood by SQLite and by
PostgreSQL; `{serial}` is what each calls a row number that the database counts.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, inspect, text

from nightschool.types import WarehouseError

_SERIAL = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "BIGSERIAL PRIMARY KEY",
}

_RECORD = """CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, at DOUBLE PRECISION NOT NULL)"""

_FIRST = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)",
    "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)",
    """CREATE TABLE contexts (
        id BIGINT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, blobs TEXT,
        source TEXT NOT NULL, grp TEXT NOT NULL, partition TEXT NOT NULL)""",
    "CREATE INDEX contexts_partition ON contexts (partition)",
    """CREATE TABLE questions (
        id TEXT PRIMARY KEY NOT NULL, context_id BIGINT NOT NULL REFERENCES contexts (id),
        strategy TEXT NOT NULL, score DOUBLE PRECISION NOT NULL, version TEXT NOT NULL,
        night INTEGER NOT NULL, rank INTEGER NOT NULL, queued BOOLEAN NOT NULL)""",
    "CREATE INDEX questions_queue ON questions (queued, night DESC, rank)",
    "CREATE INDEX questions_context ON questions (context_id)",
    """CREATE TABLE leases (
        question_id TEXT PRIMARY KEY NOT NULL REFERENCES questions (id),
        person TEXT NOT NULL, until DOUBLE PRECISION NOT NULL)""",
    "CREATE INDEX leases_person ON leases (person, until)",
    """CREATE TABLE answers (
        seq {serial}, id TEXT NOT NULL UNIQUE,
        question_id TEXT NOT NULL REFERENCES questions (id), context_id BIGINT NOT NULL,
        person TEXT NOT NULL REFERENCES people (id), reply TEXT NOT NULL,
        kind TEXT, body TEXT, blobs TEXT, seconds DOUBLE PRECISION NOT NULL,
        at DOUBLE PRECISION NOT NULL, note TEXT NOT NULL)""",
    "CREATE INDEX answers_context ON answers (context_id, person)",
    "CREATE INDEX answers_person ON answers (person, seq)",
    """CREATE TABLE retractions (
        seq {serial}, id TEXT NOT NULL UNIQUE,
        answer_id TEXT NOT NULL UNIQUE REFERENCES answers (id), person TEXT NOT NULL,
        why TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, reason TEXT NOT NULL)""",
    "CREATE INDEX retractions_person ON retractions (person, seq)",
    """CREATE TABLE manifests (
        hash TEXT PRIMARY KEY NOT NULL, night INTEGER NOT NULL, body TEXT NOT NULL)""",
    """CREATE TABLE nights (
        number INTEGER PRIMARY KEY NOT NULL, day INTEGER NOT NULL, date TEXT,
        seed BIGINT NOT NULL, rebuild BOOLEAN NOT NULL, answer_mark BIGINT NOT NULL,
        retraction_mark BIGINT NOT NULL, manifest TEXT REFERENCES manifests (hash),
        started DOUBLE PRECISION NOT NULL, finished DOUBLE PRECISION, error TEXT)""",
    """CREATE TABLE versions (
        number INTEGER PRIMARY KEY NOT NULL, id TEXT NOT NULL UNIQUE, parent TEXT NOT NULL,
        recipe TEXT NOT NULL, manifest TEXT NOT NULL REFERENCES manifests (hash),
        seed BIGINT NOT NULL, weights TEXT NOT NULL, night INTEGER NOT NULL)""",
    """CREATE TABLE champions (
        seq {serial}, version TEXT NOT NULL REFERENCES versions (id), night INTEGER NOT NULL,
        person TEXT NOT NULL, reason TEXT NOT NULL, at DOUBLE PRECISION NOT NULL)""",
    """CREATE TABLE results (
        night INTEGER NOT NULL, version TEXT NOT NULL, bank TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (night, version, bank))""",
    "CREATE TABLE verdicts (night INTEGER PRIMARY KEY NOT NULL, body TEXT NOT NULL)",
    """CREATE TABLE spans (
        seq {serial}, name TEXT NOT NULL, seconds DOUBLE PRECISION NOT NULL,
        at DOUBLE PRECISION NOT NULL, night INTEGER NOT NULL)""",
    "CREATE INDEX spans_night ON spans (night)",
)

_SPARES = (
    "ALTER TABLE questions ADD COLUMN spare BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE questions ADD COLUMN again BOOLEAN NOT NULL DEFAULT FALSE",
)

_PEOPLE = (
    # Several people may have one question before them. Leases end soon: none is carried over.
    "DROP TABLE leases",
    """CREATE TABLE leases (
        question_id TEXT NOT NULL REFERENCES questions (id), person TEXT NOT NULL,
        until DOUBLE PRECISION NOT NULL, PRIMARY KEY (question_id, person))""",
    "CREATE INDEX leases_person ON leases (person, until)",
    "ALTER TABLE questions ADD COLUMN wanted INTEGER NOT NULL DEFAULT 1",
    # A hint, so that a full queue's head is found at once: `done` ones got all their replies.
    "ALTER TABLE questions ADD COLUMN done BOOLEAN NOT NULL DEFAULT FALSE",
    "DROP INDEX questions_queue",
    "CREATE INDEX questions_queue ON questions (queued, done, night DESC, rank)",
    "ALTER TABLE questions ADD COLUMN guess TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE answers ADD COLUMN settles BOOLEAN NOT NULL DEFAULT FALSE",
    """CREATE TABLE accounts (
        person TEXT PRIMARY KEY NOT NULL REFERENCES people (id), role TEXT NOT NULL,
        password TEXT NOT NULL, created DOUBLE PRECISION NOT NULL, disabled DOUBLE PRECISION)""",
    """CREATE TABLE invitations (
        token TEXT PRIMARY KEY NOT NULL, role TEXT NOT NULL, person TEXT NOT NULL,
        made_by TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, until DOUBLE PRECISION NOT NULL,
        used DOUBLE PRECISION)""",
    """CREATE TABLE sessions (
        token TEXT PRIMARY KEY NOT NULL, person TEXT NOT NULL, at DOUBLE PRECISION NOT NULL,
        until DOUBLE PRECISION NOT NULL)""",
    """CREATE TABLE tokens (
        token TEXT PRIMARY KEY NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL,
        at DOUBLE PRECISION NOT NULL, until DOUBLE PRECISION)""",
    """CREATE TABLE audit (
        seq {serial}, at DOUBLE PRECISION NOT NULL, person TEXT NOT NULL, action TEXT NOT NULL,
        subject TEXT NOT NULL, detail TEXT NOT NULL)""",
    """CREATE TABLE gold (
        context_id BIGINT PRIMARY KEY NOT NULL REFERENCES contexts (id), accepted TEXT NOT NULL,
        person TEXT NOT NULL, at DOUBLE PRECISION NOT NULL)""",
    """CREATE TABLE erasures (
        seq {serial}, person TEXT NOT NULL, "by" TEXT NOT NULL, at DOUBLE PRECISION NOT NULL,
        segments TEXT NOT NULL, versions TEXT NOT NULL, blobs TEXT NOT NULL,
        finished DOUBLE PRECISION)""",
    """CREATE TABLE timelines (
        id TEXT PRIMARY KEY NOT NULL, process TEXT NOT NULL, night INTEGER NOT NULL,
        began DOUBLE PRECISION NOT NULL, wall DOUBLE PRECISION NOT NULL, parts TEXT NOT NULL)""",
    """CREATE TABLE deliveries (
        seq {serial}, hook TEXT NOT NULL, id TEXT NOT NULL, event TEXT NOT NULL,
        body TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, tries INTEGER NOT NULL,
        due DOUBLE PRECISION NOT NULL, done DOUBLE PRECISION,
        error TEXT NOT NULL, UNIQUE (hook, id))""",
    "CREATE INDEX deliveries_due ON deliveries (done, due)",
)

_CUT = ("ALTER TABLE timelines ADD COLUMN open BOOLEAN NOT NULL DEFAULT FALSE",)
"""Which processes were alive when their timeline was written: one that was killed stays so."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SPARES, _PEOPLE, _CUT)
"""Migration n is `MIGRATIONS[n - 1]`, a sequence of statements."""


def applied(connection: Connection) -> int:
    """The number of the newest migration that this database has; 0 for an empty one."""
    if not inspect(connection).has_table("migrations"):
        return 0
    found = connection.execute(text("SELECT max(number) FROM migrations")).scalar()
    return int(found or 0)


def migrate(connection: Connection) -> None:
    """Bring the database up to date, inside the caller's write transaction.

    Raises WarehouseError when the database was written by a newer nightschool.
    """
    present = applied(connection)
    if present > len(MIGRATIONS):
        raise WarehouseError(
            f"This school's log has migration {present}, but this nightschool knows only "
            f"{len(MIGRATIONS)}; upgrade with `pip install --upgrade nightschool`."
        )
    connection.execute(text(_RECORD))
    serial = _SERIAL[connection.dialect.name]
    for number in range(present + 1, len(MIGRATIONS) + 1):
        for statement in MIGRATIONS[number - 1]:
            connection.execute(text(statement.replace("{serial}", serial)))
        connection.execute(
            text("INSERT INTO migrations (number, at) VALUES (:number, :at)"),
            {"number": number, "at": time.time()},
        )
