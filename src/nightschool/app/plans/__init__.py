"""Plans of simulated schools: one for each kind of teacher, and one for labelled data."""

from nightschool.app.plans.adjusted import AdjustedPlan
from nightschool.app.plans.control import ControlPlan
from nightschool.app.plans.drawing import DrawingPlan
from nightschool.app.plans.labelled import LabelledPlan
from nightschool.app.plans.words import WordsPlan

__all__ = ["AdjustedPlan", "ControlPlan", "DrawingPlan", "LabelledPlan", "WordsPlan"]
