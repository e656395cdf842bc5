"""Rehearsal: original texts cut in the form of the questions."""

from __future__ import annotations

from nightschool.learners.language.lessons import turn
from nightschool.learners.language.rehearsal import mine

TEXTS = [
    "Tom has two pens. Now Tom has two pens. The day was warm.",
    "Ann had a cat. Now Ann has one cat. Then Ann has fun.",
    "Nothing of the kind.",
]
CONTEXTS = [f"{n} has eight apples. {n} ate some. Now {n} has" for n in ("Jane", "Karl", "Zoe")]


def test_texts_are_cut_in_the_form_of_the_questions() -> None:
    assert sorted(mine(TEXTS, CONTEXTS, n=9, seed=1)) == [
        ("Ann had a cat. Now Ann has", "one"),
        ("Tom has two pens. Now Tom has", "two"),
    ]
    assert len(mine(TEXTS, CONTEXTS, n=1, seed=1)) == 1
    assert mine(TEXTS, CONTEXTS, n=9, seed=1) == mine(TEXTS, CONTEXTS, n=9, seed=1)


def test_without_such_a_form_it_cuts_anywhere() -> None:
    pairs = mine(TEXTS, ["The capital of France is"], n=9, seed=1)
    assert len(pairs) == 6
    for shown, word in pairs:
        assert any(text.startswith(f"{shown} {word}") for text in TEXTS)
    assert mine(TEXTS, [], n=9, seed=1)
    assert mine([], CONTEXTS, n=9, seed=1) == []


def test_every_row_has_its_turn() -> None:
    taken = [i for step in range(10) for i in turn(7, 3, step, "key")]
    assert sorted(taken[:7]) == sorted(taken[7:14]) == list(range(7))
    assert taken[:7] != taken[7:14]
    assert turn(7, 3, 4, "key") == taken[12:15]
    assert turn(0, 3, 1, "key") == []
