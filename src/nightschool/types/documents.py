"""Documents: what a model shows and what an oracle replies, of any kind."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

TEXT = "text"

_NONE: Mapping[str, Any] = MappingProxyType({})
_SPACES = re.compile(r"\s+")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def normalise(text: str) -> str:
    """Text as compared, never as stored: NFC, case folded, runs of white space made one.

    Full stops and other closing marks at the end are dropped, so "Four." equals "four"; what
    bears meaning is not: "3²" is not "32", and "5!" is not "5".
    """
    folded = _SPACES.sub(" ", unicodedata.normalize("NFC", text).casefold()).strip()
    return _without_closing_marks(folded) or folded


def _without_closing_marks(text: str) -> str:
    while True:
        text = text.rstrip(".,;: ")
        calm = text.rstrip("!")
        if calm == text or calm[-1:].isdigit():
            return text
        text = calm


def is_storable(text: str) -> bool:
    """Whether every database can hold it: no NUL, no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None


@dataclass(frozen=True)
class Document:
    """A context or an answer: its kind, its body and its large parts as files named by hash.

    `body` is the text itself for kind "text", verbatim; canonical JSON for other kinds (a
    trajectory, a drawing). `blobs` maps a part's name to the sha256 of its bytes, by which the
    warehouse keeps them; `parts` are those bytes, read when they are looked at. Whoever makes a
    new document gives its parts, and `blobs` follows.
    """

    body: str
    kind: str = TEXT
    blobs: Mapping[str, str] = field(default_factory=lambda: _NONE)
    parts: Mapping[str, bytes] = field(default_factory=lambda: _NONE, compare=False, repr=False)

    def __post_init__(self) -> None:
        blobs = dict(self.blobs)
        if self.parts and not blobs:
            blobs = {k: hashlib.sha256(v).hexdigest() for k, v in self.parts.items()}
        object.__setattr__(self, "blobs", MappingProxyType(blobs) if blobs else _NONE)

    @cached_property  # asked for many times a night, of documents by the hundred thousand
    def digest(self) -> bytes:
        """sha256 of the normalised document: equal contexts are recognised by it."""
        body = normalise(self.body) if self.kind == TEXT else self.body
        parts = [self.kind, body, *(f"{k}={v}" for k, v in sorted(self.blobs.items()))]
        return hashlib.sha256("\0".join(parts).encode()).digest()

    def __hash__(self) -> int:
        return hash(self.digest)


@dataclass(frozen=True)
class Context:
    """What the model shows, and where it came from.

    `source` says who brought it: "pool", "log" (served traffic), "written" (by the model) or
    "exam" (a test file). `group` is a cluster or skill, where it is known.
    """

    document: Document
    source: str = "pool"
    group: str = ""

    @property
    def id(self) -> int:
        """The context's name for ever: 64 bits of its digest, below 2**63 (fits a database)."""
        return int.from_bytes(self.document.digest[:8], "big") >> 1

    @property
    def text(self) -> str:
        """The body, for contexts of kind "text"."""
        return self.document.body

    @classmethod
    def of(cls, text: str, source: str = "pool", group: str = "") -> Context:
        """A text context."""
        return cls(Document(text), source, group)
