"""Which contexts to ask next: pure functions of an Observation, found by entry point."""

from nightschool.strategies.badge import Badge
from nightschool.strategies.batch import by_score
from nightschool.strategies.captions import Captions
from nightschool.strategies.epig import Epig
from nightschool.strategies.falcun import Falcun
from nightschool.strategies.herding import MaxHerding
from nightschool.strategies.hybrid import Hybrid
from nightschool.strategies.information import Information
from nightschool.strategies.kcenter import KCenter
from nightschool.strategies.scores import bald, entropy, least_confidence, margin, random_scores
from nightschool.strategies.typiclust import TypiClust

RANDOM = by_score(random_scores)
LEAST_CONFIDENCE = by_score(least_confidence)
MARGIN = by_score(margin)
ENTROPY = by_score(entropy)
BALD = by_score(bald)
EPIG = Epig()
BADGE = Badge()
K_CENTER = KCenter()
TYPICLUST = TypiClust()
MAX_HERDING = MaxHerding()
FALCUN = Falcun()
HYBRID = Hybrid()
INFORMATION = Information()
CAPTIONS = Captions()
EVEN = Captions(weighed=False)

__all__ = [
    "BADGE",
    "BALD",
    "CAPTIONS",
    "ENTROPY",
    "EPIG",
    "EVEN",
    "FALCUN",
    "HYBRID",
    "INFORMATION",
    "K_CENTER",
    "LEAST_CONFIDENCE",
    "MARGIN",
    "MAX_HERDING",
    "RANDOM",
    "TYPICLUST",
    "Badge",
    "Captions",
    "Epig",
    "Falcun",
    "Hybrid",
    "Information",
    "KCenter",
    "MaxHerding",
    "TypiClust",
    "bald",
    "by_score",
    "entropy",
    "least_confidence",
    "margin",
    "random_scores",
]
