"""What can be set about a classifier's schooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from nightschool.types import LearnerError, normalise

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class ClassificationSettings:
    """The labels, what a night reads, and how the pool is looked at; None means chosen.

    `labels`, the classes by name; `examples` and `original`, how many of the former answers and
    of the original rows a night reads beside tonight's; `precision` of the prior (None: by
    evidence). `samples` of the posterior; `block` contexts at once. `max_tokens` caps what is read
    of a text, `prefix` stands before every text (some encoders want "query: "); `device`,
    `threads`.
    """

    labels: tuple[str, ...] = ()
    examples: int = 4000
    original: int = 2000
    precision: float | None = None
    samples: int = 32
    block: int = 1024
    max_tokens: int | None = None
    prefix: str = ""
    device: str = "auto"
    threads: int | None = None

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> ClassificationSettings:
        """Settings from a table; raises LearnerError for an unknown key or a wrong value."""
        known = {field.name: str(field.type) for field in fields(cls)}
        for key, value in settings.items():
            if key not in known:
                raise LearnerError(
                    f"The classification learner has no setting {key!r}; it has: "
                    f"{', '.join(sorted(known))}."
                )
            if key != "labels":
                _check(key, value, known[key])
        table = dict(settings)
        if "labels" in table:
            table["labels"] = as_labels(table["labels"])
        made = cls(**table)  # type: ignore[arg-type]
        if made.device not in DEVICES:
            raise LearnerError(f"device is {made.device!r}; choose one of {', '.join(DEVICES)}.")
        return made


def as_labels(value: object) -> tuple[str, ...]:
    """Labels as they are given, white space at their ends dropped.

    Raises LearnerError for an empty one, or for two that count as the same answer.
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise LearnerError(f'labels is {value!r}; give a list: labels = ["yes", "no"].')
    seen: dict[str, str] = {}
    for label in value:
        if not isinstance(label, str) or not label.strip() or "\t" in label or "\n" in label:
            raise LearnerError(f"The label {label!r} is no name; give each a text of one line.")
        name = normalise(label)
        if name in seen:
            raise LearnerError(
                f"The labels {seen[name]!r} and {label.strip()!r} count as the same answer; "
                "rename one of them."
            )
        seen[name] = label.strip()
    return tuple(seen.values())


def _check(key: str, value: object, wanted: str) -> None:
    if value is None and "None" in wanted:
        return
    kind = wanted.split(" | ")[0]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        "str": isinstance(value, str),
        "int": number and isinstance(value, int),
        "float": number,
    }[kind]
    if not fits:
        raise LearnerError(f"{key} is {value!r}; the classification learner wants it as {wanted}.")
    may_be_zero = key in ("examples", "original")
    if number and not (value > 0 or (may_be_zero and value == 0)):  # type: ignore[operator]
        raise LearnerError(f"{key} is {value}; it must be above zero.")
