"""Errors in the words of the field; each names the value and the cure."""

from __future__ import annotations


class NightschoolError(Exception):
    """Something a person can mend; the command line prints its message without a traceback."""


class ConfigError(NightschoolError):
    """A setting is unknown, of the wrong type or out of range."""


class PoolError(NightschoolError):
    """The pool is empty, or a pool file cannot be read (the message names file and line)."""


class AnswerError(NightschoolError):
    """An answer cannot be kept as it was sent (too long, empty, for an unknown question)."""


class UnknownQuestion(AnswerError):
    """No question has the id that an answer names."""


class ConflictingAnswer(AnswerError):
    """An answer's id was used before, for something else."""


class OracleError(NightschoolError):
    """An oracle cannot answer now; the question is not used up."""


class LearnerError(NightschoolError):
    """A model folder cannot be taught, or a model is broken."""


class ObservationError(NightschoolError):
    """A strategy asked for a field that this learner does not give."""


class WarehouseError(NightschoolError):
    """What is stored is missing, damaged, on a network file system, or the disk is full."""


class LockedError(NightschoolError):
    """Another process holds the night lock or serves this school."""


class ExamError(NightschoolError):
    """An exam file is malformed, or holds items that were already trained on."""
