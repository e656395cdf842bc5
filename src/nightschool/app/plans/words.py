"""The starter and its simulated teacher of arithmetic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nightschool.app import parts
from nightschool.app.init import init_school
from nightschool.app.school import School
from nightschool.app.simulation import Measure
from nightschool.types import Context, Document, ExamItem, Oracle, Progress, Version


@dataclass(frozen=True)
class WordsPlan:
    """A school of words: its pool, its test file, and a hidden exam that no gate has seen.

    With `only`, pool, test file and exam are about those skills alone: what the model can learn of
    them at all. `settings` of the school come on top of the plan's own.
    """

    strategy: str
    seed: int
    nights: int = 10
    answers: int = 30
    pool: int = 3000
    sample: int = 300
    exam_file: int = 150
    hidden: int = 1200
    only: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def build(self, folder: Path, progress: Progress | None = None) -> Measure:
        """A starter school with a pool and a test file; the hidden exam is disjoint from both.

        The seed question is in none of them.
        """
        from nightschool.starter import stories

        base, skills = 1000 * self.seed, self.only or stories.EXAM_SKILLS
        hidden = stories.exam(self.hidden, base + 1, skills=skills)
        taken = {q.context for q in hidden}
        brought = stories.exam(self.exam_file, base + 2, skills=skills, exclude=taken)
        taken |= {q.context for q in brought}
        if self.only:
            pool = stories.exam(self.pool, base + 3, skills=skills, exclude=taken)
        else:
            pool = stories.pool(self.pool, base + 3, exclude=taken)
        exam = folder.parent / f".{folder.name}.exam.jsonl"
        exam.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            {"context": q.context, "answer": str(q.answer).strip(), "group": q.skill}
            for q in brought
        ]
        exam.write_text("\n".join(map(json.dumps, rows)))
        try:
            init_school(
                folder,
                exam=exam,
                settings={
                    "strategy": self.strategy,
                    "questions": self.answers,
                    "pool_sample": self.sample,
                    "seed": self.seed,
                    **self.settings,
                },
            )
        finally:
            exam.unlink()
        with School.open(folder) as school:
            school.add_contexts(Context.of(q.context, group=q.skill) for q in pool)
        return Hidden([as_item(q.context, str(q.answer), q.skill) for q in hidden])

    def oracle(self, school: School) -> Oracle:
        """The simulated teacher of arithmetic."""
        return parts.oracle("arithmetic")


@dataclass(frozen=True)
class Hidden:
    """Exact-match accuracy in [0, 1] on a hidden exam, by skill and over all items as "all"."""

    items: Sequence[ExamItem]

    def __call__(self, school: School, version: Version) -> dict[str, float]:
        """The accuracies of one version."""
        marks = school.exam.sit(school.learner(version), self.items)
        exact = [m for m in marks if m.name == "exact"]
        groups: dict[str, list[float]] = {"all": [m.value for m in exact]}
        for mark in exact:
            groups.setdefault(mark.group, []).append(mark.value)
        return {g: sum(v) / len(v) for g, v in sorted(groups.items())}


def as_item(context: str, answer: str, group: str) -> ExamItem:
    """An exam item from texts."""
    name = f"{Context.of(context).id:016x}"
    return ExamItem(name, Document(context), (Document(answer.strip()),), group, "hidden")
