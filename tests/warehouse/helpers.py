"""A small school to test with: contexts, answers, examples, and a learner of one line of text."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from nightschool.types import (
    Answer,
    Context,
    Decision,
    Document,
    Example,
    ExamResult,
    Manifest,
    Mark,
    Partition,
    Pick,
    Recipe,
    Reply,
    Retract,
    Retraction,
    Verdict,
    Version,
)
from nightschool.warehouse import StoredNight, Warehouse

T = TypeVar("T")

RECIPE = Recipe("toy", {"rate": 0.1, "layers": [1, 2]})


class Toy:
    """A learner whose weights are one line of text."""

    recipe = RECIPE

    def __init__(self, weights: str) -> None:
        self.weights = weights

    def save(self, folder: Path) -> None:
        (folder / "deep").mkdir()
        (folder / "deep" / "weights.txt").write_text(self.weights)
        (folder / "config.json").write_text("{}")


def side(context: Context) -> Partition:
    return Partition.EXAM if context.text.startswith("exam") else Partition.TRAINING


def contexts(n: int, kind: str = "train") -> list[Context]:
    return [Context.of(f"{kind} item {i}", group=f"g{i % 3}") for i in range(n)]


def picks(chosen: list[Context]) -> list[Pick]:
    return [Pick(c, side(c), "random", float(-i)) for i, c in enumerate(chosen)]


def make(folder: Path, n: int = 10, **settings: object) -> Warehouse:
    """A school with a model and n training contexts in the queue."""
    warehouse = Warehouse.create(folder, seed=7, now=0.0, **settings)  # type: ignore[arg-type]
    manifest = warehouse.seal_original([Document(f"story {i}") for i in range(50)], "made up")
    base = warehouse.add_base(Toy("base"), RECIPE, manifest, 0)  # type: ignore[arg-type]
    warehouse.add_contexts([*contexts(n), *contexts(n, "exam")], side)
    warehouse.post(picks(contexts(n)), base, now=0.0)
    return warehouse


def answer(name: str, question: str, person: str = "anna", body: str = "yes") -> Answer:
    return Answer(name, question, person, Reply.ANSWER, Document(body), 1.5, 100.0)


def undo(name: str, answer_id: str, person: str = "anna") -> Retraction:
    return Retraction(name, answer_id, person, Retract.UNDO, 101.0)


def example(name: str, night: int = 1, body: str | None = None) -> Example:
    text = body or f"context of {name}"
    return Example(name, Document(text), Document(f"target of {name}"), 0.5, (f"a-{name}",), night)


def verdict(
    night: int, champion: str, challenger: str, decision: Decision = Decision.PROMOTE
) -> Verdict:
    serves = challenger if decision == Decision.PROMOTE else champion
    return Verdict(night, decision, champion, challenger, serves, "seen", 0.5, 0.6, 20)


def result(version: str) -> ExamResult:
    marks = (Mark("soft", 0.25, True, "i1", "g"), Mark("other", float("nan"), False, "i1"))
    return ExamResult(version, "bank", marks, 1.25)


def break_night(
    warehouse: Warehouse, work: Callable[[StoredNight], T], **settings: object
) -> tuple[StoredNight, T]:
    """A night that does some work and then fails."""
    with suppress(ZeroDivisionError), warehouse.begin_night(**settings) as night:  # type: ignore[arg-type]
        done = work(night)
        raise ZeroDivisionError("boom")
    return night, done


def one_night(
    warehouse: Warehouse,
    examples: list[Example],
    decision: Decision = Decision.PROMOTE,
    **settings: object,
) -> tuple[Manifest, Version]:
    """A whole night with a toy learner: seal, store, keep, post."""
    with warehouse.begin_night(**settings) as night:  # type: ignore[arg-type]
        version = night.trainee()
        if night.verdict() is None:
            version = teach(night, examples, decision)
        with night.step("post"):
            night.post(picks(night.pool(Partition.TRAINING, 5, 1)), version)
    return warehouse.manifest(version.manifest), version


def teach(night: StoredNight, examples: list[Example], decision: Decision) -> Version:
    with night.step("seal"):
        manifest = night.seal(examples)
    parent = night.trainee()
    toy = Toy(f"{parent.weights} taught {manifest.hash} {night.seed}")
    with night.step("store"):
        version = night.store(toy, parent, manifest)  # type: ignore[arg-type]
    champion = night.champion()
    outcome = verdict(night.number, champion.id, version.id, decision)
    with night.step("keep"):
        night.keep(version, [result(champion.id), result(version.id)], outcome)
    return version
