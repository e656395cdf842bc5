"""Text classification: a frozen encoder and a Bayesian head that is refitted every night."""

from nightschool.learners.classification.learner import (
    ClassificationKind,
    ClassificationLearner,
)

KIND = ClassificationKind()

__all__ = ["KIND", "ClassificationKind", "ClassificationLearner"]
