"""Text-to-image models that can be taught by drawings: Stable Diffusion's kind, by an adapter."""

from nightschool.learners.diffusion.learner import KIND, DiffusionKind, DiffusionLearner
from nightschool.learners.diffusion.settings import DiffusionSettings

__all__ = ["KIND", "DiffusionKind", "DiffusionLearner", "DiffusionSettings"]
