"""A lower bound: the fewest answers from which any system could tell the hypotheses apart."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from scipy.special import betaincinv


def entropy(share: float) -> float:
    """Entropy of a yes/no event in bits; 0 at the ends, 1 at one half."""
    if share <= 0.0 or share >= 1.0:
        return 0.0
    return -share * math.log2(share) - (1.0 - share) * math.log2(1.0 - share)


def capacity(kinds: int, noise: float) -> float:
    """The most that one answer can tell, in bits: the capacity of a symmetric channel.

    `kinds` is how many different answers there are (2 or more), `noise` the probability in [0, 1]
    that the one given is not the right one, each of the others equally often. log2(kinds) where
    there is no noise; 1 - h(noise) for yes/no (Cover and Thomas 2006, section 7.2).
    """
    if kinds < 2 or not 0.0 <= noise <= 1.0:
        raise ValueError(
            f"A channel needs 2 or more kinds of answers and a noise in [0, 1], not {kinds} kinds "
            f"and noise {noise}."
        )
    told = math.log2(kinds) - entropy(noise) - noise * math.log2(kinds - 1)
    return max(told, 0.0)


def fewest(hypotheses: int, kinds: int = 2, noise: float = 0.0, error: float = 0.0) -> float:
    """No system finds the right hypothesis from fewer answers (Fano's inequality).

    With m equally likely hypotheses, and the right one to be named but for a probability `error`,
    the answers must tell log2 m - h(error) - error log2(m - 1) bits, and each tells at most the
    capacity, however cleverly the next is chosen (Cover and Thomas 2006, sections 2.10 and 7.12).
    Without noise and error that is log2 m yes/no answers, which bisection reaches for a threshold
    on a line of m - 1 places. A whole number; inf where answers tell nothing.
    """
    if hypotheses < 1 or not 0.0 <= error < 1.0:
        raise ValueError(
            f"A class has 1 or more hypotheses and an error in [0, 1), not {hypotheses} and "
            f"{error}."
        )
    if hypotheses == 1:
        return 0.0
    error = min(error, (hypotheses - 1) / hypotheses)  # a guess errs no more often
    bits = math.log2(hypotheses) - entropy(error) - error * math.log2(hypotheses - 1)
    if bits <= 0.0:
        return 0.0
    most = capacity(kinds, noise)
    return float(math.ceil(bits / most - 1e-9)) if most > 1e-12 else math.inf


@dataclass(frozen=True)
class Noise:
    """How often an answer is not the right one, measured where a context was asked again.

    `pairs` of answers by different people were compared, `agreed` of them were equal; `low` and
    `high` bound the noise with 90 % probability.
    """

    pairs: int
    agreed: int
    noise: float
    low: float
    high: float


def measured(answers: Iterable[Sequence[Hashable]], kinds: int) -> Noise | None:
    """The noise that explains how often people agree; None where no context has two answers.

    `answers` holds, for each context, one answer of each person. Leave out the answers that were
    asked for because another was doubted: there people disagree more often than elsewhere.

    Under the symmetric channel two answers agree with probability (1 - e)^2 + e^2 / (kinds - 1);
    the share of agreement has a uniform prior, and its 5 and 95 % quantiles bound the noise. Pairs
    of one context are not independent, so each context with three answers or more counts as its
    number of people less one. The bounds hold the estimate: where all agree, the low one is 0.
    Raises ValueError for fewer than two `kinds` of answers.
    """
    if kinds < 2:
        raise ValueError(
            f"Noise is measured between 2 or more kinds of answers, not {kinds}; say how many "
            "different answers a question may have."
        )
    pairs = 0.0
    agreed = 0.0
    for given in answers:
        if len(given) < 2:
            continue
        both = [a == b for a, b in combinations(given, 2)]
        pairs += len(given) - 1
        agreed += (len(given) - 1) * sum(both) / len(both)
    if not pairs:
        return None
    ends = (float(betaincinv(1.0 + agreed, 1.0 + pairs - agreed, q)) for q in (0.95, 0.05))
    low, high = (_noise_of(share, kinds) for share in ends)
    noise = _noise_of(agreed / pairs, kinds)
    return Noise(round(pairs), round(agreed), noise, min(low, noise), max(high, noise))


def _noise_of(agreement: float, kinds: int) -> float:
    """The noise, at most (kinds - 1) / kinds, at which two answers agree so often.

    The smaller root of (1 - e)^2 + e^2 / (kinds - 1) = agreement.
    """
    a = kinds / (kinds - 1)
    return (1.0 - math.sqrt(max(1.0 - a * (1.0 - agreement), 0.0))) / a
