"""Questions on which people disagree, for an owner to settle."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nightschool.app.crowd import Crowd, Reading
from nightschool.curation import settling, voices_of
from nightschool.curation.crowd import NONE
from nightschool.types import (
    TEXT,
    Answer,
    AnsweredQuestion,
    AnswerError,
    Document,
    Reply,
    Retract,
    UnknownQuestion,
    normalise,
)
from nightschool.warehouse.audit import Audit

SURE = 0.95
"""What is more probable than this is settled by the people themselves."""


@dataclass(frozen=True)
class Voter:
    """Somebody who gave an answer: what they wrote exactly, why, and how far they are trusted."""

    person: str
    text: str
    reply: str
    note: str
    at: float
    seconds: float
    trust: float


@dataclass(frozen=True)
class Alternative:
    """One of the answers that were given, and how probable it is; `text` is empty for none."""

    text: str
    probability: float
    voters: tuple[Voter, ...]


@dataclass(frozen=True)
class Dispute:
    """A context with its different answers, the most probable first.

    `entropy` in bits says how open it is, with what nobody said as one more alternative;
    `context` is the context's id in hexadecimal digits; `decided` is whether one of them makes an
    example as it is.
    """

    context: str
    question_id: str
    text: str
    group: str
    partition: str
    entropy: float
    decided: bool
    alternatives: tuple[Alternative, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain lists, dicts, numbers and strings."""
        return asdict(self)


@dataclass(frozen=True)
class Disputes:
    """The most open questions, and how many there are in all."""

    open: tuple[Dispute, ...]
    total: int
    settled: int

    def as_dict(self) -> dict[str, Any]:
        """Plain lists, dicts, numbers and strings."""
        return {
            "open": [d.as_dict() for d in self.open],
            "total": self.total,
            "settled": self.settled,
        }


class Settling:
    """Lists disputes and keeps an owner's word on them.

    `keep` and `withdraw` are the school's own: an answer that settles is checked like any other.
    """

    def __init__(
        self,
        crowd: Crowd,
        keep: Callable[[Answer, bool], bool],
        withdraw: Callable[[str, str, Retract], bool],
        audit: Audit,
        clock: Callable[[], float],
    ) -> None:
        self._crowd = crowd
        self._keep = keep
        self._withdraw = withdraw
        self._audit = audit
        self._now = clock

    def disputes(self, most: int = 50) -> Disputes:
        """What people disagree about, the most open first."""
        reading = self._crowd.read()
        found = [d for each in _text_questions(reading) if (d := dispute(each, reading))]
        found.sort(key=lambda d: (d.decided, -d.entropy, d.context))
        settled = sum(settling(each.answers) is not None for each in _text_questions(reading))
        return Disputes(tuple(found[:most]), len(found), settled)

    def settle(
        self,
        question_id: str,
        by: str,
        reply: Reply,
        text: str = "",
        note: str = "",
        name: str = "",
        member: bool = False,
    ) -> Answer:
        """Decide a question for good: its newest settling answer alone counts.

        `name` is the answer's id, made by the client; with `member` whoever decides needs an open
        account. Raises UnknownQuestion, and AnswerError for a skip, which settles nothing.
        """
        if reply is Reply.SKIP:
            raise AnswerError("A skip settles nothing; choose an answer, or say that it has none.")
        document = Document(text, TEXT) if reply is Reply.ANSWER else None
        answer = Answer(
            name or str(uuid.uuid4()), question_id, by, reply, document, 0.0, self._now(),
            note, settles=True,
        )  # fmt: skip
        if self._keep(answer, member):
            # Not what was said: the trail outlives whoever said it.
            self._audit.note(by, "question settled", question_id, reply.value, self._now())
        self._crowd.renew()
        return answer

    def reopen(self, answer_id: str, by: str) -> bool:
        """Take a settling answer back; False where that was done before."""
        done = self._withdraw(answer_id, by, Retract.WITHDRAWAL)
        if done:
            self._audit.note(by, "settling taken back", answer_id, "", self._now())
        self._crowd.renew()
        return done

    def one(self, question_id: str) -> Dispute:
        """The answers to one question with their probabilities; UnknownQuestion without any."""
        reading = self._crowd.read()
        for each in _text_questions(reading):
            if each.question.id == question_id:
                return _dispute(each, reading)
        raise UnknownQuestion(f"Nobody has answered the question {question_id!r} by a text.")


def _text_questions(reading: Reading) -> list[AnsweredQuestion]:
    return [
        each
        for each in (*reading.training, *reading.exam)
        if each.question.context.id in reading.consensus.posterior
    ]


def dispute(answered: AnsweredQuestion, reading: Reading) -> Dispute | None:
    """The dispute about a context; None where people agree, are sure, or it is settled."""
    if settling(answered.answers) is not None:
        return None
    if len({_said(a) for a in voices_of(answered.answers)}) < 2:
        return None
    posterior = reading.consensus.posterior[answered.question.context.id]
    return _dispute(answered, reading) if max(posterior.values()) < SURE else None


def _dispute(answered: AnsweredQuestion, reading: Reading) -> Dispute:
    question = answered.question
    posterior = reading.consensus.posterior[question.context.id]
    by_said: dict[str, list[Answer]] = {}
    for answer in voices_of(answered.answers):
        by_said.setdefault(_said(answer), []).append(answer)
    alternatives = [
        Alternative(
            _text(answers[0]),
            posterior.get(said, 0.0),
            tuple(_voter(a, reading.consensus.trust(a.person)) for a in answers),
        )
        for said, answers in sorted(by_said.items(), key=lambda x: (-posterior.get(x[0], 0), x[0]))
    ]
    best = max(posterior, key=lambda said: posterior[said])
    return Dispute(
        f"{question.context.id:x}",
        question.id,
        question.context.text,
        question.context.group,
        question.partition.value,
        _entropy(posterior.values()),
        best != NONE and posterior[best] > 0.5,
        tuple(alternatives),
    )


def _said(answer: Answer) -> str:
    return normalise(answer.document.body) if answer.document is not None else NONE


def _text(answer: Answer) -> str:
    return answer.document.body.strip() if answer.document is not None else ""


def _voter(answer: Answer, trust: float) -> Voter:
    reply = answer.reply.value
    return Voter(answer.person, _text(answer), reply, answer.note, answer.at, answer.seconds, trust)


def _entropy(probabilities: Sequence[float] | Any) -> float:
    given = [p for p in probabilities if p > 0]
    rest = max(0.0, 1.0 - sum(given))
    return -sum(p * math.log2(p) for p in [*given, rest] if p > 0)
