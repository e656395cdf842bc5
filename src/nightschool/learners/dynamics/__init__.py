"""Learning how a physical system moves: a probabilistic ensemble, planning and control."""

from nightschool.learners.dynamics.learner import KIND, Dynamics, DynamicsKind
from nightschool.learners.dynamics.settings import Settings, settings_for

__all__ = ["KIND", "Dynamics", "DynamicsKind", "Settings", "settings_for"]
