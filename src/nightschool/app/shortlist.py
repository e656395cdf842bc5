"""What a night leaves beside its queue, so that answers can re-rank it in milliseconds."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nightschool.types import Blocks, Observation
from nightschool.warehouse import disk

FILE = "shortlist.safetensors"
_SAMPLED = ("probs", "values")
_SHARED = ("noise", "asked", "target_probs")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shortlist:
    """The candidates of one night, as the strategy saw them, best first.

    `expected` (n) is the answer that the model gives to each now. `asked` of the observation are
    the contexts asked before; `said` (a) is what was answered to each ("" where it was declined,
    None where that is not known). `labels` are all answers that there are, for a learner that
    tells classes apart; else empty. `priors` are precision and spread of the light heads by
    name, as the night found them by evidence: that takes long, a fit with them takes milliseconds.
    """

    night: int
    strategy: str
    key: int
    seen: Observation
    expected: Sequence[str]
    said: Sequence[str | None]
    labels: Sequence[str] = ()
    priors: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it into a school's folder, whole or not at all. It may be lost at any time."""
        tensors = {"ids": self.seen.ids}
        for name in _names(self.seen):
            tensors[name] = np.ascontiguousarray(getattr(self.seen, name))
        body = {
            "night": self.night,
            "strategy": self.strategy,
            "key": self.key,
            "expected": list(self.expected),
            "said": list(self.said),
            "labels": list(self.labels),
            "priors": dict(self.priors),
        }
        disk.write(folder / FILE, save(tensors, {"shortlist": json.dumps(body)}))


def read(folder: Path) -> Shortlist | None:
    """The shortlist of a school's folder; None where there is none, or none that can be read."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            body = json.loads(file.metadata()["shortlist"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        seen = Observation(arrays.pop("ids"), **arrays)
        return Shortlist(seen=seen, **body)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        log.warning("%s cannot be read (%s): the queue stays as it is today.", path, error)
        return None


def _names(observation: Observation) -> list[str]:
    return [f.name for f in fields(observation) if f.name != "ids" and observation.has(f.name)]


def rows(observation: Observation, index: NDArray[np.int64]) -> Observation:
    """Some contexts of an observation, in that order; what all share is kept whole."""
    return Observation(
        observation.ids[index],
        **{name: _part(name, getattr(observation, name), index) for name in _names(observation)},
    )


def _part(name: str, value: NDArray[Any], index: NDArray[np.int64]) -> NDArray[Any]:
    if name in _SHARED:
        return value
    return value[:, index] if name in _SAMPLED else value[index]


def gathered(blocks: Blocks, ids: Iterable[int]) -> Observation | None:
    """The contexts of those ids, in their order, as one observation; None where none was seen."""
    wanted = {int(name): place for place, name in enumerate(ids)}
    parts = []
    for block in blocks:
        mine = [i for i, name in enumerate(block.ids) if int(name) in wanted]
        if mine:
            parts.append(rows(block, np.array(mine, np.int64)))
    if not parts:
        return None
    whole = joined(parts)
    places = np.array([wanted[int(name)] for name in whole.ids])
    return rows(whole, np.argsort(places, kind="stable").astype(np.int64))


def joined(parts: Sequence[Observation]) -> Observation:
    """Blocks as one; predictions over fewer answers are filled up with zeros."""
    together: dict[str, Any] = {}
    for name in _names(parts[0]):
        values = [getattr(part, name) for part in parts]
        if name in _SHARED:
            together[name] = values[0]
        elif name in _SAMPLED:
            k = max(value.shape[-1] for value in values)
            wide = [np.pad(v, ((0, 0), (0, 0), (0, k - v.shape[-1]))) for v in values]
            together[name] = np.concatenate(wide, axis=1)
        else:
            together[name] = np.concatenate(values)
    return Observation(np.concatenate([part.ids for part in parts]), **together)
