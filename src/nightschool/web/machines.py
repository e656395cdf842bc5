"""What the server does for machines beside its pages: nights on demand, served texts, numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class NightRunner(Protocol):
    """Runs at most one night at a time, in a process of its own."""

    @property
    def running(self) -> bool:
        """Whether a night that it started is under way."""

    def start(self, by: str) -> bool:
        """Start a night, which `by` asked for; False when one is running already."""


@dataclass(frozen=True)
class Machines:
    """The services that `serve` brings; a server without one of them says that it has none.

    `night` runs nights; `offer` is told the texts that the model was asked to go on with;
    `figures` are further numbers for /metrics, by name.
    """

    night: NightRunner | None = None
    offer: Callable[[Sequence[str]], object] | None = None
    figures: Callable[[], Mapping[str, float]] | None = None


NONE = Machines()
