"""Choosing the prior's precision and the posterior's spread: by what held-out answers say.

The log marginal likelihood is the sum of the cross-validated log predictives over all sizes of
the part held out (Fong and Holmes 2020, "On the marginal likelihood and cross-validation"); here
the terms with four fifths of the examples decide. Laplace's approximation of the whole sum is at
hand too (`laplace_evidence`) and was measured to choose worse by far: it underrates weak priors
where classes are separable, as they nearly always are in a few hundred dimensions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nightschool.heads.basis import Basis
from nightschool.heads.head import Head, shrunk
from nightschool.heads.newton import Array, Curvature, Problem, curvature, most_probable

PRECISION = 0.01
"""The precision expected for examples of variance 1: logits of a unit vector may be some tens."""

SPREAD = 0.25
SPREADS = [0.1, 0.2, 0.35, 0.5, 0.75, 1.0]

DOUBT = 1.5, 0.3
"""Standard deviations of the priors on the log of the precision, and on the spread."""

STEP = 0.5 * np.log(10.0)
REACH = -4, 6
"""Steps that the precision may go from where it is expected, down and up."""

FOLDS = 5
FEWEST = 5
"""Examples below which nothing is held out and the defaults stand."""

BUDGET = 6_000
"""Examples times classes that are fitted for one precision: fewer folds are read beyond it."""


def settled(
    own: Basis,
    y: NDArray[np.integer],
    k: int,
    counts: Array,
    precision: float,
    spread: float,
    start: Array | None = None,
) -> Head:
    """The posterior at a precision and a spread that are given, in the examples' own basis.

    `start` (r, k) are weights to begin from.
    """
    w = np.zeros((len(own.squares), k)) if start is None else start
    probs = np.zeros((0, k))
    if len(y):
        problem = Problem(own.z, own.squares, np.eye(k)[y], counts)
        w, _, probs = most_probable(problem, w, precision, tolerance=1e-6)
    return Head(own.axes @ w, precision, spread, own.axes, own.z, own.squares, probs, counts)


def scale(wide: Array) -> float:
    """The examples' variance, summed over the directions; 1 where there are too few to tell.

    At least a hundredth of the intercept's own square, which has the same prior.
    """
    if len(wide) < 2:
        return 1.0
    spread = float(((wide - wide.mean(axis=0)) ** 2).sum()) / (len(wide) - 1)
    return max(spread, 0.01) if spread > 1e-6 else 1.0


def folds_of(y: NDArray[np.integer]) -> NDArray[np.int64]:
    """The fold of each example: every class is dealt out in turn, so each fold has its share."""
    dealt = np.empty(len(y), dtype=np.int64)
    dealt[np.argsort(y, kind="stable")] = np.arange(len(y)) % FOLDS
    return dealt


class Search:
    """Looks at precisions, each with every spread, and remembers what it saw."""

    def __init__(self, own: Basis, unit: float, y: NDArray[np.integer], k: int, counts: Array):
        self._own, self._y, self._targets, self._counts = own, y, np.eye(k)[y], counts
        self._unit = PRECISION * unit
        self._dealt = folds_of(y)
        self._read = range(min(FOLDS, max(1, BUDGET // (len(y) * k))))
        self._found: dict[int, Array] = {}
        self.seen: dict[int, tuple[float, float]] = {}

    def precision(self, at: int) -> float:
        """The precision so many steps from the expected one."""
        return float(self._unit * np.exp(at * STEP))

    def step_of(self, precision: float) -> int:
        """The step nearest to a precision."""
        at = round(float(np.log(precision / self._unit) / STEP))
        return max(REACH[0], min(REACH[1], at))

    def look(self, at: int) -> float:
        """The best score of a precision over the spreads: held-out nats and the priors'."""
        if at not in self.seen:
            scores = -0.5 * ((np.array(SPREADS) - SPREAD) / DOUBT[1]) ** 2
            scores -= 0.5 * (at * STEP / DOUBT[0]) ** 2
            ahead = max((score for score, _ in self.seen.values()), default=-np.inf)
            for fold in self._read:
                if scores.max() < ahead:  # a fold never adds: this precision has lost
                    break
                scores += self._held_out(fold, self.precision(at))
            best = int(scores.argmax())
            self.seen[at] = float(scores[best]), SPREADS[best]
        return self.seen[at][0]

    def _held_out(self, fold: int, precision: float) -> Array:
        """Log predictive of a fold's answers by the others, under each spread."""
        own, out = self._own, self._dealt == fold
        rows = np.flatnonzero(out)
        if not len(rows) or out.all():
            return np.zeros(len(SPREADS))
        squares = own.squares * (1 - len(rows) / len(out))
        problem = Problem(own.z[~out], squares, self._targets[~out], self._counts[~out])
        w = self._found.get(fold, np.zeros((len(squares), problem.y.shape[1])))
        w, _, probs = most_probable(problem, w, precision, tolerance=5e-2)
        self._found[fold] = w
        near = curvature(own.squares, probs, problem.weights)
        variance = left_out(near, own.z[rows], self._counts[rows], precision)
        nats = []
        for said in shrunk(own.z[rows] @ w, variance, SPREADS):
            right = said[np.arange(len(rows)), self._y[rows]]
            nats.append(float(np.log(np.maximum(right, 1e-12)) @ self._counts[rows]))
        return np.array(nats)


def left_out(near: Curvature, z: Array, counts: Array, precision: float) -> Array:
    """Variances (n, k) of the centred logits at examples, each left out of the posterior itself.

    `counts` (n,) are their weights in it.

    Sherman and Morrison's formula for one row, in every eigenvector of the labels' side.
    """
    inside = (z * z) @ (1.0 / (near.spectrum + precision))
    without = inside / np.maximum(1 - counts[:, None] * inside * near.values, 1e-9)
    return np.asarray(without @ near.centred().T)


def within(at: int) -> bool:
    """Whether a step is within reach."""
    return REACH[0] <= at <= REACH[1]


def choose(
    own: Basis,
    unit: float,
    y: NDArray[np.integer],
    k: int,
    counts: Array,
    first: float | None,
) -> tuple[float, float]:
    """Precision and spread of the best score, found from `first` (or the expected) on.

    `unit` is the examples' variance (`scale`), to which the expected precision is relative.
    """
    search = Search(own, unit, y, k, counts)
    if len(y) < FEWEST:
        return search.precision(0), SPREAD
    begin = search.step_of(first) if first else 0
    # The score may have a hill of weak priors and one of strong ones: look far before climbing.
    here = max((at for at in (begin, begin + 2, 4) if within(at)), key=search.look)
    for way in (-1, 1):
        while within(here + way) and search.look(here + way) > search.look(here):
            here += way
    return search.precision(here), search.seen[here][1]


def laplace_evidence(head: Head, y: NDArray[np.integer]) -> float:
    """Laplace's log marginal likelihood of a head's own examples, in nats.

    MacKay 1992, "The evidence framework applied to classification networks", eq. 4, with the
    determinant of the Kronecker stand-in.
    """
    said = np.log(np.maximum(head.trained[np.arange(len(y)), y], 1e-300))
    value = float(head.weights @ said) - 0.5 * head.precision * float((head.mean**2).sum())
    spectrum = curvature(head.squares, head.trained, head.weights).spectrum
    return value - 0.5 * float(np.log1p(spectrum / head.precision).sum())
