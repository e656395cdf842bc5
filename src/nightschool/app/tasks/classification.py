"""Classification: texts get one of some labels, and a person says which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightschool.app.tasks.words import STARTER, starter_folder
from nightschool.exams.files import read_exam_file
from nightschool.types import (
    TEXT,
    ConfigError,
    Context,
    Document,
    ExamItem,
    Learner,
    PoolError,
    Progress,
)


@dataclass(frozen=True)
class ClassificationTask:
    """A frozen encoder, a folder or a hub name, and a head over the labels.

    `labels` are the classes; `model` may also be "starter", whose own hidden states serve then.
    `rows` is a file of its original dataset, "context" and "answer" (a label) in each row: it is
    taught before the first question.
    """

    labels: Sequence[str]
    model: str = STARTER
    rows: Path | None = None
    kind: str = TEXT

    @property
    def settings(self) -> Mapping[str, Any]:
        """The learner and its labels."""
        return {
            "learner": "classification",
            "learner_settings": {"labels": list(self.labels)},
        }

    @property
    def untaught(self) -> bool:
        """Whether there are rows to teach it before it asks."""
        return self.rows is not None

    def source(self) -> str:
        """Where the encoder lies."""
        return str(starter_folder()) if self.model == STARTER else self.model

    def original(self, learner: Learner, seed: int) -> tuple[Iterable[Document], str]:
        """The labelled rows that were brought, and a sentence that says so."""
        if self.rows is None:
            return (), "none: it begins with its labels alone; bring rows with --original"
        return read_rows(self.rows, self.labels), f"the labelled rows of {self.rows.name}"

    def contexts(self, seed: int) -> Iterable[Context]:
        """None: they are brought with `nightschool pool add`."""
        return ()

    def exam(self, seed: int, progress: Progress | None = None) -> Sequence[ExamItem]:
        """None: an owner brings a test file, or people's answers become it."""
        return ()


def read_rows(path: Path, labels: Sequence[str]) -> Iterator[Document]:
    """Labelled rows as documents of an original dataset; PoolError for a label unknown."""
    from nightschool.learners.classification.lessons import labelled
    from nightschool.types import normalise

    known = {normalise(label): label for label in labels}
    for item in read_exam_file(path):
        answer = item.accepted[0].body
        if normalise(answer) not in known:
            raise PoolError(
                f"{path}: the row {item.context.body[:60]!r} has the label {answer!r}, which is "
                f"not among the labels ({', '.join(known.values())}); add it to the label file."
            )
        yield labelled(item.context.body, known[normalise(answer)])


def read_labels(path: Path) -> list[str]:
    """The labels of a file, one a line; ConfigError where there is none, or no text."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror or error}; --labels wants a text file, one label a line."
        ) from error
    found = [line.strip() for line in lines if line.strip()]
    if len(found) < 2:
        raise ConfigError(f"{path} names {len(found)} labels; write at least two, one a line.")
    return found
