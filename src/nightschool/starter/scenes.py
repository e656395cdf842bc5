"""Small scenes, one kind a skill: sentences, then a sentence cut where its answer would stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from nightschool.starter.words import (
    FOOD,
    NAMES,
    NUMBERS,
    OPEN_FRAMES,
    PLACES,
    PLURALS,
    SINGULAR,
    amount,
    fill,
    pronoun,
)

LARGEST = len(NUMBERS) - 1


@dataclass(frozen=True)
class Scene:
    """What happened, the cut sentence, its answer (None: there is no right one), and its end."""

    events: tuple[str, ...]
    cut: str
    answer: str | None
    end: str
    people: tuple[str, ...]
    plural: str


def _cast(rng: Random) -> tuple[str, str, str]:
    """Two different people and the things that the scene is about."""
    person, other = rng.sample(NAMES, 2)
    return person, other, rng.choice(PLURALS)


def _counted(
    events: tuple[str, ...], owner: str, number: int, people: tuple[str, ...], plural: str
) -> Scene:
    """A scene that ends in "Now OWNER has NUMBER THINGS."."""
    noun = SINGULAR[plural] if number == 1 else plural
    return Scene(events, f"Now {owner} has", NUMBERS[number], f" {noun}.", people, plural)


def _has(person: str, number: int, plural: str) -> str:
    return f"{person} has {amount(number, plural)}."


def count(rng: Random) -> Scene:
    """Somebody counts aloud, or picks things one by one."""
    return _counting(rng, *_cast(rng), 0.7 * rng.random())


def count_or_recall(rng: Random) -> Scene:
    """Somebody counts, or simply has things while another has other ones (for stories only)."""
    return _counting(rng, *_cast(rng), rng.random())


def _counting(rng: Random, person: str, other: str, plural: str, way: float) -> Scene:
    if way < 0.4:
        number = rng.randint(1, LARGEST)
        aloud = ", ".join(NUMBERS[max(1, number - rng.randint(2, 6)) : number + 1])
        events: tuple[str, ...] = (f"{person} counts {pronoun(person)} {plural}: {aloud}.",)
    elif way < 0.7:
        number = rng.randint(2, 5)
        picked = ", ".join([amount(1, plural)] * number)
        events = (f"{person} {rng.choice(('found', 'bought', 'got'))} {picked}.",)
    else:
        number = rng.randint(0, LARGEST)
        their = rng.randint(0, LARGEST)
        two = [_has(person, number, plural), _has(other, their, plural)]
        rng.shuffle(two)
        events = (*two, f"{rng.choice((person, other))} went home.")
    return _counted(events, person, number, (person, other), plural)


def add(rng: Random) -> Scene:
    """Somebody gets more of what they have."""
    person, other, plural = _cast(rng)
    more = rng.randint(1, 10)
    start = rng.randint(1, LARGEST - more)
    things = amount(more, plural)
    change = rng.choice(
        (
            f"{other} gave {person} {things}.",
            f"{person} found {things}.",
            f"{person} bought {things}.",
            f"{person} got {things} from {other}.",
        )
    )
    events = (_has(person, start, plural), change)
    return _counted(events, person, start + more, (person, other), plural)


def _losses(person: str, other: str, part: str, whole: str, plural: str) -> list[str]:
    """Ways to lose some; `part` says how many with the noun, `whole` how many "of" them."""
    her = pronoun(person)
    ways = [
        f"{person} gave {other} {part}.",
        f"{person} lost {part}.",
        f"{person} sold {part}.",
        f"{other} took {whole} of {her} {plural}.",
        f"{other} hid {whole} of {her} {plural}.",
        f"{person} gave away {whole} of {her} {plural}.",
    ]
    if plural in FOOD:
        ways += [
            f"{other} ate {whole} of {her} {plural}.",
            f"{person} ate {whole} of {her} {plural}.",
        ]
    return ways


def take(rng: Random) -> Scene:
    """Somebody loses a number of what they have."""
    person, other, plural = _cast(rng)
    less = rng.randint(1, 10)
    start = rng.randint(less, LARGEST)
    change = rng.choice(_losses(person, other, amount(less, plural), NUMBERS[less], plural))
    events = (_has(person, start, plural), change)
    return _counted(events, person, start - less, (person, other), plural)


def half(rng: Random) -> Scene:
    """Somebody loses half of what they have."""
    person, other, plural = _cast(rng)
    result = rng.randint(1, LARGEST // 2)
    part = f"half of {pronoun(person)} {plural}"
    change = rng.choice(_losses(person, other, part, "half", plural))
    events = (_has(person, 2 * result, plural), change)
    return _counted(events, person, result, (person, other), plural)


def double(rng: Random) -> Scene:
    """Something is doubled, or somebody has twice as many."""
    person, other, plural = _cast(rng)
    start = rng.randint(1, LARGEST // 2)
    her = pronoun(person)
    change, owner = rng.choice(
        (
            (f"{other} doubled {her} {plural}.", person),
            (f"{person} doubled {her} {plural}.", person),
            (f"{person} doubled the number of {her} {plural}.", person),
            (f"{other} doubled the number of {her} {plural}.", person),
            (f"{other} has twice as many {plural} as {person}.", other),
            (f"{other} has double the {plural} of {person}.", other),
        )
    )
    events = (_has(person, start, plural), change)
    return _counted(events, owner, 2 * start, (person, other), plural)


def share(rng: Random) -> Scene:
    """Things are shared equally between friends."""
    person, *friends = rng.sample(NAMES, 4)
    plural = rng.choice(PLURALS)
    among = rng.choice((2, 2, 3, 3, 4, 5))
    each = rng.randint(1, LARGEST // among)
    start = _has(person, among * each, plural)
    shares = f"{person} shared {pronoun(person)} {plural} equally"
    way = rng.random()
    if among == 2 and way < 0.5:
        events: tuple[str, ...] = (start, f"{shares} with {friends[0]}.")
        owner = rng.choice((person, friends[0]))
    elif among <= 3 and way < 0.75:
        names = ", ".join(friends[: among - 1]) + f" and {friends[among - 1]}"
        events = (start, f"{shares} between {names}.")
        owner = rng.choice(friends[:among])
    else:
        owner = friends[0]
        events = (
            start,
            f"{shares} between {NUMBERS[among]} friends.",
            f"{owner} is one of the friends.",
        )
    return _counted(events, owner, each, (person, *friends), plural)


def compare(rng: Random) -> Scene:
    """Somebody has a number more, or fewer, than somebody else."""
    person, other, plural = _cast(rng)
    apart = rng.randint(1, 9)
    if rng.random() < 0.5:
        start = rng.randint(1, LARGEST - apart)
        word, result = "more", start + apart
    else:
        start = rng.randint(apart, LARGEST)
        word, result = "fewer", start - apart
    than = f"{other} has {NUMBERS[apart]} {word} {plural} than {person}."
    return _counted((_has(person, start, plural), than), other, result, (person, other), plural)


def carry(rng: Random) -> Scene:
    """A thing is put somewhere and then carried elsewhere."""
    person, other, plural = _cast(rng)
    thing = SINGULAR[plural]
    first, last = rng.sample(PLACES, 2)
    mover = rng.choice((person, other))
    events = (
        f"{person} put the {thing} in the {first}.",
        f"{mover} carried the {thing} to the {last}.",
    )
    return Scene(events, f"Now the {thing} is in the", last, ".", (person, other), plural)


def open_ended(rng: Random) -> Scene:
    """A sentence that may end in many ways, perhaps after something that did happen."""
    person, other, plural = _cast(rng)
    way = rng.random()
    if way < 0.15:
        events: tuple[str, ...] = (
            f"{person} {rng.choice(('has', 'found', 'bought', 'got'))} some {plural}.",
            rng.choice((f"{other} went home.", f"{person} went home.")),
        )
        answer = NUMBERS[rng.randint(2, LARGEST)]
        return Scene(events, f"Now {person} has", None, f" {answer} {plural}.", (person,), plural)
    if way < 0.6:
        events = (_has(rng.choice((person, other)), rng.randint(1, LARGEST), plural),)
    else:
        events = (neutral(rng, other),) if way < 0.8 else ()
    frame, endings = rng.choice(OPEN_FRAMES)
    end = f" {rng.choice(endings)}."
    return Scene(events, fill(frame, person), None, end, (person, other), plural)


def neutral(rng: Random, person: str) -> str:
    """A whole sentence that changes nobody's number of anything."""
    frame, endings = rng.choice(OPEN_FRAMES)
    return f"{fill(frame, person)} {rng.choice(endings)}."


SCENES: dict[str, Callable[[Random], Scene]] = {
    "count": count,
    "add": add,
    "take": take,
    "half": half,
    "double": double,
    "share": share,
    "compare": compare,
    "carry": carry,
    "open": open_ended,
}
