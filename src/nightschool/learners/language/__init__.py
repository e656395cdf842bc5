"""Language models that can be taught: any causal model of transformers, whole or by an adapter."""

from nightschool.learners.language.learner import LanguageKind, LanguageLearner
from nightschool.learners.language.settings import LanguageSettings

KIND = LanguageKind()
"""The entry point `nightschool.learners.language:KIND`."""

__all__ = ["KIND", "LanguageKind", "LanguageLearner", "LanguageSettings"]
