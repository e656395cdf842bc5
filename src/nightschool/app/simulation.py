"""The loop against an oracle that never tires: days pass in seconds, the rest is real."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nightschool.app import parts
from nightschool.app.init import init_school
from nightschool.app.school import Report, School
from nightschool.loop import teach
from nightschool.types import Context, Document, ExamItem, Oracle, Span, Verdict, Version

DAY = 86_400.0


@dataclass(frozen=True)
class Morning:
    """What a morning shows: the verdict, and marks on a hidden exam that no gate has seen.

    `served` and `trainee` are exact-match accuracies in [0, 1] by skill, "all" among them.
    `asked` counts by skill what was asked so far.
    """

    night: int
    answers: int
    verdict: Verdict
    served: dict[str, float]
    trainee: dict[str, float]
    asked: dict[str, int]
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Task:
    """What a simulated school is made of."""

    strategy: str
    seed: int
    nights: int = 10
    answers: int = 30
    pool: int = 3000
    sample: int = 300
    exam_file: int = 150
    hidden: int = 1200


class Clock:
    """Seconds since 1970 that go on only when a day ends."""

    def __init__(self, start: float) -> None:
        self.time = start

    def __call__(self) -> float:
        """Now."""
        return self.time

    def next_day(self) -> None:
        """Let a day pass."""
        self.time += DAY


def build_school(folder: Path, task: Task) -> list[ExamItem]:
    """A starter school with a pool and a test file; returns the hidden exam, disjoint from both.

    The seed question is in none of them.
    """
    from nightschool.starter import stories

    base = 1000 * task.seed
    hidden = stories.exam(task.hidden, base + 1)
    taken = {q.context for q in hidden}
    brought = stories.exam(task.exam_file, base + 2, exclude=taken)
    taken |= {q.context for q in brought}
    pool = stories.pool(task.pool, base + 3, exclude=taken)
    exam = folder.parent / f".{folder.name}.exam.jsonl"
    exam.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"context": q.context, "answer": str(q.answer).strip(), "group": q.skill} for q in brought
    ]
    exam.write_text("\n".join(map(json.dumps, rows)))
    try:
        init_school(
            folder,
            exam=exam,
            settings={
                "strategy": task.strategy,
                "questions": task.answers,
                "pool_sample": task.sample,
                "seed": task.seed,
            },
        )
    finally:
        exam.unlink()
    with School.open(folder) as school:
        school.add_contexts(Context.of(q.context, group=q.skill) for q in pool)
    return [as_item(q.context, str(q.answer), q.skill) for q in hidden]


def as_item(context: str, answer: str, group: str) -> ExamItem:
    """An exam item from texts."""
    name = f"{Context.of(context).id:016x}"
    return ExamItem(name, Document(context), (Document(answer.strip()),), group, "hidden")


def mornings(
    school: School,
    clock: Clock,
    oracle: Oracle,
    task: Task,
    hidden: Sequence[ExamItem],
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[Morning]:
    """Night after night: the first only chooses, each later one follows a day of answers."""
    accuracies = Accuracies(school, hidden)
    for day in range(task.nights + 1):
        if day:
            teach(school, oracle, task.answers)
        verdict = school.night()
        clock.next_day()
        yield Morning(
            verdict.night,
            len(school.warehouse.answers()),
            verdict,
            accuracies.of(school.champion()),
            accuracies.of(school.warehouse.trainee()),
            asked_by_group(school),
            tuple(school.warehouse.spans(verdict.night)),
        )
        if progress is not None:
            progress("night", day, task.nights)


class Accuracies:
    """Exact-match accuracy of versions on a hidden exam, each version examined once."""

    def __init__(self, school: School, items: Sequence[ExamItem]) -> None:
        self.school = school
        self.items = items
        self.known: dict[str, dict[str, float]] = {}

    def of(self, version: Version) -> dict[str, float]:
        """Accuracy in [0, 1] by skill, and over all items as "all"."""
        if version.id not in self.known:
            exam = parts.exam(self.school.config.exam)
            marks = exam.sit(self.school.learner(version), self.items)
            exact = [m for m in marks if m.name == "exact"]
            groups: dict[str, list[float]] = {"all": [m.value for m in exact]}
            for mark in exact:
                groups.setdefault(mark.group, []).append(mark.value)
            self.known[version.id] = {g: sum(v) / len(v) for g, v in sorted(groups.items())}
        return self.known[version.id]


def asked_by_group(school: School) -> dict[str, int]:
    """How many contexts of each skill were answered, skipped or refused so far."""
    from nightschool.types import Partition

    counts: dict[str, int] = {}
    for side in Partition:
        for answered in school.warehouse.answered(side):
            group = answered.question.context.group
            counts[group] = counts.get(group, 0) + 1
    return dict(sorted(counts.items()))


def run(
    folder: Path, task: Task, oracle: str = "arithmetic", report: Report | None = None
) -> Iterator[Morning]:
    """A whole simulated school, built and run; yields every morning."""
    import time

    hidden = build_school(folder, task)
    clock = Clock(time.time())
    with School.open(folder, clock=clock, report=report) as school:
        yield from mornings(school, clock, parts.oracle(oracle), task, hidden)


def run_to_file(folder: Path, task: Task, target: Path) -> Path:
    """A whole simulated school in a process of its own; its mornings as JSON lines."""
    with open(target, "w", encoding="utf-8") as file:
        for morning in run(folder, task):
            file.write(json.dumps(asdict(morning), default=str) + "\n")
            file.flush()
    return target
