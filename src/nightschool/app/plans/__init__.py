"""Plans of simulated schools: one for each kind of teacher."""

from nightschool.app.plans.control import ControlPlan
from nightschool.app.plans.drawing import DrawingPlan
from nightschool.app.plans.words import WordsPlan

__all__ = ["ControlPlan", "DrawingPlan", "WordsPlan"]
