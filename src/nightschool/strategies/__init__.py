"""Which contexts to ask next: pure functions of an Observation, found by entry point."""

from nightschool.strategies.batch import by_score
from nightschool.strategies.hybrid import Hybrid
from nightschool.strategies.information import Information
from nightschool.strategies.scores import bald, entropy, random_scores

RANDOM = by_score(random_scores)
BALD = by_score(bald)
HYBRID = Hybrid()
INFORMATION = Information()

__all__ = ["BALD", "HYBRID", "INFORMATION", "RANDOM", "Hybrid", "Information", "bald", "by_score", "entropy", "random_scores"]
