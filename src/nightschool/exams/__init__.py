"""Marks and the gate: who serves tomorrow, by evidence."""

from nightschool.exams.files import read_exam_file
from nightschool.exams.gate import EvidenceGate, balanced, strict
from nightschool.exams.partition import partition_of
from nightschool.exams.rule import Rule
from nightschool.exams.text import (
    EXAM,
    SkipRates,
    TextExam,
    bank_hash,
    join,
    refuse_trained,
    skip_rates,
)

__all__ = [
    "EXAM",
    "EvidenceGate",
    "Rule",
    "SkipRates",
    "TextExam",
    "balanced",
    "bank_hash",
    "join",
    "partition_of",
    "read_exam_file",
    "refuse_trained",
    "skip_rates",
    "strict",
]
