"""The same picks as scikit-activeml on the same draws, where the algorithm is the same."""

from __future__ import annotations

import numpy as np
import pytest

from nightschool import strategies
from nightschool.strategies import EPIG, K_CENTER, MaxHerding, TypiClust, bald, falcun
from nightschool.strategies.badge import gradients_of
from nightschool.strategies.beliefs import believe
from nightschool.strategies.places import survey
from nightschool.testing.strategies import make_pool, without
from nightschool.types import Observation

pool_of = pytest.importorskip("skactiveml.pool", reason="needs scikit-activeml (extra `test`)")


def ready(probs):
    """A classifier of theirs that has its predictions already."""
    from skactiveml.base import SkactivemlClassifier

    class Ready(SkactivemlClassifier):
        def fit(self, X, y, sample_weight=None):  # noqa: N803
            return self

        def predict_proba(self, X):  # noqa: N803
            return probs.astype(np.float64)

    return Ready(classes=list(range(probs.shape[1])))


def ask(strategy, pool, n, **needs):
    """Their picks and utilities; what was asked stands behind the pool, labelled."""
    asked = pool.asked if pool.has("asked") else pool.embeddings[:0]
    x = np.concatenate([pool.embeddings, asked]).astype(np.float64)
    y = np.r_[np.full(len(pool), np.nan), np.zeros(len(asked))]
    index, utilities = strategy.query(x, y, batch_size=n, return_utilities=True, **needs)
    return [int(i) for i in index], utilities[:, : len(pool)]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("MARGIN", "margin_sampling"), ("ENTROPY", "entropy"), ("LEAST_CONFIDENCE", None)],
)
def test_uncertainty(ours, theirs):
    pool = make_pool(n=80)
    clf = ready(pool.probs.mean(axis=0))
    sampling = pool_of.UncertaintySampling(method=theirs or "least_confident", random_state=0)
    bare = without(pool, "asked")
    picks = getattr(strategies, ours).choose([pool], 10, 0)
    assert picks.index.tolist() == ask(sampling, bare, 10, clf=clf, fit_clf=False)[0]


def test_bald_is_batch_bald_of_one():
    from skactiveml.pool._bald import batch_bald

    pool = make_pool(n=80)
    theirs = batch_bald(pool.probs.astype(np.float64), 1)[0]
    assert bald(pool) == pytest.approx(theirs, abs=1e-5)
    assert strategies.BALD.choose([pool], 1, 0).index.tolist() == [theirs.argmax()]


def test_k_center():
    pool = make_pool(n=80)
    theirs, utilities = ask(pool_of.CoreSet(random_state=0), pool, 10)
    picks = K_CENTER.choose([pool], 10, 0)
    assert picks.index.tolist() == theirs
    distance = [utilities[turn, at] for turn, at in enumerate(theirs)]
    assert np.sqrt(picks.scores) == pytest.approx(distance, rel=1e-4)


def test_max_herding():
    """Their kernel's width is 1 over the dimensions unless told; ours is 1, on unit lengths."""
    pool = make_pool(n=80)
    theirs, utilities = ask(pool_of.MaxHerding(metric_dict={"gamma": 4.0}), pool, 10)
    picks = MaxHerding(width=0.5).choose([pool], 10, 0)
    assert picks.index.tolist() == theirs
    gains = [utilities[turn, at] for turn, at in enumerate(theirs)]
    assert picks.scores == pytest.approx(gains, rel=1e-3)


def test_typiclust_given_the_clusters(monkeypatch):
    """Only the draws of k-means differ: with our clusters handed to them, the picks are the same.

    They have 5 neighbours where the paper has 20, and leave no cluster out for being small.
    """
    from nightschool.strategies import typiclust

    pool = make_pool(n=120, d=4)
    kept = {}

    def clusters(places, k, key, sample):
        kept["centres"] = places.rows(np.arange(0, 120, 9)[:k])
        return places.nearest(kept["centres"])[1], kept["centres"]

    class Given:
        def __init__(self, n_clusters):
            self.n_clusters = n_clusters

        def fit_predict(self, x):
            return ((x[:, None] - kept["centres"]) ** 2).sum(axis=-1).argmin(axis=1)

    monkeypatch.setattr(typiclust, "clusters", clusters)
    picks = TypiClust(neighbours=5, smallest=0).choose([pool], 6, 0)
    theirs, utilities = ask(pool_of.TypiClust(cluster_algo=Given, random_state=0), pool, 6)
    assert set(picks.index.tolist()) == set(theirs)
    sizes = np.bincount(Given(12).fit_predict(pool.embeddings))[
        Given(12).fit_predict(pool.embeddings[picks.index])
    ]
    assert (np.diff(sizes) <= 0).all(), "the largest clusters come first"
    typical = [utilities[theirs.index(at), at] for at in picks.index]
    assert picks.scores == pytest.approx(typical, rel=1e-3)


def test_falcun_draws_from_the_same_distribution(monkeypatch):
    """Their picks are handed to ours one by one: before each, the chances were the same."""
    pool = without(make_pool(n=60), "asked")
    clf = ready(pool.probs.mean(axis=0))
    theirs, utilities = ask(pool_of.Falcun(random_state=3), pool, 8, clf=clf, fit_clf=False)
    seen = []

    def race(ids, weights, key):
        seen.append(weights / weights.sum())
        return theirs[len(seen) - 1]

    monkeypatch.setattr(falcun, "race", race)
    assert strategies.FALCUN.choose([pool], 8, 0).index.tolist() == theirs
    assert np.array(seen) == pytest.approx(np.nan_to_num(utilities), rel=1e-3, abs=1e-6)


def test_badge_and_where_theirs_differs():
    """They start from the squared lengths and never drop them, so the origin counts as a pick.

    The paper and its authors' code draw by the distance to the picks alone, as ours does: from
    the second pick on, their chances are those of min(length, distance), which are not ours.
    """
    pool = without(make_pool(n=60), "asked")
    clf = ready(pool.probs.mean(axis=0))
    theirs, utilities = ask(pool_of.Badge(random_state=0), pool, 3, clf=clf, fit_clf=False)
    gradients = gradients_of(survey([pool]), believe([pool], 5))
    assert strategies.BADGE.choose([pool], 3, 0).index[0] == theirs[0]
    assert utilities[0] == pytest.approx(gradients.squares / gradients.squares.sum(), rel=1e-3)
    away = gradients.squared_to(theirs[0]).astype(np.float64)
    with_origin = np.minimum(away, gradients.squares)
    chances = np.nan_to_num(utilities[1])
    assert chances == pytest.approx(with_origin / with_origin.sum(), rel=1e-3, abs=1e-6)
    assert np.abs(chances - away / away.sum()).max() > 0.01


def test_epig_of_one_target_that_is_the_model_is_bald():
    """With a target whose answer names the sample, EPIG is BALD: nothing else is left to learn."""
    pool = make_pool(n=40, s=5)
    names = np.eye(5, dtype=np.float32)[:, None, :]
    told = Observation(pool.ids, probs=pool.probs, target_probs=names)
    picks = EPIG.choose([told], 40, 0)
    assert picks.scores == pytest.approx(bald(pool)[picks.index], abs=1e-5)
