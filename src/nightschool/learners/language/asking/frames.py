"""Frames: what is left of a context when its interchangeable words are taken out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nightschool.learners.language.asking.words import pieces

Slot = tuple[int, int]
"""A place for a word: its class, and which of the frame's different words of that class."""

Frame = tuple[str | Slot, ...]
Fillers = Mapping[int, tuple[str, ...]]
"""The different words of each class, in the order in which they appear."""

_END = re.compile(r"[.!?。！？]$")


@dataclass(frozen=True)
class Framed:
    """A text as a frame and its fillers; `spaces` is the white space before each piece."""

    frame: Frame
    fillers: Fillers
    spaces: tuple[str, ...]

    def text(self, fillers: Fillers | None = None) -> str:
        """The frame with its own fillers, or with others."""
        return "".join(
            space + (item if isinstance(item, str) else (fillers or self.fillers)[item[0]][item[1]])
            for space, item in zip(self.spaces, self.frame, strict=True)
        )


def framed(text: str, classes: Mapping[str, int]) -> Framed:
    """A text with every word of a class taken out; a word that comes twice has one slot."""
    fillers: dict[int, list[str]] = {}
    items: list[str | Slot] = []
    spaces: list[str] = []
    for piece in pieces(text):
        word = piece.strip()
        spaces.append(piece[: len(piece) - len(word)])
        if word not in classes:
            items.append(word)
            continue
        kind = classes[word]
        known = fillers.setdefault(kind, [])
        if word not in known:
            known.append(word)
        items.append((kind, known.index(word)))
    return Framed(tuple(items), {k: tuple(v) for k, v in fillers.items()}, tuple(spaces))


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with the white space before it; joined, they are the text."""
    found: list[str] = []
    begun: list[str] = []
    for piece in pieces(text):
        begun.append(piece)
        if _END.search(piece):
            found.append("".join(begun))
            begun = []
    return [*found, "".join(begun)] if begun else found


def together(parts: Sequence[str]) -> str:
    """Sentences as one text that begins with no white space."""
    return "".join(parts).lstrip()
