"""A teacher that reads a text of the little world, keeps count, and says how it goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from nightschool.starter.words import BOYS, GIRLS, NUMBERS, OPEN_FRAMES, PLURALS, SINGULAR

_VALUE = {word: value for value, word in enumerate(NUMBERS)}
_LARGEST = len(NUMBERS) - 1
_PLURAL = {
    **{plural: plural for plural in PLURALS},
    **{one: many for many, one in SINGULAR.items()},
}

# Any capitalised word may be a name, save those that begin other sentences.
_NAME = r"(?!(?:Now|The|Her|His|Today|In)\b)[A-Z][a-z]+"

# The building blocks of the sentence patterns below; {P}, {Q} and so on stand for them there.
_BLOCKS = {
    "P": rf"(?P<p>{_NAME})",
    "Q": rf"(?P<q>{_NAME})",
    "N": rf"(?P<n>{'|'.join(NUMBERS)})",
    "M": rf"(?P<n>{'|'.join(NUMBERS)}|half)",
    "O": rf"(?P<o>{'|'.join(_PLURAL)})",
    "H": r"(?P<h>her|his|the)",
}


class _Lost(Exception):
    """The text cannot be followed: something in it is impossible, or nobody can tell."""


@dataclass
class _Scene:
    """Who has how many of what so far, and which thing lies where."""

    held: dict[tuple[str, str], int] = field(default_factory=dict)
    vague: set[tuple[str, str]] = field(default_factory=set)
    friends: tuple[int, str, int] | None = None
    places: dict[str, str] = field(default_factory=dict)

    def has(self, person: str, plural: str) -> int:
        """How many things of a kind a person has; lost where the text did not say."""
        if (person, plural) in self.vague or (person, plural) not in self.held:
            raise _Lost
        return self.held[person, plural]

    def put(self, person: str, plural: str, number: int) -> None:
        """Set a number; lost where it leaves the world's number line."""
        if not 0 <= number <= _LARGEST:
            raise _Lost
        self.held[person, plural] = number

    def receive(self, person: str, plural: str, number: int) -> None:
        """Add to what a person has; who was never heard of stays somebody we know less about."""
        if (person, plural) in self.held:
            self.put(person, plural, self.held[person, plural] + number)
        else:
            self.vague.add((person, plural))

    def owner(self, her: str, actor: str, plural: str) -> str:
        """Whose things "her", "his" or "the" means: the actor's, or those of the only other."""
        if (actor, plural) in self.held and _fits(her, actor):
            return actor
        others = [
            person
            for person, things in self.held
            if things == plural and person != actor and _fits(her, person)
        ]
        if len(others) != 1:
            raise _Lost
        return others[0]


def _fits(her: str, person: str) -> bool:
    return not (her == "her" and person in BOYS) and not (her == "his" and person in GIRLS)


class ArithmeticTeacher:
    """Answers a context by following its story; knows nothing by heart."""

    def solve(self, text: str) -> str | None:
        """The one word that goes on, with its leading space; None where nobody can tell."""
        *sentences, cut = re.split(r"(?<=\.) ", text.rstrip(" "))
        scene = _Scene()
        try:
            for sentence in sentences:
                _follow(scene, sentence)
            return f" {_finish(scene, cut)}"
        except _Lost:
            return None


def _follow(scene: _Scene, sentence: str) -> None:
    """Let one whole sentence change the scene; lost where it is none of ours."""
    for pattern, change in _RULES:
        if found := pattern.fullmatch(sentence):
            change(scene, found)
            return
    if not _NEUTRAL.fullmatch(sentence):
        raise _Lost


def _finish(scene: _Scene, cut: str) -> str:
    """The word that the cut sentence asks for."""
    if found := _CUT_PLACE.fullmatch(cut):
        if found["o"] not in scene.places:
            raise _Lost
        return scene.places[found["o"]]
    if not (found := _CUT_OWNER.fullmatch(cut)):
        raise _Lost
    person = found["p"]
    known = [key for key in scene.held if key[0] == person]
    if len(known) != 1 or any(key[0] == person for key in scene.vague):
        raise _Lost
    return NUMBERS[scene.has(*known[0])]


def _has(scene: _Scene, found: re.Match[str]) -> None:
    scene.vague.discard((found["p"], _plural(found)))
    scene.put(found["p"], _plural(found), _VALUE[found["n"]])


def _some(scene: _Scene, found: re.Match[str]) -> None:
    scene.vague.add((found["p"], _plural(found)))


def _gain(scene: _Scene, found: re.Match[str]) -> None:
    """The giver may have a number too, and then it falls."""
    number, plural = _VALUE[found["n"]], _plural(found)
    giver = found.groupdict().get("q")
    if giver == found["p"]:
        raise _Lost
    if giver is not None and (giver, plural) in scene.held:
        scene.put(giver, plural, scene.has(giver, plural) - number)
    scene.receive(found["p"], plural, number)


def _part(scene: _Scene, owner: str, plural: str, word: str) -> int:
    """A number word, or the half of what the owner has; lost where it is not a whole number."""
    if word != "half":
        return _VALUE[word]
    number = scene.has(owner, plural)
    if number % 2:
        raise _Lost
    return number // 2


def _lose(scene: _Scene, found: re.Match[str]) -> None:
    """Somebody takes, eats or hides a part of what somebody has."""
    plural = _plural(found)
    owner = scene.owner(found["h"], found["p"], plural)
    part = _part(scene, owner, plural, found["n"])
    scene.put(owner, plural, scene.has(owner, plural) - part)
    if found["verb"] == "took":
        if owner == found["p"]:
            raise _Lost
        scene.receive(found["p"], plural, part)


def _lose_number(scene: _Scene, found: re.Match[str]) -> None:
    plural = _plural(found)
    number = scene.has(found["p"], plural) - _VALUE[found["n"]]
    scene.put(found["p"], plural, number)


def _give_half(scene: _Scene, found: re.Match[str]) -> None:
    plural = _plural(found)
    owner = found["p"]
    if found["q"] == owner or scene.owner(found["h"], owner, plural) != owner:
        raise _Lost
    part = _part(scene, owner, plural, "half")
    scene.put(owner, plural, part)
    scene.receive(found["q"], plural, part)


def _double(scene: _Scene, found: re.Match[str]) -> None:
    plural = _plural(found)
    owner = scene.owner(found["h"], found["p"], plural)
    scene.put(owner, plural, 2 * scene.has(owner, plural))


def _twice(scene: _Scene, found: re.Match[str]) -> None:
    plural = _plural(found)
    scene.put(found["p"], plural, 2 * scene.has(found["q"], plural))


def _than(scene: _Scene, found: re.Match[str]) -> None:
    plural = _plural(found)
    apart = _VALUE[found["n"]] * (1 if found["sign"] == "more" else -1)
    scene.put(found["p"], plural, scene.has(found["q"], plural) + apart)


def _each(scene: _Scene, found: re.Match[str], among: int) -> int:
    """What each of so many gets of the sharer's things; lost where it does not come out even."""
    plural = _plural(found)
    owner = scene.owner(found["h"], found["p"], plural)
    whole = scene.has(owner, plural)
    if owner != found["p"] or among < 1 or whole % among:
        raise _Lost
    scene.put(owner, plural, 0)
    return whole // among


def _share_with(scene: _Scene, found: re.Match[str]) -> None:
    if found["q"] == found["p"]:
        raise _Lost
    each = _each(scene, found, 2)
    scene.put(found["p"], _plural(found), each)
    scene.put(found["q"], _plural(found), each)


def _share_between(scene: _Scene, found: re.Match[str]) -> None:
    names = re.split(r", | and ", found["names"])
    if len(set(names)) < len(names):
        raise _Lost
    each = _each(scene, found, len(names))
    for name in names:
        scene.put(name, _plural(found), each)


def _share_friends(scene: _Scene, found: re.Match[str]) -> None:
    among = _VALUE[found["n"]]
    scene.friends = (among, _plural(found), _each(scene, found, among))


def _is_friend(scene: _Scene, found: re.Match[str]) -> None:
    if scene.friends is None or scene.friends[0] == 0:
        raise _Lost
    left, plural, each = scene.friends
    scene.put(found["p"], plural, each)
    scene.friends = (left - 1, plural, each)


def _count_aloud(scene: _Scene, found: re.Match[str]) -> None:
    """Counting aloud must go up in ones; its last number is how many there are."""
    values = [_VALUE[word] for word in found["list"].split(", ")]
    if values != list(range(values[0], values[0] + len(values))):
        raise _Lost
    scene.put(found["p"], _plural(found), values[-1])


def _pick(scene: _Scene, found: re.Match[str]) -> None:
    """A list such as "one pen, one pen, one pen"; it starts a count or adds to one."""
    pieces = [piece.split(" ") for piece in found["list"].split(", ")]
    if len({piece[1] for piece in pieces}) > 1 or any(len(piece) != 2 for piece in pieces):
        raise _Lost
    plural = _PLURAL[pieces[0][1]]
    total = sum(_VALUE[piece[0]] for piece in pieces)
    scene.put(found["p"], plural, scene.held.get((found["p"], plural), 0) + total)


def _put_place(scene: _Scene, found: re.Match[str]) -> None:
    scene.places[found["o"]] = found["place"]


def _carry(scene: _Scene, found: re.Match[str]) -> None:
    if found["o"] not in scene.places:
        raise _Lost
    _put_place(scene, found)


def _nothing(scene: _Scene, found: re.Match[str]) -> None:
    """A sentence that changes no number."""


def _plural(found: re.Match[str]) -> str:
    return _PLURAL[found["o"]]


def _compiled(pattern: str) -> re.Pattern[str]:
    for block, meaning in _BLOCKS.items():
        pattern = pattern.replace("{" + block + "}", meaning)
    return re.compile(pattern)


def _neutral() -> re.Pattern[str]:
    """Every open-ended sentence with one of its endings."""
    frames = [
        f"{frame.format(p=_NAME, her='(?:her|his)', Her='(?:Her|His)')} (?:{'|'.join(endings)})"
        for frame, endings in OPEN_FRAMES
    ]
    return re.compile(rf"(?:{'|'.join(frames)})\.")


_Change = Callable[[_Scene, re.Match[str]], None]
_WORDS = "|".join(NUMBERS)
_RULES: tuple[tuple[re.Pattern[str], _Change], ...] = tuple(
    (_compiled(pattern), change)
    for pattern, change in (
        (r"(?:Now )?{P} has {N} {O}\.", _has),
        (r"{P} (?:has|found|bought|got) some {O}\.", _some),
        (r"{P} (?:found|bought) {N} {O}\.", _gain),
        (r"{P} got {N} {O} from {Q}\.", _gain),
        (r"{Q} gave {P} {N} {O}\.", _gain),
        (r"{P} (?:lost|sold|ate) {N} {O}\.", _lose_number),
        (r"{P} (?P<verb>took|hid|ate|gave away|lost|sold) {M} of {H} {O}\.", _lose),
        (r"{P} gave {Q} half of {H} {O}\.", _give_half),
        (r"{P} doubled (?:the number of )?{H} {O}\.", _double),
        (r"{P} has (?:twice as many|double the) {O} (?:as|of) {Q}\.", _twice),
        (r"{P} has {N} (?P<sign>more|fewer) {O} than {Q}\.", _than),
        (r"{P} shared {H} {O} equally with {Q}\.", _share_with),
        (r"{P} shared {H} {O} equally between {N} friends\.", _share_friends),
        (
            r"{P} shared {H} {O} equally between "
            rf"(?P<names>{_NAME}(?:, {_NAME})* and {_NAME})\.",
            _share_between,
        ),
        (r"{P} is one of the friends\.", _is_friend),
        (rf"{{P}} counts {{H}} {{O}}: (?P<list>(?:{_WORDS})(?:, (?:{_WORDS}))*)\.", _count_aloud),
        (
            rf"{{P}} (?:found|bought|got) (?P<list>(?:{_WORDS}) (?:{'|'.join(_PLURAL)})"
            rf"(?:, (?:{_WORDS}) (?:{'|'.join(_PLURAL)}))+)\.",
            _pick,
        ),
        (r"{P} put the {O} in the (?P<place>[a-z]+)\.", _put_place),
        (r"{P} carried the {O} to the (?P<place>[a-z]+)\.", _carry),
        (r"{P} went home\.", _nothing),
    )
)
_NEUTRAL = _neutral()
_CUT_OWNER = _compiled("Now {P} has")
_CUT_PLACE = _compiled("Now the {O} is in the")
