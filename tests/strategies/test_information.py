from __future__ import annotations

import numpy as np

from nightschool.strategies.information import Information, information
from nightschool.testing import check_strategy
from nightschool.types import Observation


def seen(values, embeddings=None, asked=None, noise=None):
    values = np.asarray(values, np.float32)
    n = values.shape[1]
    embeddings = np.arange(n)[:, None] if embeddings is None else embeddings
    return Observation(
        np.arange(1, n + 1, dtype=np.uint64),
        embeddings=np.asarray(embeddings, np.float32),
        values=values,
        noise=np.ones(values.shape[2], np.float32) if noise is None else np.float32(noise),
        **({} if asked is None else {"asked": np.asarray(asked, np.float32)}),
    )


def test_conformance():
    check_strategy(Information())


def test_information_is_that_of_gaussians():
    """Two samples at +-1 have variance 1: half of log 2 with noise 1, half of log 5 with 1/4."""
    values = [[[1.0], [0.3], [1.0]], [[-1.0], [0.3], [1.0]]]
    assert np.allclose(information(seen(values)), [0.5 * np.log(2), 0, 0])
    assert np.allclose(information(seen(values, noise=[0.25]))[0], 0.5 * np.log(5))


def test_information_is_a_mean_over_the_values():
    values = [[[1.0, 0.0]], [[-1.0, 0.0]]]
    assert np.allclose(information(seen(values)), 0.25 * np.log(2))


def test_what_was_asked_is_not_asked_again():
    values = np.array([[[2.0], [1.0]], [[-2.0], [-1.0]]])
    assert Information().choose([seen(values)], 1, 0).index[0] == 0
    assert Information().choose([seen(values, asked=[[0.0]])], 1, 0).index[0] == 1


def test_a_batch_is_spread_out():
    """Two near twins and a far third that tells a little less: the third is the second pick."""
    values = np.array([[[1.0], [1.0], [0.8]], [[-1.0], [-1.0], [-0.8]]])
    pool = seen(values, embeddings=[[0.0], [0.01], [5.0]])
    picks = Information().choose([pool], 2, 0)
    assert 2 in picks.index
    assert np.allclose(picks.scores, information(pool)[picks.index])


def test_contexts_that_tell_nothing_come_last():
    values = np.array([[[0.0], [0.1], [np.nan]], [[0.0], [-0.1], [0.0]]])
    assert Information().choose([seen(values)], 3, 0).index[0] == 1


def test_a_place_that_is_no_number_does_not_end_the_spread():
    """The broken one tells most and is asked first; of the rest, the far one is next."""
    values = np.array([[[9.0], [1.0], [1.0], [0.8]], [[-9.0], [-1.0], [-1.0], [-0.8]]])
    pool = seen(values, embeddings=[[np.nan], [1.0], [1.01], [-5.0]])
    assert Information().choose([pool], 2, 0).index.tolist() == [0, 3]
    asked = seen(values, embeddings=[[7.0], [1.0], [1.01], [-5.0]], asked=[[np.inf]])
    assert Information().choose([asked], 2, 0).index.tolist() == [0, 3]
