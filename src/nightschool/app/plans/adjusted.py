"""Any plan, with some settings changed, or with another oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nightschool.app.config import TABLES, change_config
from nightschool.app.school import School
from nightschool.app.simulation import Measure, Plan
from nightschool.types import Oracle, Progress


@dataclass(frozen=True)
class AdjustedPlan:
    """A plan whose school gets other settings after init, and perhaps another oracle.

    `settings` are those of `nightschool config`, tables within; what init fixes is refused by
    name. `oracle` is the name of an installed one; empty: the plan's own.
    """

    plan: Plan
    settings: Mapping[str, Any] = field(default_factory=dict)
    oracle_name: str = ""

    @property
    def nights(self) -> int:
        """The plan's nights."""
        return self.plan.nights

    @property
    def answers(self) -> int:
        """The plan's answers a day."""
        return self.plan.answers

    def build(self, folder: Path, progress: Progress | None = None) -> Measure:
        """The plan's school, with the settings changed."""
        measure = self.plan.build(folder, progress)
        if self.oracle_name:
            change_config(folder, "oracle", self.oracle_name)
        for key, value in self.settings.items():
            inside = value.items() if key in TABLES else [("", value)]
            for name, each in inside:
                change_config(folder, f"{key}.{name}" if name else key, each)
        return measure

    def oracle(self, school: School) -> Oracle:
        """The named oracle with the school's oracle settings, or the plan's own."""
        return school.oracle if self.oracle_name else self.plan.oracle(school)
