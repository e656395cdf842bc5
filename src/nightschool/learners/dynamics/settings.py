"""What can be set about a dynamics learner, and what is chosen where nothing is set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from nightschool.types import LearnerError
from nightschool.types.trajectory import Spec

_WANTED = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "tuple[int, ...]": (int,),
    "tuple[float, ...]": (int, float),
}


_LEAST = {
    "prior": 0,
    "states": 0,
    "earlier": 0,
    "original": 0,
    "members": 2,
    "learning_rate": 1e-9,
}


@dataclass(frozen=True)
class Settings:
    """The system that is learned, and how it is learned, explored and controlled.

    The system, as `settings_for(spec)` writes it: its name, its number of `states`, which of them
    are `angles` (radians), which of these are `stopped` (the joint cannot go round), and the
    `low` and `high` limits of its actions.
    Learning: `members` networks of two `hidden` layers; `steps` of AdamW a night, peak
    `learning_rate`, `batch` transitions a step; `prior` is the weight decay times the number of
    transitions; `earlier` and `original` trajectories are read at most; `checkpoint` steps.
    Exploring: `plans` starts a call of `write`, `plan_samples` action sequences a round,
    `plan_rounds` rounds; `moments` of a rollout are observed; `block` contexts a block.
    Controlling: `horizon` steps are planned, from `samples` sequences in each of `rounds`.
    """

    system: str = ""
    states: int = 0
    angles: tuple[int, ...] = ()
    stopped: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    members: int = 5
    hidden: int = 64
    steps: int = 1000
    learning_rate: float = 5e-3
    batch: int = 256
    prior: float = 100.0
    earlier: int = 512
    original: int = 64
    checkpoint: int = 100
    plans: int = 8
    plan_samples: int = 100
    plan_rounds: int = 3
    moments: int = 8
    block: int = 256
    horizon: int = 20
    samples: int = 64
    rounds: int = 5

    def check_system(self) -> None:
        """Raise LearnerError where the settings do not say what the system is."""
        a, s = len(self.low), self.states
        whole = 0 < a == len(self.high) and s > 0
        inside = all(0 <= i < s for i in (*self.angles, *self.stopped))
        ordered = all(x < y for x, y in zip(self.low, self.high, strict=False))
        if not (whole and inside and ordered and set(self.stopped) <= set(self.angles)):
            raise LearnerError(
                f"The settings do not say what the system is (states {s}, angles {self.angles}, "
                f"stopped {self.stopped}, low {self.low}, high {self.high}); take those that "
                "`nightschool init --task control` writes."
            )


def settings_for(spec: Spec) -> dict[str, object]:
    """The settings that say what a system is, ready for a configuration file.

    An angle with finite safe limits cannot go round: it is `stopped`.
    """
    limits = zip(spec.safe_low, spec.safe_high, strict=True)
    finite = [math.isfinite(low) and math.isfinite(high) for low, high in limits]
    return {
        "system": spec.name,
        "states": len(spec.states),
        "angles": list(spec.angles),
        "stopped": [i for i in spec.angles if finite[i]],
        "low": list(spec.low),
        "high": list(spec.high),
    }


def parse(settings: Mapping[str, object]) -> Settings:
    """Settings from a table; LearnerError for an unknown key or a value that cannot be."""
    known = {f.name: str(f.type) for f in fields(Settings)}
    made: dict[str, object] = {}
    for key, value in settings.items():
        if key not in known:
            raise LearnerError(
                f"The dynamics learner has no setting {key!r}; it has: {', '.join(sorted(known))}."
            )
        made[key] = _checked(key, value, known[key])
    return Settings(**made)  # type: ignore[arg-type]


def _checked(key: str, value: object, wanted: str) -> object:
    several = wanted.startswith("tuple")
    if several and not isinstance(value, list | tuple):
        raise LearnerError(f"{key} is {value!r}; the dynamics learner wants a list.")
    each = list(value) if several else [value]  # type: ignore[call-overload]
    for one in each:
        if not isinstance(one, _WANTED[wanted]) or isinstance(one, bool):
            raise LearnerError(f"{key} is {value!r}; the dynamics learner wants {wanted}.")
    if several:
        return tuple(each)
    least = _LEAST.get(key, 1)
    if isinstance(value, int | float) and not least <= value < math.inf:
        raise LearnerError(f"{key} is {value}; it must be at least {least}.")
    return value
