"""What a school examines with: the bank, the owner's test file, and how a version sits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from nightschool.app import exam_file, parts
from nightschool.app.config import Config
from nightschool.app.models import Models
from nightschool.exams import files, text
from nightschool.types import (
    Context,
    ExamItem,
    ExamResult,
    Night,
    Partition,
    Reply,
    Version,
)
from nightschool.warehouse import Warehouse

EXAM_META = "blob:exam_file"


class Examiner:
    """Holds the exam of a school and lets versions sit it."""

    def __init__(self, warehouse: Warehouse, config: Config, models: Models) -> None:
        self._warehouse = warehouse
        self._config = config
        self._models = models

    def sit(self, version: Version, items: Sequence[ExamItem]) -> ExamResult:
        """One version's marks on the items, with the seconds it took."""
        began = time.perf_counter()
        marks = tuple(parts.exam(self._config.exam).sit(self._models.learner(version), items))
        seconds = time.perf_counter() - began
        return ExamResult(version.id, text.bank_hash(items), marks, seconds)

    def bank(self, night: Night | None = None) -> Sequence[ExamItem]:
        """The items that decide: answered exam questions and the owner's test file."""
        answered = (
            night.answers(Partition.EXAM) if night else self._warehouse.answered(Partition.EXAM)
        )
        return text.join(parts.exam(self._config.exam).items(answered), self.file())

    def file(self) -> Sequence[ExamItem]:
        """The items of the owner's test file; none where none was brought."""
        digest = self._warehouse.meta(EXAM_META)
        return exam_file.decode(self._warehouse.blob(digest)) if digest else ()

    def add(self, path: Path) -> int:
        """Bring a test file; items answered for training, or learned, are refused by name."""
        items = files.read_exam_file(path)
        waiting = {
            a.question.context.id
            for a in self._warehouse.answered(Partition.TRAINING)
            if any(answer.reply is Reply.ANSWER for answer in a.answers)
        }
        learned = self._warehouse.trained() | waiting
        text.refuse_trained(items, learned.__contains__)
        merged = {i.id: i for i in (*self.file(), *items)}
        digest = self._warehouse.put_blob(exam_file.encode(list(merged.values())))
        contexts = [Context(i.context, "exam", i.group) for i in merged.values()]
        self._warehouse.add_contexts(contexts, lambda _: Partition.EXAM)
        self._warehouse.reserve([c.id for c in contexts])
        self._warehouse.set_meta(EXAM_META, digest)
        return len(items)
