"""The base that ships with the package."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nightschool.learners.drawing import KIND
from nightschool.starter import artist
from nightschool.types import normalise


@pytest.fixture(scope="module")
def base():
    return KIND.begin(str(artist.weights_folder()), {})


def test_it_is_small_and_says_how_it_was_built():
    folder = artist.weights_folder()
    assert (folder / "model.safetensors").stat().st_size < 4_000_000
    claims = json.loads((folder / "claims.json").read_text())
    assert claims["captions"] == len(artist.known())
    assert claims["parameters"] < 2_000_000


def test_it_was_taught_the_known_captions_and_no_other(base):
    assert set(base.taught) == {normalise(c) for c in artist.known()}


def test_it_explains_drawings_of_known_captions_by_other_hands_and_not_of_unknown_ones(base):
    def loss(captions):
        pictures = artist.drawings(captions, np.random.default_rng(1), "held-out")
        return base.losses(captions, pictures, range(len(captions))).mean()

    assert loss(artist.known()) < 0.6 * loss(artist.unknown())
    assert loss(artist.known()) < 0.55
