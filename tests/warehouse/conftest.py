from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nightschool.warehouse import Warehouse
from tests.postgres import copy_school
from tests.warehouse.children import Children
from tests.warehouse.helpers import make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school that is made once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("made") / "school"
    make(folder).close()
    return folder


@pytest.fixture(scope="session")
def children() -> Iterator[Children]:
    with Children() as children:
        yield children


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "school"


@pytest.fixture
def warehouse(folder: Path, made: Path) -> Iterator[Warehouse]:
    copy_school(made, folder)
    with Warehouse.open(folder) as warehouse:
        yield warehouse
