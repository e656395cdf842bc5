"""Conformance suites: what every part of a kind must do, ours or a stranger's.

Call them from a test of your own: `check_strategy(my_strategy)`. They raise AssertionError.
"""

from nightschool.testing.exams import check_exam
from nightschool.testing.learners import check_learner
from nightschool.testing.oracles import check_oracle
from nightschool.testing.strategies import check_strategy
from nightschool.testing.systems import check_system

__all__ = ["check_exam", "check_learner", "check_oracle", "check_strategy", "check_system"]
