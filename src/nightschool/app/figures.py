"""What each person's answers tell about them: how many, how fast, how often they are right."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import median
from typing import Any

from nightschool.app.crowd import Crowd, Reading
from nightschool.curation import voices_of, weight_of
from nightschool.types import Answer, Reply, Retract, normalise
from nightschool.warehouse import Warehouse

ENOUGH = 10
"""Items from which a person is told their own share: of fewer it tells what is right."""

LEVEL = 0.95
JEFFREYS = 0.5


@dataclass(frozen=True)
class Share:
    """A share of n in [0, 1] with its 95 % interval (Jeffreys); without any, nobody knows."""

    mean: float | None = None
    low: float = 0.0
    high: float = 1.0
    n: int = 0

    @classmethod
    def of(cls, hits: float, n: int) -> Share:
        """Of `hits` among n; hits may be a sum of probabilities."""
        if not n:
            return cls()
        from scipy.special import betaincinv  # a slow import, and only pages about people need it

        a, b = hits + JEFFREYS, n - hits + JEFFREYS
        low, high = (float(betaincinv(a, b, p)) for p in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        # As is usual with Jeffreys' interval: nothing is excluded that was seen without exception.
        return cls(hits / n, 0.0 if hits <= 0 else low, 1.0 if hits >= n else high, n)


@dataclass(frozen=True)
class Figure:
    """What the answers of one person tell.

    `answers` are those that count, `seconds` the median of one (None where nothing was timed).
    `agreement` is how probable what they said is by the others' word, where others were asked;
    `gold` how often they were right where the answer is known. `accuracy` is what both together
    make likely, and `weight` what a lone answer of theirs weighs as an example (0: it makes
    none); both are None where they are not told. `withdrawn` answers of theirs do not count any
    more.
    """

    person: str
    answers: int = 0
    seconds: float | None = None
    agreement: Share = field(default_factory=Share)
    gold: Share = field(default_factory=Share)
    accuracy: float | None = None
    weight: float | None = None
    withdrawn: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return asdict(self)


class Figures:
    """The figures of a school's people; read again when answers came, and never often."""

    def __init__(self, warehouse: Warehouse, crowd: Callable[[], Crowd]) -> None:
        self._warehouse = warehouse
        self._crowd = crowd
        self._known: tuple[Reading | None, Sequence[Figure]] = (None, ())
        self._nightly: tuple[object, dict[str, Figure]] = (None, {})
        self._lock = threading.Lock()

    def everybody(self) -> Sequence[Figure]:
        """Everybody who answers, by name."""
        reading, figures = self._known
        now = self._crowd().read()
        if now is not reading:
            figures = figures_of(now, self._withdrawn(), [p.id for p in self._warehouse.people()])
            self._known = (now, figures)
        return figures

    def of(self, person: str) -> Figure:
        """One person's figures; empty ones for somebody who never answered."""
        found = (figure for figure in self.everybody() if figure.person == person)
        return next(found, Figure(person, accuracy=self._crowd().read().consensus.trust(person)))

    def own(self, person: str) -> Figure:
        """What a person may know of themselves: right or not only by night, and from `ENOUGH` on.

        Told at once, or of few, it would tell the answer to a gold question: one guess after the
        other until the share grows.
        """
        now, then = self.of(person), self._by_night().get(person, Figure(person))
        agreement, gold = (s if s.n >= ENOUGH else Share() for s in (then.agreement, then.gold))
        own = replace(now, agreement=agreement, gold=gold, accuracy=None, weight=None)
        known = agreement.n and gold.n
        return replace(own, accuracy=then.accuracy, weight=then.weight) if known else own

    def _by_night(self) -> dict[str, Figure]:
        nights = sum(night.finished is not None for night in self._warehouse.nights())
        # An erased person's name goes at once, not with the next night.
        seen = (nights, len(self._warehouse.leaving.erasures()))
        with self._lock:
            if seen != self._nightly[0]:
                figures = figures_of(self._crowd().by_night(), Counter())
                self._nightly = (seen, {figure.person: figure for figure in figures})
            return self._nightly[1]

    def _withdrawn(self) -> Counter[str]:
        gone = {r.answer_id for r in self._warehouse.retractions() if r.why == Retract.WITHDRAWAL}
        if not gone:
            return Counter()
        return Counter(a.person for a in self._warehouse.answers(retracted=True) if a.id in gone)


def figures_of(
    reading: Reading, withdrawn: Counter[str], people: Sequence[str] = ()
) -> list[Figure]:
    """The figures of everybody in a reading, and of `people` without an answer, by name."""
    said: dict[str, list[Answer]] = {person: [] for person in people}
    for each in reading.every:
        for answer in each.answers:
            said.setdefault(answer.person, []).append(answer)
    agreed: dict[str, list[float]] = {}
    gold = {each.question.context.id for each in reading.judged}
    for (person, context), probability in reading.consensus.beside.items():
        if context not in gold:  # which has a column of its own
            agreed.setdefault(person, []).append(probability)
    right = _on_gold(reading)
    consensus = reading.consensus
    return [
        Figure(
            person,
            len(answers),
            _seconds(answers),
            Share.of(sum(agreed.get(person, ())), len(agreed.get(person, ()))),
            Share.of(sum(right.get(person, ())), len(right.get(person, ()))),
            consensus.trust(person),
            1.0 if reading.equal else weight_of(consensus.trust(person), consensus.stranger),
            withdrawn[person],
        )
        for person, answers in sorted(said.items())
    ]


def _seconds(answers: Sequence[Answer]) -> float | None:
    timed = [a.seconds for a in answers if a.seconds > 0]
    return float(median(timed)) if timed else None


def _on_gold(reading: Reading) -> dict[str, list[bool]]:
    """For each person, whether each of their claims about gold was right; no "can't tell"."""
    found: dict[str, list[bool]] = {}
    for each in reading.judged:
        accepted = set(map(normalise, reading.accepted.get(each.question.context.id, ())))
        for answer in voices_of(each.answers):
            if answer.reply is not Reply.CANT_TELL:
                body = answer.document.body if answer.document is not None else None
                found.setdefault(answer.person, []).append(
                    body is not None and normalise(body) in accepted
                )
    return found
