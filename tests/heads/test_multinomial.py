"""The Bayesian head: its posterior against the whole Hessian, its edges, its calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nightschool import heads
from nightschool.heads.choosing import left_out
from nightschool.heads.newton import Curvature, softmax
from nightschool.types import LearnerError

Array = np.ndarray[Any, np.dtype[np.float64]]


def examples(n: int, d: int, k: int, seed: int = 0) -> tuple[Array, Any]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    x = rng.standard_normal((k, d))[y] + rng.standard_normal((n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def whole_hessian(x: Array, weights: Array, head: heads.Head) -> Array:
    """The Hessian of the negative log posterior, ((d + 1) k, (d + 1) k), from its definition."""
    wide = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    probs = softmax(wide @ head.mean)
    size = head.mean.size
    whole = head.precision * np.eye(size)
    for row, p, weight in zip(wide, probs, weights, strict=True):
        whole += weight * np.kron(np.outer(row, row), np.diag(p) - np.outer(p, p))
    return whole


@pytest.mark.parametrize(("n", "d", "spread"), [(30, 5, 1.0), (6, 9, 0.5)])
def test_draws_have_the_covariance_of_the_whole_laplace_posterior(
    n: int, d: int, spread: float
) -> None:
    x, y = examples(n, d, 3)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, n)
    head = heads.fit(x, y, 3, weights=weights, precision=0.7, spread=spread)
    drawn = head.draw(8000, 5).reshape(8000, -1)
    exact = spread**2 * np.linalg.inv(whole_hessian(x, weights, head))
    assert np.abs(np.cov(drawn.T) - exact).max() < 0.05 * np.abs(exact).max()
    assert np.abs(drawn.mean(axis=0) - head.mean.ravel()).max() < 0.06


def test_the_mean_is_where_the_posterior_is_highest() -> None:
    x, y = examples(25, 6, 4)
    weights = np.linspace(0.5, 1.5, 25)
    head = heads.fit(x, y, 4, weights=weights, precision=0.3)
    wide = np.concatenate([x, np.ones((25, 1))], axis=1)
    pull = wide.T @ ((softmax(wide @ head.mean) - np.eye(4)[y]) * weights[:, None])
    assert np.abs(pull + head.precision * head.mean).max() < 5e-3


def test_the_laplace_evidence_is_near_that_of_the_whole_hessian() -> None:
    x, y = examples(20, 4, 3)
    head = heads.fit(x, y, 3, precision=1.0)
    whole = whole_hessian(x, np.ones(20), head)
    nats = np.log(head.trained[np.arange(20), y]).sum() - 0.5 * float((head.mean**2).sum())
    exact = nats - 0.5 * np.linalg.slogdet(whole)[1]  # the prior's precision is 1
    assert heads.laplace_evidence(head, y) == pytest.approx(exact, abs=0.25)


def test_the_variance_of_a_logit_is_near_that_of_the_whole_hessian() -> None:
    x, y = examples(40, 5, 3)
    head = heads.fit(x, y, 3, precision=1.0)
    new = examples(10, 5, 3, seed=7)[0]
    wide = np.concatenate([new, np.ones((10, 1))], axis=1)
    covariance = np.linalg.inv(whole_hessian(x, np.ones(40), head)).reshape(6, 3, 6, 3)
    logits = np.einsum("nd,dcef,ne->ncf", wide, covariance, wide)
    centre = np.eye(3) - 1 / 3
    exact = np.einsum("ca,nab,cb->nc", centre, logits, centre)
    assert np.abs(head.variance(wide) / exact - 1).max() < 0.35


def test_an_example_is_left_out_as_if_it_had_never_been_there() -> None:
    z, _ = examples(6, 3, 2)
    squares, axes = np.linalg.eigh(z.T @ z)
    z = z @ axes
    near = Curvature(np.eye(2), np.array([0.2, 0.3]), squares[:, None] * np.array([0.2, 0.3]))
    found = left_out(near, z, np.ones(6), 0.5)
    for i in range(6):
        others = np.delete(z, i, axis=0)
        each = [
            z[i] @ np.linalg.inv(g * others.T @ others + 0.5 * np.eye(3)) @ z[i]
            for g in near.values
        ]
        assert found[i] == pytest.approx(near.centred() @ np.array(each))


def test_an_example_of_weight_two_is_left_out_twice() -> None:
    z, counts = np.eye(2), np.array([2.0, 1.0])
    values = np.array([0.2, 0.3])
    near = Curvature(np.eye(2), values, counts[:, None] * values)
    # Without its own example, each direction has the prior's precision alone.
    assert left_out(near, z, counts, 0.5) == pytest.approx(1 / 0.5 * np.full((2, 2), 0.5))


def test_without_examples_the_mean_is_even_and_the_samples_are_not() -> None:
    x, _ = examples(7, 4, 2)
    head = heads.fit(np.zeros((0, 4)), np.zeros(0, int), 5)
    assert head.probs(x) == pytest.approx(np.full((7, 5), 0.2))
    samples = head.samples(x, 300, 1)
    assert samples.shape == (300, 7, 5)
    assert samples.sum(axis=-1) == pytest.approx(1.0, abs=1e-5)
    assert samples.std(axis=0).min() > 0.05
    assert samples.mean(axis=0) == pytest.approx(0.2, abs=0.1)


def test_the_same_key_draws_the_same_and_another_does_not() -> None:
    x, y = examples(15, 4, 3)
    head = heads.fit(x, y, 3)
    assert (head.samples(x, 4, 9) == head.samples(x, 4, 9)).all()
    assert (head.samples(x, 4, 9) != head.samples(x, 4, 10)).any()
    blocks = [heads.predictive(part, head.draw(4, 9)) for part in (x[:6], x[6:])]
    assert np.concatenate(blocks, axis=1) == pytest.approx(head.samples(x, 4, 9), abs=1e-6)


def test_a_weight_counts_examples() -> None:
    x, y = examples(12, 4, 3)
    twice = heads.fit(np.r_[x, x[:1]], np.r_[y, y[:1]], 3, precision=0.5)
    heavy = heads.fit(x, y, 3, weights=np.r_[2.0, np.ones(11)], precision=0.5)
    assert heavy.probs(x) == pytest.approx(twice.probs(x), abs=1e-3)
    fewer = heads.fit(x[1:], y[1:], 3, precision=0.5)
    without = heads.fit(x, y, 3, weights=np.r_[0.0, np.ones(11)], precision=0.5)
    assert without.probs(x) == pytest.approx(fewer.probs(x), abs=1e-3)


def test_a_class_without_examples_keeps_its_prior_where_nothing_was_seen() -> None:
    x = np.eye(8)[[0, 1, 0, 1]]
    head = heads.fit(x, np.array([0, 1, 0, 1]), 4, precision=0.1, spread=1.0)
    seen, apart = head.probs(np.eye(8)[[0, 5]])
    assert seen[0] > 0.5 > 0.25 > seen[3]
    wide = np.concatenate([np.eye(8)[[0, 5]], np.ones((2, 1))], axis=1)
    near, far = head.variance(wide)[:, 3]
    assert far > 1.5 * near
    assert apart[3] > seen[3]


def test_classes_are_added_on_the_way() -> None:
    x, y = examples(40, 6, 3)
    first = heads.fit(x, np.minimum(y, 1), 2)
    grown = heads.fit(x, y, 3, start=first, precision=0.1)
    fresh = heads.fit(x, y, 3, precision=0.1)
    assert grown.probs(x) == pytest.approx(fresh.probs(x), abs=1e-3)


def test_what_was_chosen_stands_until_the_examples_have_grown_by_a_tenth() -> None:
    x, y = examples(60, 6, 3)
    first = heads.fit(x[:50], y[:50], 3)
    near = heads.fit(x[:54], y[:54], 3, start=first)
    assert (near.precision, near.spread, near.chosen_at) == (first.precision, first.spread, 50)
    assert heads.fit(x, y, 3, start=first).chosen_at == 60


def test_a_rebuilt_head_says_the_same() -> None:
    x, y = examples(20, 5, 3)
    weights = np.r_[0.0, np.ones(19)]
    head = heads.fit(x, y, 3, weights=weights)
    back = heads.rebuild(
        head.mean, head.precision, head.spread, x, weights, chosen_at=head.chosen_at
    )
    assert back.probs(x) == pytest.approx(head.probs(x), abs=1e-6)
    assert back.samples(x, 3, 1) == pytest.approx(head.samples(x, 3, 1), abs=1e-3)
    assert back.chosen_at == head.chosen_at


def test_it_is_as_sure_as_it_is_right() -> None:
    # Half of the answers are drawn by lot: nobody can be right more often than 3 times in 4.
    rng = np.random.default_rng(3)
    x = rng.standard_normal((1200, 30))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = (x[:, 0] > 0).astype(int)
    noisy = np.where(rng.random(1200) < 0.5, rng.integers(0, 2, 1200), y)
    sure, unsure = heads.fit(x[:200], y[:200], 2), heads.fit(x[:200], noisy[:200], 2)
    for head, truth in ((sure, y[200:]), (unsure, noisy[200:])):
        for probs in (head.probs(x[200:]), head.samples(x[200:], 32, 0).mean(axis=0)):
            right = float((probs.argmax(axis=1) == truth).mean())
            assert float(probs.max(axis=1).mean()) == pytest.approx(right, abs=0.1)
    assert max(unsure.precision / sure.precision, unsure.spread / sure.spread) > 1
    assert sure.probs(x[200:]).max(axis=1).mean() > unsure.probs(x[200:]).max(axis=1).mean() + 0.1


@pytest.mark.parametrize(
    ("y", "weights", "told"),
    [
        ([0, 3], None, "there are 3 classes, 0 to 2"),
        ([0], None, "one label and one weight for each row"),
        ([0, 1], [1.0, -1.0], "weight is -1.0"),
        ([0, 1], [1.0, np.nan], "weight is nan"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(y: Any, weights: Any, told: str) -> None:
    with pytest.raises(LearnerError, match=told):
        heads.fit(np.eye(2), y, 3, weights=weights)
