from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nightschool.warehouse import Warehouse
from tests.warehouse.helpers import make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "school"


@pytest.fixture
def warehouse(folder: Path) -> Iterator[Warehouse]:
    with make(folder) as warehouse:
        yield warehouse
