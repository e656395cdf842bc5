"""The stranger's packages, as if installed, and a school of their spring."""

from __future__ import annotations

from pathlib import Path

import pytest

from .lab import install, make_spring_school


@pytest.fixture(autouse=True)
def installed(monkeypatch, tmp_path):
    """Both packages on the path."""
    install(monkeypatch, tmp_path)


@pytest.fixture
def spring_school(tmp_path: Path) -> Path:
    """A small school of control."""
    return make_spring_school(tmp_path / "spring")
