"""Limits: when to stop, what more answers would bring, and the fewest that could do."""

from nightschool.limits.advice import Advice, Trial, advise
from nightschool.limits.bound import Noise, capacity, entropy, fewest, measured
from nightschool.limits.curve import Point, curve
from nightschool.limits.forecast import Forecast, Interval, forecast
from nightschool.limits.lead import Lead, folds, lead
from nightschool.limits.stability import ENOUGH, WINDOW, Stability, kappa, stability

__all__ = [
    "ENOUGH",
    "WINDOW",
    "Advice",
    "Forecast",
    "Interval",
    "Lead",
    "Noise",
    "Point",
    "Stability",
    "Trial",
    "advise",
    "capacity",
    "curve",
    "entropy",
    "fewest",
    "folds",
    "forecast",
    "kappa",
    "lead",
    "measured",
    "stability",
]
