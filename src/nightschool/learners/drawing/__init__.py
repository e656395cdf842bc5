"""A small image generator, taught by drawings: caption-conditioned rectified flow."""

from nightschool.learners.drawing.base import build
from nightschool.learners.drawing.learner import KIND, DrawingKind, DrawingLearner
from nightschool.learners.drawing.settings import DrawingSettings
from nightschool.learners.drawing.storing import Brain
from nightschool.learners.drawing.teaching import pretrain

__all__ = [
    "KIND", "Brain", "DrawingKind", "DrawingLearner", "DrawingSettings", "build", "pretrain",
]  # fmt: skip
