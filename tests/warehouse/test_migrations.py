from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from nightschool.types import WarehouseError
from nightschool.warehouse import Warehouse, migrations
from nightschool.warehouse.log import open_log
from nightschool.warehouse.tables import METADATA


def test_the_migrated_database_has_exactly_the_tables_and_columns_that_the_code_names(
    tmp_path: Path,
) -> None:
    log = open_log(tmp_path)
    look = inspect(log.engine)
    for name, table in METADATA.tables.items():
        found = {
            column["name"]: column["nullable"] and not column["primary_key"]
            for column in look.get_columns(name)
        }
        assert found == {column.name: column.nullable for column in table.columns}, name
        assert set(look.get_pk_constraint(name)["constrained_columns"]) == {
            column.name for column in table.primary_key
        }, name
    assert set(look.get_table_names()) == {*METADATA.tables, "migrations"}
    log.close()


def test_opening_twice_migrates_once_and_a_new_migration_once_more(
    folder: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.close()
    Warehouse.open(folder).close()
    more = (*migrations.MIGRATIONS, ("CREATE TABLE more (x INTEGER)",))
    monkeypatch.setattr(migrations, "MIGRATIONS", more)
    Warehouse.open(folder).close()
    with Warehouse.open(folder) as again, again._log.read() as connection:
        numbers = connection.execute(text("SELECT number FROM migrations ORDER BY number"))
        assert [row.number for row in numbers] == list(range(1, len(more) + 1))
        assert again.counts().training == 10


def test_a_newer_database_is_refused_with_the_cure(
    folder: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.close()
    newest = len(migrations.MIGRATIONS)
    monkeypatch.setattr(migrations, "MIGRATIONS", ())
    with pytest.raises(WarehouseError, match=rf"migration {newest}, .*knows only 0; upgrade"):
        Warehouse.open(folder)


def test_a_broken_migration_leaves_nothing_behind(
    folder: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.close()
    broken = ("CREATE TABLE more (x INTEGER)", "CREATE TABEL typo")
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
        with pytest.raises(WarehouseError, match="TABEL"):
            Warehouse.open(folder)
    with Warehouse.open(folder) as again:
        assert not inspect(again._log.engine).has_table("more")
