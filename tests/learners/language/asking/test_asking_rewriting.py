"""Classes of words, frames and rewritings, in a little world that is not the starter's."""

from __future__ import annotations

from itertools import product
from random import Random

import numpy as np
import pytest

from nightschool.learners.language.asking.frames import framed, sentences
from nightschool.learners.language.asking.rewriting import Material
from nightschool.learners.language.asking.words import pieces, word_classes, words

CITIES = ("Rome", "Oslo", "Bern", "Cairo", "Lima", "Quito")
DRIVERS = ("Kim", "Uma", "Raj", "Eva", "Ali", "Bo")
LOADS = {"crate": "crates", "box": "boxes", "sack": "sacks", "barrel": "barrels", "chest": "chests"}
AMOUNTS = ("two", "four", "six", "eight", "ten")
HALVES = dict(zip(AMOUNTS, ("one", "two", "three", "four", "five"), strict=True))


def journey(rng: Random) -> str:
    driver, (start, stop), (one, many) = (
        rng.choice(DRIVERS),
        rng.sample(CITIES, 2),
        rng.choice(list(LOADS.items())),
    )
    amount = rng.choice(AMOUNTS)
    kind = rng.randrange(4)
    if kind == 0:
        return f"{driver} drove from {start} to {stop}. Now {driver} is in"
    if kind == 1:
        return f"{driver} carries one {one}. {driver} found {amount} {many}. Now {driver} carries"
    if kind == 2:
        return f"{driver} carries {amount} {many}. A thief took half. Now {driver} carries"
    return f"{driver} carries {amount} {many}. {driver} slept in {start}. Now {driver} carries"


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rng = Random(5)
    return sorted({journey(rng) for _ in range(260)})


@pytest.fixture(scope="module")
def material(texts: list[str]) -> Material:
    return Material.of(texts)


def test_pieces_join_to_the_text():
    text = "Eva's  dog ran,\n and then (oh!) slept"
    assert "".join(pieces(text)) == text
    assert words(text)[:4] == ["Eva's", "dog", "ran", ","]


def test_words_that_stand_in_the_same_places_are_one_class(texts: list[str]):
    classes = word_classes(texts)
    for group in (CITIES, DRIVERS, AMOUNTS, tuple(LOADS), tuple(LOADS.values())):
        assert len({classes.get(word) for word in group}) == 1, group
        assert group[0] in classes
    assert len({classes[g[0]] for g in (CITIES, DRIVERS, AMOUNTS)}) == 3
    assert "carries" not in classes


def test_the_order_of_the_texts_is_moot(texts: list[str]):
    one, two = word_classes(texts), word_classes(texts[::-1])
    same = {(a, b) for a, b in product(one, one) if one[a] == one[b]}
    assert same == {(a, b) for a, b in product(two, two) if two[a] == two[b]}


@pytest.mark.parametrize("texts_", [[], [""], ["one two"], ["a a a a a a"]])
def test_few_words_have_no_classes(texts_: list[str]):
    assert word_classes(texts_) == {}


def test_a_frame_keeps_what_is_not_interchangeable():
    shape = framed("Kim met Uma. Kim  left", {"Kim": 1, "Uma": 1})
    assert shape.frame == ((1, 0), "met", (1, 1), ".", (1, 0), "left")
    assert shape.text() == "Kim met Uma. Kim  left"
    assert shape.text({1: ("Raj", "Bo")}) == "Raj met Bo. Raj  left"


def test_sentences_join_to_the_text():
    text = "One. Two! Three? And"
    assert sentences(text) == ["One.", " Two!", " Three?", " And"]
    assert "".join(sentences(text)) == text


def test_recast_texts_are_new_and_have_a_frame_of_the_pool(material: Material):
    rng = np.random.default_rng(0)
    made = [material.recast(i, rng) for i in range(len(material.texts))]
    made = [text for text in made if text is not None]
    frames = {shape.frame for shape in material.frames}
    assert len(made) > len(material.texts) / 2
    assert len(set(made) - set(material.texts)) > len(made) / 3
    assert all(framed(text, material.classes).frame in frames for text in made)


def test_a_name_is_replaced_wherever_it_stands(material: Material):
    rng = np.random.default_rng(1)
    for at in range(len(material.texts)):
        text = material.recast(at, rng)
        if text is not None:
            assert len({word for word in words(text) if word in DRIVERS}) == 1


def test_words_of_one_stem_stay_together():
    """One box and two crates are not one kind of thing: both come from one text."""
    classes = dict.fromkeys(LOADS, 1) | dict.fromkeys(LOADS.values(), 2)
    texts = [f"{one} and {many}" for one, many in LOADS.items()]
    shapes = tuple(framed(text, classes) for text in texts)
    alike = {shapes[0].frame: list(range(len(texts)))}
    material = Material(tuple(texts), classes, shapes, alike, {})
    rng = np.random.default_rng(2)
    made = {material.recast(0, rng) for _ in range(50)}
    assert made == set(texts)


def test_a_longer_text_goes_on_from_the_answer(material: Material):
    rng = np.random.default_rng(3)
    made = []
    for at, text in enumerate(material.texts):
        if "took half" in text:
            answer = HALVES[words(text)[2]]
            made.append((text, answer, material.lengthen(at, answer, rng)))
    found = [(text, longer) for text, _, longer in made if longer is not None]
    assert len(found) > 10
    for text, longer in found:
        begin, cut = sentences(text)[:-1], sentences(text)[-1]
        assert longer.startswith("".join(begin))
        assert longer.endswith(cut)
        assert len(sentences(longer)) > len(sentences(text))
    assert all(longer is None for _, answer, longer in made if answer in ("one", "three", "five"))


def test_no_longer_text_for_an_answer_that_is_no_word_of_a_class(material: Material):
    rng = np.random.default_rng(3)
    assert material.lengthen(0, "nonsense", rng) is None
    assert material.lengthen(0, "", rng) is None
