from __future__ import annotations

import pytest

from nightschool.types import Context, Document, is_storable, normalise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Four.", "four"),
        ("four!", "four"),
        ("Four !!", "four"),
        ("four.!,", "four"),
        ("a  b\n c", "A b c"),
        ("caf\u0065\u0301", "caf\u00e9"),
        ("Straße", "STRASSE"),
        ("the answer is 5.", "the answer is 5"),
    ],
)
def test_what_reads_alike_is_equal(one, other):
    assert normalise(one) == normalise(other)
    assert Context.of(one).id == Context.of(other).id


@pytest.mark.parametrize(
    ("one", "other"),
    [("3²", "32"), ("x₁", "x1"), ("½", "1⁄2"), ("5!", "5"), ("5!!", "5!"), ("5! =", "5 =")],
)
def test_what_means_something_else_is_not(one, other):
    assert normalise(one) != normalise(other)
    assert Document(one).digest != Document(other).digest


@pytest.mark.parametrize("text", ["5!.", "5!", "Four!. !", "...", "!", "a . b", "3²!"])
def test_normalising_twice_changes_nothing(text):
    assert normalise(text)
    assert normalise(normalise(text)) == normalise(text)


def test_marks_after_a_factorial_still_close_it():
    assert normalise("5!.") == normalise("5!") == "5!"
    assert normalise("...") == "..."


def test_half_a_character_and_nul_cannot_be_stored():
    assert is_storable("naïve 🎓")
    assert not is_storable("a\ud800")
    assert not is_storable("a\0b")
