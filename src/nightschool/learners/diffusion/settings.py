"""What can be set about a text-to-image model's schooling, and what is chosen otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from nightschool.types import LearnerError

PRECISIONS = ("fp32", "bf16")
DEVICES = ("auto", "cpu", "cuda")

_MAY_BE_ZERO = {"earlier", "original", "own", "replay", "no_caption", "members"}
_SHARES = {"replay", "no_caption", "dropout"}


@dataclass(frozen=True)
class DiffusionSettings:
    """How a text-to-image model learns at night, draws, and looks at its captions.

    Night: `rank` (of a new adapter), `learning_rate` (peak), `steps` (more when `passes` over
    tonight's drawings need more), `batch_size` rows a step of which the share `replay` is
    original, `micro_batch` (rows in memory at once), `earlier` and `original` (how many are
    read), `own` (drawings of the model's own to replay where there is no original dataset),
    `no_caption` (share without one, for guidance), `checkpoint_steps`. Drawing: `draw_steps`,
    `guidance` (1: none). Posterior: `members` with their steps, batch and learning rate;
    `dropout` and `dropout_passes` before there are members; `directions` a noise level.
    `precision` of a night's arithmetic, `device`, `threads` (None: as torch has them) are part
    of the result.
    """

    rank: int = 8
    learning_rate: float = 1e-4
    steps: int = 200
    passes: int = 6
    batch_size: int = 8
    micro_batch: int = 4
    replay: float = 0.5
    earlier: int = 64
    original: int = 256
    own: int = 16
    no_caption: float = 0.1
    checkpoint_steps: int = 50
    draw_steps: int = 20
    guidance: float = 5.0
    members: int = 4
    member_steps: int = 50
    member_batch: int = 4
    member_learning_rate: float = 1e-4
    dropout: float = 0.15
    dropout_passes: int = 4
    directions: int = 8
    precision: str = "fp32"
    device: str = "auto"
    threads: int | None = None

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> DiffusionSettings:
        """Settings from a mapping; LearnerError for an unknown key or a value out of range."""
        defaults = {field.name: field.default for field in fields(cls)}
        for key, value in settings.items():
            if key not in defaults:
                raise LearnerError(
                    f"The diffusion learner has no setting {key!r}; it has: "
                    f"{', '.join(sorted(defaults))}."
                )
            if isinstance(defaults[key], str):
                _check_choice(key, value, PRECISIONS if key == "precision" else DEVICES)
            elif not (key == "threads" and value is None):
                _check_number(key, value, whole=not isinstance(defaults[key], float))
        return cls(**dict(settings))  # type: ignore[arg-type]


def _check_choice(key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise LearnerError(f"{key} is {value!r}; choose one of {', '.join(allowed)}.")


def _check_number(key: str, value: object, *, whole: bool) -> None:
    kinds = int if whole else int | float
    if not isinstance(value, kinds) or isinstance(value, bool):
        kind = "whole number" if whole else "number"
        raise LearnerError(f"{key} is {value!r}; the diffusion learner wants a {kind}.")
    if not -math.inf < value < math.inf:
        raise LearnerError(f"{key} is {value}; it must be a finite number.")
    if value < 0 or (value == 0 and key not in _MAY_BE_ZERO):
        raise LearnerError(f"{key} is {value}; it must be above zero.")
    if key in _SHARES and value >= 1:
        raise LearnerError(f"{key} is {value}; it is a share and must be below 1.")
    if key in {"members", "dropout_passes"} and value == 1:
        raise LearnerError(f"{key} is 1; one alone cannot disagree: set at least 2.")
