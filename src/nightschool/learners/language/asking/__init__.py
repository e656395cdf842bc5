"""Asking: questions that the model writes itself, of the kind that people could answer."""

from nightschool.learners.language.asking.inventing import invent
from nightschool.learners.language.asking.writer import Model, write

__all__ = ["Model", "invent", "write"]
