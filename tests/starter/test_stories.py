from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import FrozenInstanceError
from random import Random

import pytest

from nightschool.starter.stories import (
    EXAM_SKILLS,
    KNOWN_SKILLS,
    NEW_SKILLS,
    OPEN,
    SEED_ANSWER,
    SEED_CONTEXT,
    SKILLS,
    exam,
    original_texts,
    pool,
    question,
    seed_variants,
    story,
)

NEW_WORDS = re.compile(r"\b(half|doubled|double|twice|shared|more|fewer)\b")


@pytest.mark.parametrize("skill", SKILLS)
def test_question_has_a_one_word_answer_or_none(skill: str) -> None:
    rng = Random(3)
    for _ in range(300):
        drawn = question(rng, skill)
        assert drawn.skill == skill
        assert drawn.context == drawn.context.strip()
        if skill == OPEN:
            assert drawn.answer is None
        else:
            assert re.fullmatch(r" [a-z]+", drawn.answer or "")


def test_question_names_the_skills_when_asked_for_another() -> None:
    with pytest.raises(ValueError, match=r"no skill 'sing'.*half"):
        question(Random(0), "sing")


def test_questions_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        question(Random(0), "add").context = ""  # type: ignore[misc]


def test_same_seed_same_output_and_another_seed_another() -> None:
    assert pool(60, 5) == pool(60, 5)
    assert exam(60, 5) == exam(60, 5)
    assert seed_variants(20, 5) == seed_variants(20, 5)
    assert original_texts(20, 5) == original_texts(20, 5)
    assert pool(60, 5) != pool(60, 6)
    assert original_texts(20, 5) != original_texts(20, 6)


def test_output_is_the_same_on_every_machine() -> None:
    assert [q.context for q in seed_variants(2, 0)] == PINNED_VARIANTS
    assert original_texts(1, 0) == [PINNED_STORY]


def test_pool_is_a_third_each() -> None:
    kinds = Counter(q.skill for q in pool(300, 1))
    assert sum(kinds[s] for s in KNOWN_SKILLS) == 100
    assert sum(kinds[s] for s in NEW_SKILLS) == 100
    assert kinds[OPEN] == 100
    assert all(kinds[s] for s in (*KNOWN_SKILLS, *NEW_SKILLS))


def test_exam_is_balanced_and_takes_further_skills() -> None:
    assert Counter(q.skill for q in exam(140, 1)) == dict.fromkeys(EXAM_SKILLS, 20)
    assert Counter(q.skill for q in exam(6, 1, skills=("compare", "carry"))) == {
        "compare": 3,
        "carry": 3,
    }
    with pytest.raises(ValueError, match="open"):
        exam(6, 1, skills=("add", "open"))


def test_contexts_are_different_and_excluded_ones_stay_out() -> None:
    first = {q.context for q in pool(2_000, 1)}
    assert len(first) == 2_000
    again = {q.context for q in pool(2_000, 1, exclude=first)}
    assert not first & again
    asked = {q.context for q in seed_variants(500, 2)}
    assert not asked & {q.context for q in seed_variants(500, 2, exclude=asked)}
    assert not asked & {q.context for q in exam(600, 2, exclude=asked)}


@pytest.mark.parametrize("skill", NEW_SKILLS)
def test_new_skills_have_tens_of_thousands_of_contexts(skill: str) -> None:
    rng = Random(1)
    drawn = [question(rng, skill).context for _ in range(4_000)]
    # With N equally likely contexts, n draws repeat about n * n / (2 N) times.
    assert len(drawn) - len(set(drawn)) < 4_000**2 / (2 * 50_000)


def test_seed_context_never_comes_out() -> None:
    rng = Random(11)
    assert all(question(rng, "half").context != SEED_CONTEXT for _ in range(5_000))
    assert all(SEED_CONTEXT not in text for text in original_texts(5_000, 11))


def test_a_drawn_seed_context_is_thrown_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from nightschool.starter import stories
    from nightschool.starter.scenes import Scene

    events = tuple(f"{part}." for part in SEED_CONTEXT.split(". ")[:2])
    seed = Scene(events, "Now Jane has", "four", " apples.", ("Jane", "Charlie"), "apples")
    scenes = iter([seed, stories.SCENES["half"](Random(1))])
    monkeypatch.setattr(stories, "_ASIDE", 0.0)
    monkeypatch.setitem(stories.SCENES, "half", lambda rng: next(scenes))
    assert question(Random(0), "half").context != SEED_CONTEXT


def test_stories_hold_the_new_words_but_never_their_results() -> None:
    rng = Random(2)
    held = Counter[str]()
    for _ in range(6_000):
        text = story(rng)
        for found in NEW_WORDS.finditer(text):
            held[found[1]] += 1
            rest = text[found.start() :]
            told = re.search(r"\. Now ([A-Z][a-z]+) has", rest)
            # A number that is told afterwards belongs to somebody who has not been named before.
            assert told is None or told[1] not in text[: found.start()] + rest.split(".")[0]
    assert all(
        held[word] > 15
        for word in ["half", "doubled", "double", "twice", "shared", "more", "fewer"]
    )


def test_seed_variants_are_about_halves() -> None:
    assert {q.skill for q in seed_variants(50, 0)} == {"half"}
    assert SEED_ANSWER == " four"


def test_an_exhausted_grammar_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from nightschool.starter import stories

    only = stories.SCENES["add"](Random(0))
    monkeypatch.setattr(stories, "_ASIDE", 0.0)
    monkeypatch.setattr(stories, "_PATIENCE", 50)
    monkeypatch.setitem(stories.SCENES, "add", lambda rng: only)
    with pytest.raises(ValueError, match="No new context for 'add'"):
        exam(2, 0, skills=("add",))


def test_importing_the_grammar_does_not_import_torch() -> None:
    code = (
        "import sys, nightschool.starter, nightschool.starter.stories, "
        "nightschool.starter.teacher; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


PINNED_VARIANTS = [
    "Tom has two eggs. Hugo took half of his eggs. Now Tom has",
    "Jack has eight lemons. Adam took half of his lemons. Now Jack has",
]
PINNED_STORY = (
    "Grace has fifteen lemons. "
    "Emma has eight lemons. "
    "Grace went home. "
    "Now Emma has eight lemons. "
    "Now Grace has fifteen lemons."
)
