from __future__ import annotations

from random import Random

import pytest

from nightschool.starter.stories import OPEN, SEED_ANSWER, SEED_CONTEXT, SKILLS, question
from nightschool.starter.teacher import ArithmeticTeacher

TEACHER = ArithmeticTeacher()


@pytest.mark.parametrize("skill", SKILLS)
def test_agrees_with_the_grammar(skill: str) -> None:
    rng = Random(17)
    for _ in range(2_000):
        drawn = question(rng, skill)
        assert TEACHER.solve(drawn.context) == drawn.answer, drawn


def test_answers_the_seed_question() -> None:
    assert TEACHER.solve(SEED_CONTEXT) == SEED_ANSWER


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        # Texts that the grammar does not write, but that a model or a person might.
        ("Jane has two apples. Jane found three apples. Jane ate one apple. Now Jane has", " four"),
        ("Bo has six pens. Bo doubled his pens. Ann took half of his pens. Now Bo has", " six"),
        ("Tom has nine pens. Tom gave Ben four pens. Now Tom has", " five"),
        ("Ben has one pen. Tom has nine pens. Tom gave Ben four pens. Now Ben has", " five"),
        ("Tom has six pens. Tom shared his pens equally between Ben, Ann and Sam. Now Tom has",
         " zero"),
        ("Tom has six pens. Ben has two pens. Ann took half of the pens. Now Tom has", None),
        ("Jane has eight apples. Charlie has two apples. Charlie ate half of her apples. "
         "Now Jane has", " four"),
    ],
)  # fmt: skip
def test_follows_texts_of_other_writers(text: str, answer: str | None) -> None:
    assert TEACHER.solve(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Now Jane has",
        "Jane has eight apples.",
        "Jane has eight apples. Now Tom has",
        "Jane has some apples. Now Jane has",
        "Jane has eight apples. Jane has two pens. Now Jane has",
        "Jane has seven apples. Charlie ate half of her apples. Now Jane has",
        "Jane has two apples. Jane ate three apples. Now Jane has",
        "Jane has nineteen apples. Tom gave Jane two apples. Now Jane has",
        "Jane has eleven apples. Jane doubled her apples. Now Jane has",
        "Tom has seven pens. Tom shared his pens equally with Ben. Now Ben has",
        "Tom has six pens. Tom shared his pens equally between zero friends. Now Tom has",
        "Jane has eight apples. Charlie ate half of his apples. Now Jane has",
        "Jane has eight apples. Charlie ate half of her pens. Now Jane has",
        "Jane has eight apples. apples half Charlie of the. Now Jane has",
        "Jane has eight apples. Her hat is",
        "Jane counts her beads: one, three, two. Now Jane has",
        "Jane found one pen, one cup. Now Jane has",
        "Tom carried the pen to the park. Now the pen is in the",
        "Now the pen is in the",
        "Ben is one of the friends. Now Ben has",
        "\N{SNOWMAN} has eight apples. Now \N{SNOWMAN} has",
    ],
)
def test_says_nothing_where_nobody_can_tell(text: str) -> None:
    assert TEACHER.solve(text) is None


def test_shuffled_words_are_not_answered() -> None:
    rng = Random(4)
    for _ in range(300):
        drawn = question(rng, rng.choice([skill for skill in SKILLS if skill != OPEN]))
        words = drawn.context.split(" ")
        rng.shuffle(words)
        assert TEACHER.solve(" ".join(words)) is None
