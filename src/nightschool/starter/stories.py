"""The starter's own grammar: stories to read before school, and questions to ask in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from nightschool.starter.scenes import LARGEST, SCENES, Scene, count_or_recall, neutral
from nightschool.starter.words import NAMES, NUMBERS, PLURALS, amount

KNOWN_SKILLS = ("count", "add", "take")
NEW_SKILLS = ("half", "double", "share", "compare")
CARRY = "carry"
OPEN = "open"
SKILLS = (*KNOWN_SKILLS, *NEW_SKILLS, CARRY, OPEN)
EXAM_SKILLS = (*KNOWN_SKILLS, *NEW_SKILLS)

SEED_CONTEXT = "Jane has eight apples. Charlie ate half of her apples. Now Jane has"
SEED_ANSWER = " four"

# How often a question holds a sentence that has nothing to do with it.
_ASIDE = 0.25
# Draws without a single new context before we say that a request cannot be met.
_PATIENCE = 10_000


@dataclass(frozen=True)
class StarterQuestion:
    """A context to continue, its one-word answer (None: nobody can tell), and its skill."""

    context: str
    answer: str | None
    skill: str


def question(rng: Random, skill: str) -> StarterQuestion:
    """One question about a skill; never the seed question.

    Raises ValueError for a skill that the grammar does not have.
    """
    if skill not in SCENES:
        raise ValueError(f"There is no skill {skill!r}; choose one of {', '.join(SKILLS)}.")
    while True:
        scene = _with_aside(rng, SCENES[skill](rng))
        context = " ".join((*scene.events, scene.cut))
        if context != SEED_CONTEXT:
            answer = None if scene.answer is None else f" {scene.answer}"
            return StarterQuestion(context, answer, skill)


def pool(n: int, seed: int, *, exclude: Collection[str] = ()) -> list[StarterQuestion]:
    """Different questions, a third each about known skills, new skills and nothing certain."""
    rng = Random(f"pool {seed}")
    kinds = (KNOWN_SKILLS, NEW_SKILLS, (OPEN,))
    skills = [rng.choice(kinds[i % len(kinds)]) for i in range(n)]
    return _shuffled(rng, _draw(rng, skills, exclude))


def exam(
    n: int,
    seed: int,
    *,
    skills: Sequence[str] = EXAM_SKILLS,
    exclude: Collection[str] = (),
) -> list[StarterQuestion]:
    """Different questions with a right answer, the same number (give or take one) a skill."""
    rng = Random(f"exam {seed}")
    if OPEN in skills:
        raise ValueError("Open-ended contexts have no right answer; leave 'open' out of the exam.")
    wanted = [skills[i % len(skills)] for i in range(n)]
    return _shuffled(rng, _draw(rng, wanted, exclude))


def seed_variants(n: int, seed: int, *, exclude: Collection[str] = ()) -> list[StarterQuestion]:
    """Different questions like the seed question: other names, things, numbers and verbs."""
    return _draw(Random(f"variants {seed}"), ["half"] * n, exclude)


def original_texts(n: int, seed: int) -> list[str]:
    """The first stories of the endless original dataset that a seed gives."""
    rng = Random(f"original {seed}")
    return [story(rng) for _ in range(n)]


def _draw(rng: Random, skills: Sequence[str], exclude: Collection[str]) -> list[StarterQuestion]:
    """One question a skill named, all contexts different and none of them excluded."""
    taken = set(exclude)
    drawn = []
    for skill in skills:
        for _ in range(_PATIENCE):
            fresh = question(rng, skill)
            if fresh.context not in taken:
                break
        else:
            raise ValueError(f"No new context for {skill!r} in {_PATIENCE} draws; exclude fewer.")
        taken.add(fresh.context)
        drawn.append(fresh)
    return drawn


def _shuffled(rng: Random, questions: list[StarterQuestion]) -> list[StarterQuestion]:
    return rng.sample(questions, len(questions))


def _with_aside(rng: Random, scene: Scene) -> Scene:
    """The scene, sometimes with a sentence that has nothing to do with its question."""
    if rng.random() >= _ASIDE:
        return scene
    stranger = _stranger(rng, scene)
    if rng.random() < 0.5:
        aside = neutral(rng, stranger)
    else:
        things = rng.choice([plural for plural in PLURALS if plural != scene.plural])
        aside = f"{stranger} has {amount(rng.randint(1, LARGEST), things)}."
    # First or last, never between two sentences of which the second leans on the first.
    events = (aside, *scene.events) if rng.random() < 0.5 else (*scene.events, aside)
    return replace(scene, events=events)


def _stranger(rng: Random, scene: Scene) -> str:
    return rng.choice([name for name in NAMES if name not in scene.people])


def story(rng: Random) -> str:
    """One story of the original dataset: a few sentences, or some plain facts about numbers.

    The words of the new skills occur, but what they do to a number is never told.
    """
    while True:
        teller = rng.choices(_TELLERS, _SHARES)[0]
        text = " ".join(teller(rng))
        if SEED_CONTEXT not in text:
            return text


def _told(scene: Scene) -> tuple[str, ...]:
    return (*scene.events, f"{scene.cut} {_ending(scene)}")


def _ending(scene: Scene) -> str:
    return (f"{scene.answer}{scene.end}" if scene.answer is not None else scene.end).strip()


def _known_story(rng: Random) -> Iterator[str]:
    """A question of a known skill with its answer."""
    skill = rng.choices(KNOWN_SKILLS, (1, 3, 3))[0]
    yield from _told(_with_aside(rng, _KNOWN_SCENES[skill](rng)))


def _roll_call(rng: Random) -> Iterator[str]:
    """Several people have the same kind of thing, and each is named again with the same number.

    Names in place of pronouns, again and again, teach a model to look up who has what.
    """
    people = rng.sample(NAMES, rng.randint(2, 4))
    plural = rng.choice(PLURALS)
    having = {name: amount(rng.randint(0, LARGEST), plural) for name in people}
    yield from (f"{name} has {things}." for name, things in having.items())
    if rng.random() < 0.5:
        yield f"{rng.choice(people)} went home."
    yield from (f"Now {name} has {having[name]}." for name in rng.sample(people, len(people)))


def _open_story(rng: Random) -> Iterator[str]:
    yield from _told(SCENES[OPEN](rng))


def _new_words_story(rng: Random) -> Iterator[str]:
    """A new skill's words; then the story moves on, and says nothing about the result."""
    scene = SCENES[rng.choice((*NEW_SKILLS, CARRY))](rng)
    yield from scene.events
    if rng.random() < 0.5:
        yield neutral(rng, rng.choice(scene.people))
    else:
        yield from _told(_elsewhere(rng, scene))


def _elsewhere(rng: Random, scene: Scene) -> Scene:
    """A scene of a known skill with nobody and nothing of another scene in it."""
    while True:
        other = _KNOWN_SCENES[rng.choice(KNOWN_SKILLS)](rng)
        if other.plural != scene.plural and not set(other.people) & set(scene.people):
            return other


def _number_line(rng: Random) -> Iterator[str]:
    """Somebody counts upwards, downwards, or by twos, threes, fours or fives."""
    step = rng.choice((1, 1, 1, 2, 2, 3, 4, 5))
    first = rng.randint(0, LARGEST - 2 * step) if rng.random() < 0.5 else rng.choice((0, step))
    numbers = list(NUMBERS[first : LARGEST + 1 : step])[: rng.randint(4, 10)]
    if rng.random() < 0.4:
        numbers.reverse()
    yield f"{rng.choice(NAMES)} counts: {', '.join(numbers)}."


def _facts(rng: Random) -> Iterator[str]:
    """Somebody knows a handful of facts about small numbers."""
    facts = ", ".join(_fact(rng) for _ in range(rng.randint(4, 8)))
    yield f"{rng.choice(NAMES)} knows: {facts}."


def _fact(rng: Random) -> str:
    kind = rng.randrange(8)
    if kind < 2:
        return _sum_fact(rng)
    if kind == 2:
        small, large = sorted(rng.sample(range(LARGEST + 1), 2))
        a, b, left = NUMBERS[large], NUMBERS[small], NUMBERS[large - small]
        return f"{a} take away {b} leaves {left}"
    if kind == 3:
        before = rng.randint(0, LARGEST - 1)
        return f"after {NUMBERS[before]} comes {NUMBERS[before + 1]}"
    if kind < 6:
        twin = rng.randint(1, LARGEST // 2)
        one, both = NUMBERS[twin], NUMBERS[2 * twin]
        return rng.choice((f"{one} and {one} make {both}", f"{both} is {one} and {one}"))
    rows = rng.randint(2, 5)
    each = rng.randint(1, LARGEST // rows)
    a, b, total = NUMBERS[rows], NUMBERS[each], NUMBERS[rows * each]
    return rng.choice((f"{a} rows of {b} are {total}", f"{total} in {a} rows is {b} a row"))


def _sum_fact(rng: Random) -> str:
    a = rng.randint(0, LARGEST)
    b = rng.randint(0, LARGEST - a)
    return f"{NUMBERS[a]} and {NUMBERS[b]} make {NUMBERS[a + b]}"


# Stories also tell who has what, which is no question: the starter learned it only half.
_KNOWN_SCENES = {**{skill: SCENES[skill] for skill in KNOWN_SKILLS}, "count": count_or_recall}

_TELLERS = (_known_story, _roll_call, _open_story, _new_words_story, _number_line, _facts)
_SHARES = (0.42, 0.10, 0.10, 0.16, 0.05, 0.17)
