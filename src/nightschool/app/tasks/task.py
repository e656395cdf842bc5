"""What `init` needs to know of a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from nightschool.types import Context, Document, ExamItem, Learner, Progress

NO_SHARE = {"exam_partition": 0.0, "exam_share": 0.0, "exam_share_late": 0.0}
"""Settings of a school that begins with an exam: no question is spent on one."""


class Task(Protocol):
    """What a school begins with: its parts by name, its model, its data, its exam."""

    @property
    def kind(self) -> str:
        """The kind of its questions."""

    @property
    def model(self) -> str:
        """What the model is called in the school's records."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings in which this task differs from the defaults."""

    @property
    def untaught(self) -> bool:
        """Whether the learner begins knowing nothing and is taught its original dataset first."""

    def source(self) -> str:
        """What the learner begins from."""

    def original(self, learner: Learner, seed: int) -> tuple[Iterable[Document], str]:
        """The model's original dataset, and a sentence that says where it came from."""

    def contexts(self, seed: int) -> Iterable[Context]:
        """The first contexts of the pool."""

    def exam(self, seed: int, progress: Progress | None = None) -> Sequence[ExamItem]:
        """The items of the first test file; none where people's answers must do."""
