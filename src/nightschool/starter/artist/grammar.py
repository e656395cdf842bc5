"""The captions of the artist's little world: a grammar, and which of them the base has seen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from nightschool.types import PoolError, normalise

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZES = ("big", "small")
PLACES = ("top left", "top right", "bottom left", "bottom right")
COUNTS = {"two": 2, "three": 3}


@dataclass(frozen=True)
class Scene:
    """What a caption says: the digits from left to right, and how they stand on the paper.

    `size` is "", "big" or "small"; `place` is "" (the middle) or one of PLACES; `turned` is a
    quarter to the right. Several digits have none of these.
    """

    digits: tuple[int, ...]
    size: str = ""
    place: str = ""
    turned: bool = False

    @property
    def caption(self) -> str:
        """The scene in words, such as "a small seven at the top left"."""
        first = WORDS[self.digits[0]]
        if len(self.digits) == 1:
            words = [w for w in (self.size, "turned" if self.turned else "", first) if w]
            place = f" at the {self.place}" if self.place else ""
            return f"{_article(words[0])} {' '.join(words)}{place}"
        if len(set(self.digits)) > 1:
            second = WORDS[self.digits[1]]
            return f"{_article(first)} {first} beside {_article(second)} {second}"
        count = next(word for word, n in COUNTS.items() if n == len(self.digits))
        return f"{count} {_plural(first)}"


def parse(caption: str) -> Scene:
    """The scene that a caption describes; raises PoolError where the artist cannot tell."""
    text = normalise(caption)
    for pattern, read in _GRAMMAR:
        if found := pattern.fullmatch(text):
            return read(found.groupdict())
    raise PoolError(
        f"The artist cannot draw {caption[:60]!r}; it draws digits, such as {EXAMPLES}."
    )


EXAMPLES = (
    '"a seven", "a big seven", "a turned seven", "a seven at the top left", "two sevens" or '
    '"a seven beside a three"'
)


def captions() -> tuple[str, ...]:
    """The captions of the pool: those that the base knows, and those that nobody has drawn."""
    return _listed()[0]


def known() -> tuple[str, ...]:
    """The captions that the base was pretrained on: about half of the pool."""
    return _listed()[1]


def unknown() -> tuple[str, ...]:
    """The captions of the pool that were never drawn before the school began."""
    seen = set(known())
    return tuple(caption for caption in captions() if caption not in seen)


def apart() -> tuple[str, ...]:
    """Captions that are in no pool, so never drawn: only transfer can make them."""
    return _listed()[2]


def style(caption: str) -> str:
    """The style of a caption, such as "top left" or "beside": what it has besides its digits."""
    scene = parse(caption)
    if len(scene.digits) > 1:
        return "beside" if len(set(scene.digits)) > 1 else f"count of {len(scene.digits)}"
    words = (scene.size, "turned" if scene.turned else "", scene.place)
    return " ".join(w for w in words if w) or "plain"


def _styles() -> tuple[tuple[Scene, ...], ...]:
    """Ten scenes a style, one for each digit; the plain one first."""
    n = len(WORDS)
    return (
        tuple(Scene((d,)) for d in range(n)),
        tuple(Scene((d,), size="big") for d in range(n)),
        tuple(Scene((d,), place="top left") for d in range(n)),
        tuple(Scene((d,), place="bottom right") for d in range(n)),
        tuple(Scene((d, d)) for d in range(n)),
        tuple(Scene((d,), turned=True) for d in range(n)),
        tuple(Scene((d, (d + 3) % n)) for d in range(n)),
    )


@lru_cache(maxsize=1)
def _listed() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Pool, known, apart. Every style but the plain one has known, unknown and apart digits."""
    pool: list[str] = []
    seen: list[str] = []
    kept: list[str] = []
    for row, scenes in enumerate(_styles()):
        for digit, scene in enumerate(scenes):
            turn = (digit * 3 + row) % 10
            if row and turn == 9:
                kept.append(scene.caption)
                continue
            pool.append(scene.caption)
            if not row or turn < 4:
                seen.append(scene.caption)
    return tuple(pool), tuple(seen), tuple(kept)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" and word != "one" else "a"


def _plural(word: str) -> str:
    return word + ("es" if word.endswith("x") else "s")


def _one(found: dict[str, str]) -> Scene:
    return Scene(
        (WORDS.index(found["digit"]),),
        found["size"] or "",
        found["place"] or "",
        bool(found["turned"]),
    )


def _pair(found: dict[str, str]) -> Scene:
    return Scene((WORDS.index(found["digit"]), WORDS.index(found["other"])))


def _several(found: dict[str, str]) -> Scene:
    digit = [_plural(word) for word in WORDS].index(found["digits"])
    return Scene((digit,) * COUNTS[found["count"]])


_DIGIT = "|".join(WORDS)
_GRAMMAR = (
    (
        re.compile(
            rf"(an?|one) ((?P<size>{'|'.join(SIZES)}) )?((?P<turned>turned) )?(?P<digit>{_DIGIT})"
            rf"( at the (?P<place>{'|'.join(PLACES)}))?"
        ),
        _one,
    ),
    (re.compile(rf"an? (?P<digit>{_DIGIT}) beside an? (?P<other>{_DIGIT})"), _pair),
    (
        re.compile(rf"(?P<count>{'|'.join(COUNTS)}) (?P<digits>{'|'.join(map(_plural, WORDS))})"),
        _several,
    ),
)
