"""From any number of answers to trusted targets, or none."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nightschool.curation.crowd import NONE, Ballot, Consensus, Voice, from_posterior
from nightschool.types import (
    TEXT,
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    Example,
    Reply,
    normalise,
)

Agreement = Callable[[Sequence[Ballot]], Consensus]
"""How answers are weighed against each other: a part of kind "agreements"."""

SURE = 0.5
"""An alternative is taught when it is more probable than this: more likely right than not."""

STEPS = 10
"""Weights are whole tenths: the last digits of a probability are no news."""

SLACK = 0.2
"""An example stays as it is while its weight would move by no more than this.

Every new answer tells a little more about somebody, and so about all that they ever said; without
slack a night would learn again what it knows.
"""


def curate(answered: Sequence[AnsweredQuestion], night: int) -> list[Example]:
    """Examples by the majority's vote, in the order of the questions."""
    return [example for each in answered for example in make_examples(each, night)]


@dataclass(frozen=True)
class Curator:
    """Examples weighed by who gave the answers.

    `labels` is how many answers are possible, 0 for free text; `anchors` are ballots on other
    contexts, which tell something about the people. `held` are the examples of the nights before,
    by context: they are kept where little changed. A rebuild holds none, so that its examples
    depend on nothing but the answers.
    """

    agreement: Agreement
    labels: int = 0
    anchors: Sequence[Ballot] = ()
    held: Mapping[int, Example] = field(default_factory=dict)

    def __call__(self, answered: Sequence[AnsweredQuestion], night: int) -> list[Example]:
        """Examples of the answered questions, in the order of the questions.

        A text's weight is the probability that it is right, over that of a stranger's lone answer
        (at most 1, in tenths): where nothing is known about people, every lone answer weighs 1.
        Answers that cannot be equal are weighed as `make_examples` does.
        """
        ballots = ballots_of(answered, self.labels)
        consensus = self.agreement([*ballots, *self.anchors])
        texts = {ballot.name for ballot in ballots}
        return [
            example
            for each in answered
            for example in (
                self._weighed(each, consensus, night)
                if each.question.context.id in texts and settling(each.answers) is None
                else make_examples(each, night)
            )
        ]

    def _weighed(
        self, answered: AnsweredQuestion, consensus: Consensus, night: int
    ) -> list[Example]:
        """The most probable answer, where it is more likely right than not."""
        context = answered.question.context
        posterior = consensus.posterior[context.id]
        best = max(sorted(posterior), key=lambda said: posterior[said])
        if best == NONE:
            return []
        given = [a for a in voices_of(answered.answers) if _said(a) == best]
        weight = weight_of(posterior[best], consensus.stranger)
        if not weight:
            return []
        held = self.held.get(context.id)
        if held is not None and _stays(held, given, weight):
            return [held]
        return [_example(context, given, weight, night)]


def majority(ballots: Sequence[Ballot]) -> Consensus:
    """Every voice weighs the same; what people are like is told all the same, by the shares."""
    posterior = {
        ballot.name: {
            said: n / len(ballot.voices)
            for said, n in Counter(v.said for v in ballot.voices).items()
        }
        for ballot in ballots
    }
    return from_posterior(ballots, posterior)


def ballots_of(
    answered: Iterable[AnsweredQuestion],
    labels: int = 0,
    truths: Callable[[int], Iterable[str]] = lambda _: (),
) -> list[Ballot]:
    """The ballots on contexts that are answered by texts; `truths` gives accepted texts.

    What an owner settled is known; their settling answer is no voice.
    """
    found = []
    for each in answered:
        name = each.question.context.id
        if any(a.document is not None and a.document.kind != TEXT for a in each.answers):
            continue
        settled = settling(each.answers)
        known = {normalise(text) for text in truths(name)}
        if settled is not None:
            known = {_said(settled)}
        voices = tuple(
            Voice(a.person, _said(a), a.reply is not Reply.CANT_TELL)
            for a in voices_of(each.answers)
        )
        if voices:
            found.append(Ballot(name, voices, labels, frozenset(known)))
    return found


def voices_of(answers: Sequence[Answer]) -> list[Answer]:
    """Each person's latest reply that says something: no skips, and nothing that settles."""
    latest = _latest([a for a in answers if not a.settles])
    return [a for a in latest if a.reply is not Reply.SKIP]


def _latest(answers: Sequence[Answer]) -> list[Answer]:
    """Each person's latest answer; of several at one time, or at none (0), the last that came."""
    newest = {a.person: a for a in sorted(answers, key=lambda a: a.at)}
    return [newest[person] for person in dict.fromkeys(a.person for a in answers)]


def settling(answers: Sequence[Answer]) -> Answer | None:
    """The newest answer by which an owner settled the matter; None where none did."""
    return max((a for a in reversed(answers) if a.settles), key=lambda a: a.at, default=None)


def _said(answer: Answer) -> str:
    return normalise(answer.document.body) if answer.document is not None else NONE


def weight_of(probability: float, stranger: float) -> float:
    """The weight of what is right with that probability: in (0, 1], or 0 for no example."""
    if probability <= SURE:
        return 0.0
    return max(1, round(STEPS * min(1.0, probability / stranger))) / STEPS


def _stays(held: Example, given: Sequence[Answer], weight: float) -> bool:
    """Whether an example is of the same answers, and its weight would hardly change."""
    moved = round(abs(held.weight - weight), 6)  # 0.9 - 0.7 is a little more than 0.2
    return held.answers == _names(given) and moved <= SLACK


def make_examples(answered: AnsweredQuestion, night: int) -> list[Example]:
    """What a context's answers teach; nothing where half or more of the replies say it has none.

    What an owner settled is decided. Else "can't tell" and "bad question" speak against a
    context; skips say nothing about it. Each person's latest answer counts. Texts are put to the
    vote: the target that most people gave, weighted by their share, and none where the two most
    frequent ones tie. Other answers cannot be equal (no two drawings are, nor two trajectories
    with their noise), so each is an example.
    """
    context = answered.question.context
    settled = settling(answered.answers)
    if settled is not None:
        return [_example(context, [settled], 1.0, night)] if settled.document is not None else []
    latest = _latest(answered.answers)
    against = sum(a.reply in (Reply.CANT_TELL, Reply.BAD_QUESTION) for a in latest)
    given = [a for a in latest if a.reply is Reply.ANSWER and a.document is not None]
    if 2 * against >= against + len(given):
        return []
    votes: dict[str, list[Answer]] = {}
    for answer in given:
        assert answer.document is not None
        by_text = answer.document.kind == TEXT
        key = normalise(answer.document.body) if by_text else answer.id
        votes.setdefault(key, []).append(answer)
    ranked = sorted(votes.values(), key=len, reverse=True)
    total = against + len(given)
    if all(a.document is not None and a.document.kind != TEXT for a in given):
        return [_example(context, own, len(given) / total, night) for own in votes.values()]
    if len(ranked) > 1 and len(ranked[0]) == len(ranked[1]):
        return []
    return [_example(context, ranked[0], len(ranked[0]) / total, night)]


def _example(context: Context, answers: Sequence[Answer], weight: float, night: int) -> Example:
    target = clean(answers[0].document)
    names = _names(answers)
    parts = [context.document.digest.hex(), target.digest.hex(), f"{weight:.6f}"]
    digest = hashlib.sha256("\0".join([*parts, target.body, *names]).encode()).hexdigest()
    return Example(digest[:32], context.document, target, weight, names, night, context.group)


def _names(answers: Sequence[Answer]) -> tuple[str, ...]:
    return tuple(sorted(a.id for a in answers))


def clean(document: Document | None) -> Document:
    """The answer as trained on: text without white space at its ends; the log keeps it verbatim."""
    if document is None:
        raise ValueError("An answer of kind ANSWER carries a document.")
    if document.kind != TEXT:
        return document
    return Document(document.body.strip(), blobs=document.blobs, parts=document.parts)
