"""What is told of a night elsewhere, and whoever is told: the group `nightschool.trackers`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from nightschool.types.records import Verdict, Version

UNTOLD = re.compile(r"[^\w. -]")
"""What the name of a metric may not hold."""


@dataclass(frozen=True)
class NightReport:
    """A night that is over: `version` is the challenger, `seconds` what each step took.

    `school` is its folder's name, which others may have as well; `id` is the school's alone.
    `answers` counts all that the school holds by then.
    """

    school: str
    id: str
    verdict: Verdict
    version: Version
    answers: int
    seconds: Mapping[str, float]

    def metrics(self) -> dict[str, float]:
        """The numbers by name, as trackers take them; what is not finite is left out."""
        told = {
            "exam/champion": self.verdict.before,
            "exam/trainee": self.verdict.after,
            "exam/items": float(self.verdict.items),
            "answers": float(self.answers),
            **{f"seconds/{UNTOLD.sub('_', name)}": took for name, took in self.seconds.items()},
        }
        return {name: value for name, value in told.items() if math.isfinite(value)}


class Tracker(Protocol):
    """Somewhere nights are reported as well; made with a folder that is its own."""

    def report(self, night: NightReport) -> None:
        """Take a night in. May raise anything: that is noted, and the night stands.

        A night may be reported again, after it was broken and resumed.
        """
