"""Labels: the answers that a school of classification knows, and how one is added."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nightschool.app.config import Config, change_config, read_config
from nightschool.types import AnswerError, ConfigError, Document, normalise

SHOWN = 12
"""Labels that an error lists; of many, the nearest."""


def labels_of(config: Config) -> tuple[str, ...]:
    """The labels that answers are chosen from; empty where any text may be an answer."""
    if config.learner != "classification":
        return ()
    found = config.learner_settings.get("labels", ())
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def needed_labels(config: Config) -> tuple[str, ...]:
    """The labels; ConfigError in a school that has none."""
    if config.learner != "classification":
        raise ConfigError(
            f"The learner {config.learner!r} has no labels: any text may be an answer. Begin a "
            "school of labels with `nightschool init FOLDER --task classification --labels FILE`."
        )
    return labels_of(config)


def check_label(document: Document, labels: Sequence[str]) -> None:
    """Raise AnswerError, with the cure, for an answer that is none of the labels."""
    if normalise(document.body) in set(map(normalise, labels)):
        return
    listed = ", ".join(near(document.body, labels))
    raise AnswerError(
        f"{document.body[:60]!r} is none of the {len(labels)} labels ({listed}); choose one, or "
        f"add it with `nightschool labels add {document.body.strip()[:60]!r}`."
    )


def near(text: str, labels: Sequence[str]) -> list[str]:
    """All names where they are few, else those most like the text and an ellipsis."""
    import difflib

    if len(labels) <= SHOWN:
        return list(labels)
    return [*difflib.get_close_matches(text, labels, n=SHOWN - 1, cutoff=0.0), "…"]


def add_labels(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Put labels into the school's settings; the next night's model has them too.

    Returns all labels. Raises ConfigError in a school that has none, LearnerError for a name
    that counts as a label that is there.
    """
    labels = [*needed_labels(read_config(folder)), *(name.strip() for name in names)]
    change_config(folder, "learner_settings.labels", labels)
    return tuple(labels)
