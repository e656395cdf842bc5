"""What can be set about a language model's schooling, and what is chosen where nothing is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from nightschool.types import LearnerError

METHODS = ("auto", "full", "lora")
PRECISIONS = ("auto", "fp32", "bf16")
DEVICES = ("auto", "cpu", "cuda")

SMALL = 50_000_000
"""Parameters below which all weights are trained; larger models get an adapter."""

# The largest model (in parameters) for which a peak learning rate is good, smallest first.
# The first row of each is measured on the starter, the others are customary.
_RATES = {
    "full": ((5e6, 7e-4), (5e7, 3e-4), (5e8, 5e-5), (float("inf"), 1e-5)),
    "lora": ((1e7, 5e-3), (1e8, 1e-3), (2e9, 3e-4), (float("inf"), 1e-4)),
}


@dataclass(frozen=True)
class LanguageSettings:
    """How a language model learns at night and looks at its pool; None means chosen by size.

    Learning: `method`, `rank` (of the adapter), `learning_rate` (peak), `steps` a night (more
    when `passes` over tonight's answers need more), `batch_size` (pairs a step, half of them
    tonight's), `micro_batch` (rows in memory at once), `replay_rows` and `rehearsal_pairs` a
    step, `earlier` and `original` (how many rows are read), `checkpoint_steps`.
    Posterior: `members` with their rank, steps, batch and learning rate; `dropout` and
    `dropout_passes` before there are answers. Scoring: `candidates` answers a context, `beams`
    for answers of several tokens, `block` contexts a block. Writing: `longer`, the share of
    rewritten contexts into which something more happens, and `invented`, the share of contexts
    written from nothing (0 to 1). `max_context` caps the model's
    window, in tokens.
    """

    method: str = "auto"
    rank: int = 8
    learning_rate: float | None = None
    steps: int = 45
    passes: int = 3
    batch_size: int = 12
    micro_batch: int | None = None
    earlier: int = 512
    original: int = 512
    replay_rows: int = 1
    rehearsal_pairs: int = 12
    checkpoint_steps: int = 15
    members: int = 4
    member_rank: int = 4
    member_steps: int = 20
    member_batch: int = 8
    member_learning_rate: float | None = None
    dropout: float = 0.15
    dropout_passes: int = 8
    precision: str = "auto"
    device: str = "auto"
    threads: int | None = None
    max_answer_tokens: int = 16
    max_context: int | None = None
    candidates: int = 32
    beams: int = 8
    block: int = 256
    longer: float = 0.0
    invented: float = 0.0

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> LanguageSettings:
        """Settings from a mapping; raises LearnerError for an unknown key or a wrong value."""
        known = {field.name: field.type for field in fields(cls)}
        for key, value in settings.items():
            if key not in known:
                raise LearnerError(
                    f"The language learner has no setting {key!r}; it has: "
                    f"{', '.join(sorted(known))}."
                )
            _check_type(key, value, str(known[key]))
        made = cls(**dict(settings))  # type: ignore[arg-type]
        made._check_choices()
        made._check_ranges()
        return made

    def resolved_method(self, parameters: int) -> str:
        """The method for a model of that size: "full" or "lora"."""
        if self.method != "auto":
            return self.method
        return "full" if parameters < SMALL else "lora"

    def rate(self, parameters: int) -> float:
        """The peak learning rate for a model of that size."""
        if self.learning_rate is not None:
            return self.learning_rate
        return _rate(self.resolved_method(parameters), parameters)

    def member_rate(self, parameters: int) -> float:
        """The peak learning rate of the posterior's members."""
        if self.member_learning_rate is not None:
            return self.member_learning_rate
        return _rate("lora", parameters)

    def rows_at_once(self, parameters: int) -> int:
        """How many rows go through the model at once while it learns."""
        if self.micro_batch is not None:
            return self.micro_batch
        return 64 if parameters < SMALL else 8 if parameters < 1_000_000_000 else 2

    def _check_choices(self) -> None:
        for key, allowed in (("method", METHODS), ("precision", PRECISIONS), ("device", DEVICES)):
            if getattr(self, key) not in allowed:
                raise LearnerError(
                    f"{key} is {getattr(self, key)!r}; choose one of {', '.join(allowed)}."
                )

    def _check_ranges(self) -> None:
        may_be_zero = {
            "replay_rows",
            "rehearsal_pairs",
            "earlier",
            "original",
            "members",
            "longer",
            "invented",
        }
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                least_ok = value >= 0 if field.name in may_be_zero else value > 0
                if not least_ok:
                    raise LearnerError(f"{field.name} is {value}; it must be above zero.")
        if self.dropout >= 1:
            raise LearnerError(f"dropout is {self.dropout}; it must be below 1 (0.15 is usual).")
        for share in ("longer", "invented"):
            if getattr(self, share) > 1:
                raise LearnerError(
                    f"{share} is {getattr(self, share)}; it is a share, so at most 1."
                )
        if self.members == 1:
            raise LearnerError("members is 1; one member cannot disagree: set 0 or at least 2.")
        if self.dropout_passes == 1:
            raise LearnerError("dropout_passes is 1; one pass cannot disagree: set at least 2.")


def _rate(method: str, parameters: int) -> float:
    return next(rate for largest, rate in _RATES[method] if parameters <= largest)


def _check_type(key: str, value: object, wanted: str) -> None:
    if value is None and "None" in wanted:
        return
    kind = wanted.split(" | ")[0]
    fits = {
        "str": isinstance(value, str),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
    }[kind]
    if not fits:
        raise LearnerError(f"{key} is {value!r}; the language learner wants it as {wanted}.")
