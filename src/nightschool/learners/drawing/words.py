"""Captions as numbers: any words at all, without a vocabulary that would have to be kept."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Sequence

import numpy as np

from nightschool.types import Floats, normalise

WORDS, PAIRS = 256, 256
"""Columns of hashed words and of hashed pairs of neighbours."""

WIDTH = WORDS + PAIRS
_COLUMNS = 4
_WORD = re.compile(r"\w+")
_ARTICLES = {"an": "a"}


def stems(caption: str) -> list[str]:
    """The words of a caption, compared as `normalise` does; plurals are as their singular."""
    return [_stem(_ARTICLES.get(word, word)) for word in _WORD.findall(normalise(caption))]


def features(captions: Sequence[str]) -> Floats:
    """Hashed words and pairs of neighbours (n, WIDTH) float32; each half of a row has length 1.

    Equal words share their columns whatever stands beside them (so that a model can make a new
    combination of known words); pairs keep order and what is particular. Each is a few signed
    columns, so that two that meet in one still differ (Weinberger et al. 2009, sec. 2).
    """
    rows = np.zeros((len(captions), WIDTH), dtype=np.float32)
    for row, caption in zip(rows, captions, strict=True):
        words = stems(caption)
        for word in words:
            _add(row[:WORDS], word)
        for a, b in itertools.pairwise(["", *words, ""]):
            _add(row[WORDS:], f"{a} {b}")
    for half in (rows[:, :WORDS], rows[:, WORDS:]):
        half /= np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-9)
    return rows


def _add(row: Floats, token: str) -> None:
    # A cryptographic hash: a checksum's columns for "1 four" and "1 nine" follow from each other.
    digest = hashlib.blake2b(token.encode(), digest_size=4 * _COLUMNS).digest()
    for hashed in np.frombuffer(digest, "<u4").tolist():
        row[(hashed >> 1) % len(row)] += 1.0 if hashed & 1 else -1.0


def _stem(word: str) -> str:
    if word.endswith("xes"):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
