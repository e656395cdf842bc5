"""Observation: what a learner saw of a block of contexts, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightschool.types.errors import ObservationError

Floats = NDArray[np.float32]
Ids = NDArray[np.uint64]


@dataclass(frozen=True, init=False, eq=False)
class Observation:
    """A block of n contexts as a learner sees them; strategies work on these arrays only.

    Shapes: `ids` (n,) uint64; `embeddings` (n, d) float32; posterior samples, either
    `probs` (s, n, k), each row summing to 1 (k may differ from block to block; padded with
    zeros), or `values` (s, n, m) with `noise` (m,), the variance of an answer; `asked` (a, d)
    embeddings of what was asked before; `target_probs` (s, t, k), the same samples' predictions
    on the target set; `groups` (n,) int64, the cluster of each context; `seconds` (n,), what a
    person is expected to need; `answerable` (n,), how probably a person can answer at all, in
    [0, 1]. A field that the learner did not give raises
    ObservationError by its name when it is read.
    """

    ids: Ids
    embeddings: Floats
    probs: Floats
    values: Floats
    noise: Floats
    asked: Floats
    target_probs: Floats
    groups: NDArray[np.int64]
    seconds: Floats
    answerable: Floats

    def __init__(
        self,
        ids: Ids,
        *,
        embeddings: Floats | None = None,
        probs: Floats | None = None,
        values: Floats | None = None,
        noise: Floats | None = None,
        asked: Floats | None = None,
        target_probs: Floats | None = None,
        groups: NDArray[np.int64] | None = None,
        seconds: Floats | None = None,
        answerable: Floats | None = None,
    ) -> None:
        given = {k: v for k, v in locals().items() if k != "self" and v is not None}
        for name, value in given.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.ids)

    def __getattr__(self, name: str) -> Any:
        if name in {f.name for f in fields(self)}:
            raise ObservationError(
                f"This learner gives no `{name}`, which the strategy needs; "
                "choose another with `nightschool config strategy NAME` (random needs nothing)."
            )
        raise AttributeError(name)

    def has(self, name: str) -> bool:
        """Whether the learner gave that field."""
        return name in self.__dict__


def uniform(ids: Iterable[int] | Ids, key: int) -> NDArray[np.float64]:
    """One uniform draw in [0, 1) for each id: keyed, so the order of the pool does not matter.

    SplitMix64's finaliser over id and key (Steele, Lea and Flood 2014).
    """
    array = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids), dtype=np.uint64)
    with np.errstate(over="ignore"):
        x = array ^ _mix(np.uint64(key & 0xFFFFFFFFFFFFFFFF) + np.uint64(0x9E3779B97F4A7C15))
        x = _mix(x + np.uint64(0x9E3779B97F4A7C15))
    draws: NDArray[np.float64] = (x >> np.uint64(11)).astype(np.float64) / float(1 << 53)
    return draws


def _mix(x: Any) -> Any:
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


Blocks = Iterable[Observation]
"""The pool as observed, in blocks; may be iterated more than once."""
