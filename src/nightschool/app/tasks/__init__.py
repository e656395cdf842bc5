"""Tasks: what a school of each kind begins with. Words, classification, control, drawing."""

from nightschool.app.tasks.classification import ClassificationTask
from nightschool.app.tasks.control import ControlTask
from nightschool.app.tasks.drawing import DrawingTask
from nightschool.app.tasks.task import Task
from nightschool.app.tasks.words import WordsTask

__all__ = ["ClassificationTask", "ControlTask", "DrawingTask", "Task", "WordsTask"]
