"""The conformance suite of an exam, whatever it marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nightschool.types import AnsweredQuestion, Exam, ExamItem, Learner, Partition


def check_exam(
    exam: Exam,
    learner: Learner,
    items: Sequence[ExamItem],
    answered: Sequence[AnsweredQuestion] = (),
) -> None:
    """Every promise of an exam, with a learner that can sit it, its items and some answers."""
    marks = list(exam.sit(learner, items))
    names = {item.id for item in items}
    assert all(0.0 <= m.value <= 1.0 for m in marks), "marks lie in [0, 1]"
    assert all(m.item in names for m in marks if m.gates), "a gating mark names its item"
    pairs = [(m.item, m.name) for m in marks if m.gates]
    assert pairs, "nothing gates: no version could ever be promoted"
    assert len(set(pairs)) == len(pairs), "two gating marks of one name on one item"
    groups = {item.id: item.group for item in items}
    assert all(m.group == groups[m.item] for m in marks if m.gates), "a mark has its item's group"
    assert list(exam.sit(learner, items)) == marks, "sitting again gave other marks"
    assert list(exam.sit(learner, [])) == [], "no items, no marks"
    _bank(exam, answered)


def _bank(exam: Exam, answered: Sequence[AnsweredQuestion]) -> None:
    bank = exam.items(answered)
    asked = {a.question.context.id for a in answered if a.question.partition is Partition.EXAM}
    assert len(bank) <= len(asked), "equal contexts are one item"
    assert all(item.source == "bank" for item in bank), 'items from answers say source "bank"'
    training = [
        AnsweredQuestion(replace(a.question, partition=Partition.TRAINING), a.answers)
        for a in answered
    ]
    assert not exam.items(training), "answers of the training partition became exam items"
