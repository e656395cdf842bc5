"""One night and one day, top to bottom; imports only the types."""

from nightschool.loop.choosing import Budget, choose_questions, draw_questions, exam_share
from nightschool.loop.day import teach
from nightschool.loop.night import run_night

__all__ = [
    "Budget",
    "choose_questions",
    "draw_questions",
    "exam_share",
    "run_night",
    "teach",
]
