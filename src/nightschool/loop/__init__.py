"""One night and one day, top to bottom; imports only the types."""

from nightschool.loop.choosing import (
    Budget,
    Overlap,
    choose_questions,
    draw_questions,
    exam_share,
    overlapping,
)
from nightschool.loop.day import teach
from nightschool.loop.night import run_night

__all__ = [
    "Budget",
    "Overlap",
    "choose_questions",
    "draw_questions",
    "exam_share",
    "overlapping",
    "run_night",
    "teach",
]
