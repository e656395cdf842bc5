"""The same tests on PostgreSQL: with NIGHTSCHOOL_TEST_POSTGRES each school has its own database.

The variable is the address of a server where the user may create databases, for example
`postgresql://postgres@localhost/postgres`. Without it every school's log is SQLite.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nightschool.warehouse import Warehouse
from nightschool.warehouse.dialect import ADDRESS, has_log, remember_address

SERVER = os.environ.get("NIGHTSCHOOL_TEST_POSTGRES", "")

sqlite_only = pytest.mark.skipif(bool(SERVER), reason="looks into SQLite's own file")

_made: list[str] = []


def new_database(template: str = "template0") -> str:
    """The address of a new database, perhaps a copy of another that nobody has open."""
    from sqlalchemy import make_url

    name = f"nightschool_{uuid.uuid4().hex}"
    _tell(f"CREATE DATABASE {name} TEMPLATE {template}")
    _made.append(name)
    url = make_url(SERVER).set(database=name)
    return url.render_as_string(hide_password=False)


def copy_school(source: Path, target: Path) -> None:
    """A copy of a closed school, with a database of its own where it has one."""
    shutil.copytree(source, target)
    if (target / ADDRESS).is_file():
        from sqlalchemy import make_url

        old = make_url((source / ADDRESS).read_text().strip()).database
        remember_address(target, new_database(str(old)))


def on_postgres() -> Iterator[None]:
    """Let every new school have a database while the tests run; they are dropped at the end."""
    create = Warehouse.create.__func__  # type: ignore[attr-defined]

    def elsewhere(cls: Any, folder: Path, url: str | None = None, **settings: Any) -> Warehouse:
        url = url or (None if has_log(Path(folder)) else new_database())
        made: Warehouse = create(cls, folder, url, **settings)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Warehouse, "create", classmethod(elsewhere))
        yield
    for name in _made:
        _tell(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _tell(command: str) -> None:
    import psycopg

    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(command.encode())
