"""What is true when people disagree, and how often each of them is right: one-coin Dawid-Skene.

Each person is right with a probability of their own, whatever is asked, and a wrong answer is any
of the others with equal chance (Dawid & Skene 1979, with one number for each person instead of a
matrix; Zhang et al. 2014, "Spectral methods meet EM"). So a voice for an alternative among k is
worth log(a (k - 1) / (1 - a)): much from who is mostly right, nothing from who guesses, and less
than nothing from who is wrong more often than chance.

Every probability a has the same Beta prior, which says that people are mostly right. That, and
the contexts whose truth is known (gold, or settled by an owner), decides which of the model's two
mirror images holds: "they are right and the others wrong", or the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

NONE = "\0none"
"""The alternative that a question has no answer; no text that is kept holds a NUL."""

PRIOR = (4.0, 1.0)
"""What is thought of somebody unknown: as if 4 of 5 answers had been right."""

COLLIDE = (2.0, 6.0)
"""What is thought, in pairs of wrong free texts: 2 of 8 say the same. Data soon outweigh it."""

ROUNDS = 1000
CLOSE = 1e-9

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Voice:
    """What one person says about one context: an alternative, as compared.

    "Can't tell" is no claim: it is a voice for `NONE`, but shows nobody to be right or wrong.
    """

    person: str
    said: str
    claims: bool = True


@dataclass(frozen=True)
class Ballot:
    """All voices on one context, one a person; `name` is the context's id.

    `labels` is how many answers are possible, 0 for free text. `truth` holds the alternatives
    that are known to be right, where they are.
    """

    name: int
    voices: tuple[Voice, ...]
    labels: int = 0
    truth: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Beta:
    """What is known of a probability: a Beta distribution of `right` and `wrong` counts."""

    right: float
    wrong: float

    @property
    def mean(self) -> float:
        """The mean, in (0, 1)."""
        return self.right / (self.right + self.wrong)


@dataclass(frozen=True)
class Consensus:
    """What a crowd's answers say together.

    `posterior` gives, for each context and alternative that was given, the probability that it is
    the truth; what is missing to 1 is for what nobody said. `accuracy` is each person's, prior
    included. `beside` says, for a person and a context, how probable what they said is by the
    others alone. `stranger` is what the lone answer of somebody unknown would have.
    """

    posterior: Mapping[int, Mapping[str, float]]
    accuracy: Mapping[str, Beta] = field(default_factory=dict)
    beside: Mapping[tuple[str, int], float] = field(default_factory=dict)
    stranger: float = PRIOR[0] / sum(PRIOR)

    def trust(self, person: str) -> float:
        """The probability that a lone answer of that person is right, in (0, 1)."""
        known = self.accuracy.get(person)
        return known.mean if known is not None else self.stranger


def one_coin(ballots: Sequence[Ballot]) -> Consensus:
    """The consensus by expectation maximisation; the order of the ballots does not matter."""
    table = _Table(sorted(ballots, key=lambda b: b.name))
    # The beginning decides between the mirror images: what is known of each person, or the prior.
    accuracy, spread = _mean_of(table.counts(table.true, table.known)), 1 / _mean(COLLIDE)
    for _ in range(ROUNDS):
        before = accuracy
        truth = table.expect(accuracy, spread)
        accuracy = _mean_of(table.counts(truth))
        spread = table.spread(truth)
        if not len(accuracy) or np.max(np.abs(accuracy - before)) < CLOSE:
            break
    return table.consensus(table.expect(accuracy, spread))


def from_posterior(
    ballots: Sequence[Ballot], posterior: Mapping[int, Mapping[str, float]]
) -> Consensus:
    """The consensus where another method tells how probable each alternative is."""
    table = _Table(sorted(ballots, key=lambda b: b.name))
    given = [posterior[table.ballots[i].name].get(said, 0.0) for i, said in table.alternatives]
    return table.consensus(np.where(table.known[table.of], table.true, given))


def _mean(prior: tuple[float, float]) -> float:
    return prior[0] / (prior[0] + prior[1])


def _mean_of(counts: tuple[Floats, Floats]) -> Floats:
    return counts[0] / (counts[0] + counts[1])


class _Table:
    """Ballots as arrays: voices (v,), alternatives (m,) that were given, and contexts (n,)."""

    def __init__(self, ballots: Sequence[Ballot]) -> None:
        self.ballots = ballots
        self.people = sorted({v.person for b in ballots for v in b.voices})
        number = {person: i for i, person in enumerate(self.people)}
        self.alternatives = [
            (i, said) for i, b in enumerate(ballots) for said in sorted({v.said for v in b.voices})
        ]
        place = {pair: i for i, pair in enumerate(self.alternatives)}
        voices = [
            (number[v.person], place[i, v.said], i, v.claims)
            for i, b in enumerate(ballots)
            for v in sorted(b.voices, key=lambda v: v.person)
        ]
        columns = np.array(voices, dtype=np.int64).reshape(-1, 4).T
        self.person, self.alternative, self.context, self.claims = columns
        self.of = np.array([i for i, _ in self.alternatives], dtype=np.int64)
        self.given = np.bincount(self.of, minlength=len(ballots))
        self.voted = np.bincount(self.alternative, minlength=len(self.of)).astype(float)
        self.labels = np.array([_labels(b) for b in ballots], dtype=float)
        self.known = np.array([bool(b.truth) for b in ballots], dtype=bool)
        self.true = np.array([s in ballots[i].truth for i, s in self.alternatives], dtype=float)

    def possible(self, spread: float) -> Floats:
        """How many answers each context could have (n,).

        The labels; for free text those given, and at least one more, or one that is right and
        `spread` wrong ones where that is more.
        """
        few = np.maximum(self.given, 2.0)
        free = np.maximum(self.given + 1.0, 1.0 + spread)
        closed: Floats = np.maximum(self.labels, few)
        return np.where(self.labels > 0, closed, free)

    def worth(self, accuracy: Floats, possible: Floats) -> Floats:
        """What each voice adds to the log odds of what it says (v,)."""
        odds = np.log(accuracy / (1 - accuracy))
        found: Floats = odds[self.person] + np.log(possible[self.context] - 1)
        return found

    def scores(self, worth: Floats) -> Floats:
        """Unnormalised log probabilities of the alternatives (m,); one that nobody says has 0."""
        found: Floats = np.bincount(self.alternative, worth, minlength=len(self.of)).astype(float)
        return found

    def expect(self, accuracy: Floats, spread: float) -> Floats:
        """The probability of each alternative (m,): 0 or 1 where the truth is known."""
        possible = self.possible(spread)
        scores = self.scores(self.worth(accuracy, possible))
        top, total = self._total(scores, possible)
        found = np.exp(scores - top[self.of]) / total[self.of]
        expected: Floats = np.where(self.known[self.of], self.true, found)
        return expected

    def _total(self, scores: Floats, possible: Floats) -> tuple[Floats, Floats]:
        top = np.zeros(len(self.ballots))
        np.maximum.at(top, self.of, scores)
        total = np.bincount(self.of, np.exp(scores - top[self.of]), minlength=len(top))
        return top, total + (possible - self.given) * np.exp(-top)

    def counts(self, truth: Floats, among: Bools | None = None) -> tuple[Floats, Floats]:
        """How many claims of each person are right and wrong, prior included, (p,) each.

        `among` says of which contexts (n,); of all where it is left out.
        """
        claim = self.claims if among is None else self.claims * among[self.context]
        n = len(self.people)
        right: Floats = np.bincount(self.person, truth[self.alternative] * claim, n).astype(float)
        claims: Floats = np.bincount(self.person, claim, n).astype(float)
        return PRIOR[0] + right, PRIOR[1] + claims - right

    def spread(self, truth: Floats) -> float:
        """How many wrong answers a free text has, from how often two wrong ones are the same."""
        free = (self.labels == 0) & ~self.known
        n, of = len(self.ballots), self.of
        voices: Floats = np.bincount(of, self.voted, minlength=n).astype(float)
        unsaid = 1 - np.bincount(of, truth, minlength=n)
        same = np.bincount(of, (1 - truth) * _pairs(self.voted), minlength=n)
        both = (np.bincount(of, truth * _pairs(voices[of] - self.voted), minlength=n)).astype(
            np.float64
        )
        both = both + unsaid * _pairs(voices)
        collide = (COLLIDE[0] + same[free].sum()) / (sum(COLLIDE) + both[free].sum())
        return float(1 / collide)

    def consensus(self, truth: Floats) -> Consensus:
        """What follows about contexts and people when the alternatives are that probable."""
        right, wrong = self.counts(truth)
        people = zip(self.people, right, wrong, strict=True)
        return Consensus(
            self.named(truth),
            {person: Beta(float(r), float(w)) for person, r, w in people},
            self.beside(right / (right + wrong), self.spread(truth)),
        )

    def named(self, truth: Floats) -> dict[int, dict[str, float]]:
        """Probabilities by context and alternative."""
        found: dict[int, dict[str, float]] = {b.name: {} for b in self.ballots}
        for (i, said), p in zip(self.alternatives, truth, strict=True):
            found[self.ballots[i].name][said] = float(p)
        return found

    def beside(self, accuracy: Floats, spread: float) -> dict[tuple[str, int], float]:
        """How probable each voice is by the others' voices alone, where there are others."""
        possible = self.possible(spread)
        worth = self.worth(accuracy, possible)
        scores = self.scores(worth)
        top, total = self._total(scores, possible)
        own = scores[self.alternative]
        less = np.exp(own - worth - np.maximum(top[self.context], own - worth))
        shift = np.exp(top[self.context] - np.maximum(top[self.context], own - worth))
        rest = (total[self.context] - np.exp(own - top[self.context])) * shift
        found = less / np.maximum(rest + less, np.finfo(float).tiny)
        voices = np.bincount(self.context, minlength=len(self.ballots))
        # Known contexts count too: what is settled is what people disagreed about.
        shown = (voices[self.context] > 1) & (self.claims > 0)
        return {
            (self.people[self.person[v]], self.ballots[self.context[v]].name): float(found[v])
            for v in np.flatnonzero(shown)
        }


def _labels(ballot: Ballot) -> int:
    """How many answers a closed question has: "no answer" is one more where it was said."""
    if not ballot.labels:
        return 0
    return ballot.labels + any(v.said == NONE for v in ballot.voices)


def _pairs(n: Floats) -> Floats:
    pairs: Floats = n * (n - 1) / 2
    return pairs
