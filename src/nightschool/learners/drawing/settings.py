"""What can be set about the drawing learner, and what is chosen where nothing is set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from nightschool.types import LearnerError

_MAY_BE_ZERO = {"earlier", "original", "pair_dropout", "word_dropout", "no_caption", "jitter"}
SHAPE = ("side", "kept", "hidden", "blocks", "condition")
_SHARES = {"replay", "pair_dropout", "word_dropout", "no_caption"}


@dataclass(frozen=True)
class DrawingSettings:
    """How a small generator is built, learns at night, draws, and looks at its captions.

    Shape (fixed when a model is made): `side` pixels, `kept` frequencies each way, `hidden`,
    `blocks`, `condition`. Night: `steps` (more when `passes` over tonight's drawings need more),
    `learning_rate` (peak), `batch` rows a step of which the share `replay` is original, `earlier`
    and `original` (how many are read), `jitter` (how far a new drawing is moved, turned and
    stretched, 1 is a pixel or so), `no_caption` (share without one, for guidance),
    `word_dropout` and `pair_dropout` (shares of words, and of captions' pairs of words, left
    out), `checkpoint_steps`. Drawing: `euler` steps, `guidance` (1: none). Posterior: `members`,
    `directions` a noise level. `threads` of the processor: part of the result.
    """

    side: int = 28
    kept: int = 16
    hidden: int = 352
    blocks: int = 4
    condition: int = 128
    steps: int = 200
    passes: int = 6
    learning_rate: float = 1e-3
    batch: int = 96
    replay: float = 0.5
    earlier: int = 512
    original: int = 1024
    jitter: float = 1.0
    no_caption: float = 0.1
    word_dropout: float = 0.0
    pair_dropout: float = 0.3
    checkpoint_steps: int = 50
    euler: int = 16
    guidance: float = 2.5
    members: int = 8
    directions: int = 8
    threads: int = 1

    @classmethod
    def of(cls, settings: Mapping[str, object], shape: Mapping[str, object] | None = None) -> Self:
        """Settings from a mapping, over a model's `shape`; the rest as chosen here.

        Raises LearnerError for an unknown key or a value out of range.
        """
        kinds = {f.name: type(f.default) for f in fields(cls)}
        for key, value in settings.items():
            if key not in kinds:
                raise LearnerError(
                    f"The drawing learner has no setting {key!r}; it has: "
                    f"{', '.join(sorted(kinds))}."
                )
            _check(key, value, kinds[key])
        made = cls(**{**(shape or {}), **settings})  # type: ignore[arg-type]
        if made.kept > made.side:
            raise LearnerError(
                f"kept is {made.kept}, but pictures of side {made.side} have only {made.side} "
                "frequencies each way; set `kept` to at most `side`."
            )
        return made

    @property
    def shape(self) -> dict[str, int]:
        """What a model's weights depend on; kept with them."""
        return {key: getattr(self, key) for key in SHAPE}


def _check(key: str, value: object, wanted: type) -> None:
    number = isinstance(value, int) or (wanted is float and isinstance(value, float))
    if not number or isinstance(value, bool) or not isinstance(value, int | float):
        kind = "whole number" if wanted is int else "number"
        raise LearnerError(f"{key} is {value!r}; the drawing learner wants a {kind}.")
    if not -math.inf < value < math.inf:
        raise LearnerError(f"{key} is {value}; it must be a finite number.")
    if value < 0 or (value == 0 and key not in _MAY_BE_ZERO):
        raise LearnerError(f"{key} is {value}; it must be above zero.")
    if key in _SHARES and value >= 1:
        raise LearnerError(f"{key} is {value}; it is a share and must be below 1.")
    if key == "members" and value == 1:
        raise LearnerError("members is 1; one member cannot disagree: set at least 2.")
