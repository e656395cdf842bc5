"""The artist's little world: captions, digits that are dealt once, drawings, the oracle."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from nightschool.starter import artist
from nightschool.starter.artist import ArtistOracle, Scene, Split
from nightschool.starter.artist import digits as hands
from nightschool.starter.artist.composing import spots
from nightschool.testing import check_oracle
from nightschool.types import ConfigError, Context, Partition, PoolError, Question, Reply
from nightschool.types.drawing import caption_document, caption_of, decode_picture


def rng(seed=0):
    return np.random.default_rng(seed)


def ink(picture):
    return 1.0 - picture / 255.0


def middle(picture):
    """The centre of the ink, (x, y)."""
    y, x = np.mgrid[: artist.SIDE, : artist.SIDE]
    return tuple(float((axis * ink(picture)).sum() / ink(picture).sum()) for axis in (x, y))


def question(caption, sheet=1):
    context = Context(caption_document(caption, sheet))
    return Question("q", context, Partition.TRAINING, "captions", 0.0, "v", 1, 0)


def test_about_half_of_the_pool_is_known_and_some_captions_are_in_no_pool():
    pool, known, apart = set(artist.captions()), set(artist.known()), set(artist.apart())
    assert 50 <= len(pool) <= 100
    assert known < pool
    assert 0.4 < len(known) / len(pool) < 0.6
    assert set(artist.unknown()) == pool - known
    assert apart
    assert not apart & pool
    assert {artist.style(c) for c in artist.unknown()} == {artist.style(c) for c in apart}


def test_every_caption_is_read_as_it_was_written():
    for caption in (*artist.captions(), *artist.apart()):
        assert artist.parse(caption).caption == caption


@pytest.mark.parametrize(
    ("caption", "scene"),
    [
        ("a seven", Scene((7,))),
        ("  An EIGHT. ", Scene((8,))),
        ("a small seven", Scene((7,), size="small")),
        ("a big turned two at the bottom left", Scene((2,), "big", "bottom left", True)),
        ("three sixes", Scene((6, 6, 6))),
        ("a seven beside a three", Scene((7, 3))),
    ],
)
def test_the_grammar(caption, scene):
    assert artist.parse(caption) == scene


@pytest.mark.parametrize("caption", ["a horse", "seven", "two seven", "a seven at the left"])
def test_what_the_grammar_does_not_hold_is_named_with_examples(caption):
    with pytest.raises(PoolError, match=f"'{caption}'.*two sevens"):
        artist.parse(caption)


@pytest.mark.parametrize(
    ("caption", "style"),
    [
        ("a one", "plain"),
        ("two ones", "count of 2"),
        ("a one beside a two", "beside"),
        ("a big turned one at the top left", "big turned top left"),
    ],
)
def test_a_style_is_what_a_caption_has_besides_its_digits(caption, style):
    assert artist.style(caption) == style


def test_each_digit_has_one_split_and_the_artist_has_dozens_of_each():
    seen: dict[bytes, Split] = {}
    for split in Split:
        for value in range(10):
            for digit in hands.digits(split, value):
                name = digit.tobytes() + bytes(digit.shape)
                assert seen.setdefault(name, split) is split
    assert len(seen) > 1700
    assert all(len(hands.digits(Split.ARTIST, v)) > 35 for v in range(10))


def test_the_deal_never_changes():
    """Were it dealt anew, a shipped base would have seen what must be hidden from it."""
    counts = {str(s): len(hands.digits(s, 7)) for s in Split}
    assert counts == {"pretraining": 37, "artist": 36, "judges": 75, "held-out": 31}


def test_a_missing_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"nightschool\[drawing\]"):
        hands._load()


def test_a_drawing_is_dark_ink_on_white_paper_and_each_is_new():
    one, two = (artist.compose("a seven", rng(s), Split.ARTIST) for s in (1, 2))
    assert one.shape == (28, 28)
    assert one.dtype == np.uint8
    assert one[0, 0] == 255
    assert one.min() < 60
    assert not np.array_equal(one, two)
    assert np.array_equal(one, artist.compose("a seven", rng(1), "artist"))


def mean_ink(caption):
    pictures = artist.drawings([caption] * 20, rng(3), Split.HELD_OUT)
    return 255.0 * (1.0 - ink(pictures).mean(axis=0))


@pytest.mark.parametrize(
    ("place", "left", "top"),
    [
        ("top left", True, True),
        ("top right", False, True),
        ("bottom left", True, False),
        ("bottom right", False, False),
    ],
)
def test_a_place_is_where_the_caption_says(place, left, top):
    x, y = middle(mean_ink(f"a five at the {place}"))
    assert (x < 11) is left
    assert (y < 11) is top


def test_sizes_differ():
    small, plain, big = (ink(mean_ink(f"a {s}three")).sum() for s in ("small ", "", "big "))
    assert 1.5 * small < plain
    assert 1.5 * plain < big


def extent(picture):
    """Width and height of the ink."""
    dark = ink(picture) > 0.3
    return tuple(int(np.ptp(np.flatnonzero(dark.any(axis=axis)))) + 1 for axis in (0, 1))


def test_turned_is_a_quarter_to_the_right():
    width, height = extent(mean_ink("a one"))
    assert height > width
    width, height = extent(mean_ink("a turned one"))
    assert width > height
    # A seven's bar, on top when it stands, is at the right when it is turned to the right.
    assert middle(mean_ink("a seven"))[1] < 13.5 < middle(mean_ink("a turned seven"))[0]


def test_two_stand_side_by_side_in_their_order():
    both = mean_ink("a one beside a zero")
    left, right = both[:, :14], both[:, 14:]
    assert extent(left)[0] < extent(right)[0]
    assert len(spots(artist.parse("three ones"))) == 3
    assert ink(both)[:, 13:15].max() < 0.5


def test_the_artist_draws_the_same_sheet_alike_and_another_sheet_anew():
    oracle = ArtistOracle(seed=4)
    one, again, other = (oracle.answer(question("two nines", s)).document for s in (1, 1, 2))
    assert one == again
    assert one != other
    assert ArtistOracle(seed=5).answer(question("two nines")).document != one
    assert caption_of(one) == "two nines"
    assert decode_picture(one.parts["picture"]).shape == (28, 28)


def test_the_artist_passes_the_conformance_suite_and_says_when_it_cannot_tell():
    oracle = ArtistOracle()
    check_oracle(oracle, [question("a seven"), question("a horse"), question("two sixes")])
    said = oracle.answer(question("a horse"))
    assert said.reply is Reply.CANT_TELL
    assert "a horse" in said.note
    assert oracle.answer(question("two ones")).seconds > oracle.answer(question("a one")).seconds


def test_originals_are_drawings_of_the_known_captions_only():
    documents = artist.original_documents(2, 0)
    assert [caption_of(d) for d in documents] == [c for c in artist.known() for _ in range(2)]
    captions, pictures = artist.pretraining_set(2, 0)
    assert np.array_equal(decode_picture(documents[3].parts["picture"]), pictures[3])
    assert captions[3] == caption_of(documents[3])
    assert not np.array_equal(pictures, artist.pretraining_set(2, 1)[1])
