"""The starter: a small world, a model that has read about it, and a teacher who knows it."""

from __future__ import annotations

from pathlib import Path


def weights_folder() -> Path:
    """Where the starter model that ships with the package lies."""
    return Path(__file__).parent / "weights"
