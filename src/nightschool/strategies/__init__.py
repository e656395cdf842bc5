"""Which contexts to ask next: pure functions of an Observation, found by entry point."""

from nightschool.strategies.batch import by_score
from nightschool.strategies.captions import Captions
from nightschool.strategies.hybrid import Hybrid
from nightschool.strategies.information import Information
from nightschool.strategies.scores import bald, entropy, random_scores

RANDOM = by_score(random_scores)
BALD = by_score(bald)
HYBRID = Hybrid()
INFORMATION = Information()
CAPTIONS = Captions()
EVEN = Captions(weighed=False)

__all__ = [
    "BALD",
    "CAPTIONS",
    "EVEN",
    "HYBRID",
    "INFORMATION",
    "RANDOM",
    "Captions",
    "Hybrid",
    "Information",
    "bald",
    "by_score",
    "entropy",
    "random_scores",
]
