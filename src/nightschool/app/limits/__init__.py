"""How far the limit of a school is: its curve, when to stop, what a larger model would do."""

from nightschool.app.limits.bounding import Bounded, bound_of
from nightschool.app.limits.cache import Cache
from nightschool.app.limits.larger import Measured, measure_larger
from nightschool.app.limits.nights import learning_curve
from nightschool.app.limits.report import Report, Wanted, report
from nightschool.app.limits.stopping import measure_stability
from nightschool.app.limits.twin import measure_twin

__all__ = [
    "Bounded",
    "Cache",
    "Measured",
    "Report",
    "Wanted",
    "bound_of",
    "learning_curve",
    "measure_larger",
    "measure_stability",
    "measure_twin",
    "report",
]
