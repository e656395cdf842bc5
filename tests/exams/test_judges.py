"""The judges of drawings, on squares and bars that anybody can tell apart."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from nightschool.exams.judges import diversity, nearest_ratio, taught, train_judges
from nightschool.types import ConfigError, ExamError

SIDE = 28
BOXES = ((4, 24, 10, 16), (10, 16, 4, 24), (8, 20, 8, 20))
"""An upright bar, a flat bar and a square: first and last row, first and last column."""


def shapes(n, seed=0, labels=(3, 5, 9)):
    """n pictures of each label, its box moved by up to two pixels."""
    rng = np.random.default_rng(seed)
    pictures = np.full((n * len(labels), SIDE, SIDE), 255, np.uint8)
    for i, picture in enumerate(pictures):
        top, bottom, left, right = BOXES[i % len(labels)]
        y, x = rng.integers(-2, 3, 2)
        picture[top + y : bottom + y, left + x : right + x] = 0
    return pictures, np.tile(np.array(labels, dtype=np.int64), n)


@pytest.fixture(scope="module")
def judges():
    return train_judges(*shapes(20), seed=0)


def test_both_judges_tell_the_labels_of_drawings_that_they_have_not_seen(judges):
    pictures, labels = shapes(10, seed=1)
    said = judges.say(pictures)
    assert said.shape == (2, 30)
    assert said.dtype == np.int64
    assert (said == labels).mean() > 0.95
    assert judges.say(pictures[:0]).shape == (2, 0)


def test_the_same_seed_gives_the_same_judges_and_leaves_torch_as_it_was(judges):
    pictures, labels = shapes(20)
    torch.manual_seed(7)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    again = train_judges(pictures, labels, seed=0)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads
    for one, other in zip(judges.cnn.parameters(), again.cnn.parameters(), strict=True):
        assert torch.equal(one, other)
    np.testing.assert_array_equal(judges.svm.dual_coef_, again.svm.dual_coef_)


def test_judges_of_one_label_are_refused():
    pictures, _ = shapes(4)
    with pytest.raises(ExamError, match="at least 2"):
        train_judges(pictures, np.zeros(len(pictures), np.int64), 0)
    with pytest.raises(ExamError, match="at least 2"):
        taught(pictures, np.zeros(len(pictures), np.int64), pictures, 0)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(ConfigError, match=r"nightschool\[drawing\]"):
        train_judges(*shapes(4), seed=0)


def test_samples_teach_when_they_are_right_and_not_when_their_captions_are_swapped():
    samples, labels = shapes(8, seed=2)
    real, truth = shapes(8, seed=3)
    assert (taught(samples, labels, real, 0) == truth).mean() > 0.9
    swapped = np.array([{3: 5, 5: 9, 9: 3}[label] for label in labels])
    assert (taught(samples, swapped, real, 0) == truth).mean() < 0.1


def test_diversity_is_that_of_real_drawings_and_nothing_for_copies():
    references, labels = shapes(12)
    others, other_labels = shapes(12, seed=4)
    varied = diversity(others, other_labels, references, labels)
    assert set(varied) == {3, 5, 9}
    assert min(varied.values()) > 0.7
    same = np.tile(others[:3], (4, 1, 1))
    assert set(diversity(same, np.tile([3, 5, 9], 4), references, labels).values()) == {0.0}
    assert diversity(others[:3], other_labels[:3], references, labels) == {}
    assert diversity(others, other_labels + 100, references, labels) == {}


def test_nearest_is_zero_for_a_copy_and_one_for_a_drawing_that_is_as_far_as_a_real_one():
    references, labels = shapes(3)
    real, truth = references[:3].copy(), labels[:3]
    real[:, 0, :5] = 0
    copies = references[:3]
    np.testing.assert_allclose(nearest_ratio(copies, real, truth, references, labels), 0.0)
    np.testing.assert_allclose(nearest_ratio(real, real, truth, references, labels), 1.0)
    half = copies.copy()
    half[:, 0, :5] = 255 - 51
    np.testing.assert_allclose(nearest_ratio(half, real, truth, references, labels), 0.2)
    strange = nearest_ratio(copies, real, truth + 100, references, labels)
    assert np.isnan(strange).all()
