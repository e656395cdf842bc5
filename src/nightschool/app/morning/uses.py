"""Where the answers went: learned, the exam, no answer at all, or outweighed; it adds up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nightschool.types import Partition
from nightschool.warehouse import Warehouse


@dataclass(frozen=True)
class Uses:
    """How many of the `answers` that count went where; the six parts add up to them.

    `learned` are those that the `examples` of the newest version are made of, `exam` those about
    exam items, `gold` those whose answer was known, `silent` skips, "can't tell" and bad
    questions, `waiting` all since the newest night: whoever answers and looks here must not see
    which of their questions examined. `unused` are those that others outweigh or on which people
    disagree. `back`, which were taken back, are not among them.
    """

    answers: int
    examples: int
    learned: int
    exam: int
    gold: int
    silent: int
    waiting: int
    unused: int
    back: int


@dataclass(frozen=True)
class Cited:
    """What a version's examples are made of: how many they are, and the ids of the answers."""

    examples: int = 0
    answers: frozenset[str] = frozenset()


def cited(warehouse: Warehouse) -> Cited:
    """The answers from which the newest version learned, those taken back since among them."""
    learned = warehouse.dataset(warehouse.manifest(warehouse.trainee().manifest)).new
    return Cited(len(learned), frozenset(name for each in learned for name in each.answers))


def uses(warehouse: Warehouse, found: Cited, retracted: Collection[str]) -> Uses:
    """The uses of all answers, with the ids of those that were taken back."""
    newest = warehouse.trainee().night
    seen = [n for n in warehouse.nights() if n.finished is not None or n.number <= newest]
    by_side = warehouse.digest.by_side(seen[-1].answer_mark if seen else 0)
    _, silent, taught = by_side.get(Partition.TRAINING, (0, 0, 0))
    exam, gold = (sum(by_side.get(side, ())[1:]) for side in (Partition.EXAM, Partition.GOLD))
    learned = len(found.answers.difference(retracted))
    waiting = sum(counts[0] for counts in by_side.values())
    return Uses(
        answers=silent + taught + exam + gold + waiting,
        examples=found.examples,
        learned=learned,
        exam=exam,
        gold=gold,
        silent=silent,
        waiting=waiting,
        unused=taught - learned,
        back=len(retracted),
    )
