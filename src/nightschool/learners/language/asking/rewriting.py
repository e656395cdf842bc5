"""Rewriting: contexts of the pool with other words in their places, or with more happening.

Nothing here knows a language or a world. Other words come from contexts of the same frame, a
whole class at a time, so that words which must agree (a name and its pronoun, the numbers of a
division that comes out even) stay together as somebody once wrote them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nightschool.learners.language.asking.frames import (
    Frame,
    Framed,
    framed,
    sentences,
    together,
)
from nightschool.learners.language.asking.words import word_classes

_STEM = 3
_PATIENCE = 20


@dataclass(frozen=True)
class Material:
    """What rewriting draws from: texts, their frames, and who shares one.

    `alike` lists the texts of each frame; `openings` those of three sentences or more by the frame
    of their first one.
    """

    texts: tuple[str, ...]
    classes: Mapping[str, int]
    frames: tuple[Framed, ...]
    alike: Mapping[Frame, list[int]] = field(repr=False)
    openings: Mapping[Frame, list[int]] = field(repr=False)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Material:
        """Word classes and frames of some texts."""
        classes = word_classes(texts)
        frames = tuple(framed(text, classes) for text in texts)
        alike: dict[Frame, list[int]] = defaultdict(list)
        openings: dict[Frame, list[int]] = defaultdict(list)
        for i, text in enumerate(texts):
            alike[frames[i].frame].append(i)
            if len(parts := sentences(text)) > 2:
                openings[framed(parts[0], classes).frame].append(i)
        return cls(tuple(texts), classes, frames, alike, openings)

    def recast(self, at: int, rng: np.random.Generator) -> str | None:
        """A text's frame with the words of others that have it; None where no other has.

        Each class of words comes from a text of its own, save classes whose words belong
        together ("one apple", "three apples").
        """
        seed = self.frames[at]
        others = self.alike[seed.frame]
        if len(others) < 2 or not seed.fillers:
            return None
        fillers: dict[int, tuple[str, ...]] = {}
        for bound in _bound(seed):
            donor = self.frames[others[int(rng.integers(len(others)))]]
            fillers |= {kind: donor.fillers[kind] for kind in bound}
        return seed.text(fillers)

    def lengthen(self, at: int, answer: str, rng: np.random.Generator) -> str | None:
        """A text that goes on after its answer as another text goes on; None where none fits.

        The other begins by saying what the answer says ("Now Ann has" + "two", "Ann has two
        pens."), once its frame is filled with words of others that have it. Where the answer is
        right and the other text is answerable, so is the longer one.
        """
        own = sentences(self.texts[at])
        if len(own) < 2 or answer not in self.classes:
            return None
        said = _words_by_class((own[0], own[-1]), self.classes)
        said[self.classes[answer]] = answer
        settled = {self.classes[answer], *framed(own[-1], self.classes).fillers}
        if any(len(self.frames[at].fillers[kind]) > 1 for kind in said.keys() - settled):
            return None  # which of several things the answer counts cannot be told
        starts = self.openings.get(framed(own[0], self.classes).frame, ())
        if not starts:
            return None
        for _ in range(_PATIENCE):
            donor = starts[int(rng.integers(len(starts)))]
            if (text := self._told(donor, said, rng)) is not None:
                return together([*own[:-1], *sentences(f" {text}")[1:]])
        return None

    def _told(self, donor: int, said: Mapping[int, str], rng: np.random.Generator) -> str | None:
        """The donor's frame, filled from texts that begin with these words; None without any."""
        seed = self.frames[donor]
        fillers: dict[int, tuple[str, ...]] = {}
        for bound in _bound(seed):
            fits = [
                i
                for i in self.alike[seed.frame]
                if all(self.frames[i].fillers[k][0] == said[k] for k in bound if k in said)
            ]
            if not fits:
                return None
            chosen = self.frames[fits[int(rng.integers(len(fits)))]]
            fillers |= {kind: chosen.fillers[kind] for kind in bound}
        return seed.text(fillers)


def _words_by_class(parts: Sequence[str], classes: Mapping[str, int]) -> dict[int, str]:
    """The first word of each class, a later part's before an earlier one's."""
    found: dict[int, str] = {}
    for part in parts:
        found |= {kind: own[0] for kind, own in framed(part, classes).fillers.items()}
    return found


def _bound(seed: Framed) -> list[list[int]]:
    """The classes in groups that must come from one text: some of their words share a stem."""
    groups: list[list[int]] = []
    for kind in sorted(seed.fillers):
        near = [g for g in groups if any(_akin(seed, kind, other) for other in g)]
        groups = [g for g in groups if g not in near]
        groups.append(sorted([kind, *(k for g in near for k in g)]))
    return groups


def _akin(seed: Framed, one: int, two: int) -> bool:
    """Whether two classes hold words of one stem: a common beginning of most of both words."""
    return any(
        a[:n] == b[:n]
        for a in seed.fillers[one]
        for b in seed.fillers[two]
        if (n := max(_STEM, (2 * max(len(a), len(b)) + 2) // 3)) <= min(len(a), len(b))
    )
