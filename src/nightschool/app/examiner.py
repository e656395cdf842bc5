"""What a school examines with: the bank, the owner's test file, and how a version sits."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nightschool import __version__
from nightschool.app import exam_file, exam_rows
from nightschool.app.models import Models
from nightschool.curation import Fence
from nightschool.exams import text
from nightschool.types import (
    TEXT,
    Context,
    Exam,
    ExamItem,
    ExamResult,
    Night,
    Partition,
    Reply,
    Version,
)
from nightschool.warehouse import Warehouse

EXAM_META = "blob:exam_file"


@dataclass(frozen=True)
class Standing:
    """How many items are marked, those of a test file, and exam questions that made no item."""

    items: int
    brought: int
    skipped: int


class Examiner:
    """Holds the exam of a school and lets versions sit it."""

    def __init__(self, warehouse: Warehouse, models: Models, exam: Callable[[], Exam]) -> None:
        self._warehouse = warehouse
        self._models = models
        self._exam = exam
        self._read: tuple[str, Sequence[ExamItem]] = ("", ())
        self._stood: tuple[object, Standing] = (None, Standing(0, 0, 0))

    def sit(self, version: Version, items: Sequence[ExamItem]) -> ExamResult:
        """One version's marks on the items, with the seconds it took.

        A version that sat this very bank in a former night, by the same exam, has its marks from
        then: it would have the same ones again.
        """
        exam = self._exam()
        name = f"{type(exam).__module__}.{type(exam).__qualname__} {__version__}"
        bank = hashlib.sha256(f"{name} {text.bank_hash(items)}".encode()).hexdigest()
        for result in self._warehouse.results(version=version.id):
            if result.bank == bank:
                return result
        began = time.perf_counter()
        marks = tuple(exam.sit(self._models.learner(version), items))
        return ExamResult(version.id, bank, marks, time.perf_counter() - began)

    def bank(self, night: Night | None = None) -> Sequence[ExamItem]:
        """The items that decide: answered exam questions and the owner's test file."""
        answered = (
            night.answers(Partition.EXAM) if night else self._warehouse.answered(Partition.EXAM)
        )
        return text.join(self._exam().items(answered), self.file())

    def fence(self, night: Night | None = None) -> Fence:
        """What replay must not teach: what the exam holds, and the gold contexts."""
        sides = (Partition.EXAM, Partition.GOLD)
        contexts = [d for side in sides for d in self._warehouse.documents(side)]
        return Fence(contexts, (a for item in self.bank(night) for a in item.accepted))

    def marked(self, night: Night | None = None) -> Sequence[ExamItem]:
        """The items that are marked: those of the bank from which no judge has to learn."""
        return [item for item in self.bank(night) if item.source != "reference"]

    def standing(self) -> Standing:
        """What the exam holds now; counted anew only when its answers or its file changed."""
        key = self._warehouse.digest.exam_answers(), self._warehouse.meta(EXAM_META)
        if self._stood[0] != key:
            answered = self._warehouse.answered(Partition.EXAM)
            items = text.join(self._exam().items(answered), self.file())
            marked = {item.id: item for item in items if item.source != "reference"}
            # A question that the owner's file asks too does examine, by the file's answer.
            asked = {text.item_id(a.question.context.document) for a in answered}
            brought = sum(item.source == "file" for item in marked.values())
            self._stood = (key, Standing(len(marked), brought, len(asked - marked.keys())))
        return self._stood[1]

    def file(self) -> Sequence[ExamItem]:
        """The items of the test file: those that init brought, and the owner's own."""
        digest = self._warehouse.meta(EXAM_META)
        if not digest:
            return ()
        if self._read[0] != digest:
            self._read = (digest, exam_file.decode(self._warehouse.blob(digest)))
        return self._read[1]

    def add(self, path: Path) -> int:
        """Bring a test file; items answered for training, or learned, are refused by name."""
        items = exam_rows.read(path, self._warehouse.meta("kind") or TEXT)
        self.put(items)
        return len(items)

    def put(self, items: Sequence[ExamItem]) -> None:
        """Add items to the owner's test file; those answered for training are refused by name."""
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
