"""What a demo needs from each teacher's show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from nightschool.app import School
from nightschool.app.simulation import Morning, Plan


class Show(Protocol):
    """A plan, its twin with random questions, and what is told before, between and after."""

    @property
    def plan(self) -> Plan:
        """The school of the demo."""

    @property
    def twin(self) -> Plan:
        """The same school with questions drawn at random."""

    def before(self, school: School) -> None:
        """Told before the first night."""

    def morning(self, school: School, morning: Morning) -> None:
        """Told after the line of each morning."""

    def after(self, school: School) -> None:
        """Told after the last night."""

    def finish(
        self, folder: Path, seen: Sequence[Morning], twin: Sequence[Mapping[str, Any]]
    ) -> None:
        """The sums, the picture, and how to go on in person; `twin` is empty without a twin."""
