"""The artist's starter: real people's digits, captions, a simulated artist and a small base."""

from __future__ import annotations

from pathlib import Path

from nightschool.starter.artist.composing import SIDE, compose, drawings
from nightschool.starter.artist.digits import Split
from nightschool.starter.artist.grammar import (
    Scene,
    apart,
    captions,
    known,
    parse,
    style,
    unknown,
)
from nightschool.starter.artist.oracle import ArtistOracle
from nightschool.starter.artist.originals import (
    PRETRAINED_EACH,
    original_documents,
    pretraining_set,
)


def weights_folder() -> Path:
    """Where the base that ships with the package lies."""
    return Path(__file__).parent / "weights"


__all__ = [
    "PRETRAINED_EACH",
    "SIDE",
    "ArtistOracle",
    "Scene",
    "Split",
    "apart",
    "captions",
    "compose",
    "drawings",
    "known",
    "original_documents",
    "parse",
    "pretraining_set",
    "style",
    "unknown",
    "weights_folder",
]
