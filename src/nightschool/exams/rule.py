"""The rule of the gate on plain arrays: when it looks, how sure it must be, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.exams.paired import Floats, p_at_least, p_at_most
from nightschool.types import ConfigError, Decision, Look


@dataclass(frozen=True)
class Marks:
    """The marks of three versions on the same n items, each (n,) in [0, 1].

    `groups` (n,) numbers each item's cluster; -1 is an item of no cluster. `kinds` are the marks
    by name, where more than one name gates.
    """

    champion: Floats
    challenger: Floats
    previous: Floats | None
    groups: NDArray[np.int64]
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of mark where several gate: its number among the groups, each item's change."""

    group: int
    change: Floats


@dataclass(frozen=True)
class Skill:
    """A cluster of the bank, or a kind of mark: items, change in the mean, p of "no worse"."""

    group: int
    items: int
    change: float
    p: float
    lost: bool


@dataclass(frozen=True)
class Ruling:
    """What the rule found: the decision, the p-values, the level asked for, what was spent.

    `level` is 0 when no challenger was looked at; `spent` is 0 also for a refusal over a lost
    skill.
    """

    decision: Decision
    level: float = 0.0
    spent: float = 0.0
    p_promote: float = float("nan")
    p_roll_back: float = float("nan")
    lost: tuple[Skill, ...] = ()


@dataclass(frozen=True)
class Rule:
    """When the gate looks and how sure it must be; `balanced` and `strict` are two settings.

    A look is due when the bank has grown by the share `growth` since the last one, or after
    `every` days (0: every night). The challenger is promoted when "it is `margin` or more worse
    than the champion" (margin 0: "not better") is rejected at tonight's level and it did better
    on the bank. The levels of the looks since the budget was last renewed add up to `budget` at
    most: look k (0 first) gets the share p / ((k + p) (k + p + 1)) with p = `patience`. `renews`
    says what makes the budget whole again: each promotion (alpha investing, Foster & Stine 2008)
    or only a new year. A champion is rolled back when "no worse than its predecessor" is rejected
    at `back_level`. A group of `group_items` items or more is a lost skill when its mean mark fell
    by `lost_fall` or more and "no worse" is rejected at `lost_level`, or lower where so many groups
    are tested that more than `alarms` of them would be expected to fail by chance.
    """

    margin: float
    budget: float
    renews: bool
    growth: float
    every: int = 7
    patience: float = 10.0
    back_level: float = 0.01
    group_items: int = 20
    kind_items: int = 5
    lost_level: float = 0.10
    alarms: float = 0.5
    lost_fall: float = 0.05
    few: int = 20

    def __post_init__(self) -> None:
        if not 0.0 <= self.margin < 1.0:
            raise ConfigError(f"gate margin is {self.margin}; set it between 0 and 1.")
        if not 0.0 < self.budget < 1.0:
            raise ConfigError(f"gate budget is {self.budget}; set it between 0 and 1.")
        if self.growth <= 0.0 or self.every < 0:
            raise ConfigError(
                f"gate growth is {self.growth} and every {self.every}; growth must be above 0 and "
                "every at least 0 days."
            )

    def due(self, day: int, items: int, looks: Sequence[Look]) -> bool:
        """Whether the gate looks tonight: never at fewer than `few` items."""
        if items < self.few:
            return False
        if not looks:
            return True
        last = looks[-1]
        return items >= last.items * (1.0 + self.growth) or day - last.day >= self.every

    def level(self, day: int, looks: Sequence[Look]) -> float:
        """Tonight's level: the chance that a challenger at the null's edge passes this look."""
        k = 0
        for look in reversed(looks):
            if (self.renews and look.promoted) or (
                not self.renews and look.day // 365 < day // 365
            ):
                break
            k += 1
        p = self.patience
        return self.budget * p / ((k + p) * (k + p + 1.0))

    def decide(self, day: int, marks: Marks, looks: Sequence[Look]) -> Ruling:
        """The ruling of one night; a pure function of its arguments, in any order of items."""
        if not self.due(day, len(marks.champion), looks):
            return Ruling(Decision.KEEP)
        level = self.level(day, looks)
        change = marks.challenger - marks.champion
        p_promote = p_at_most(change, -self.margin) if change.mean() > 0.0 else 1.0
        if p_promote <= level:
            lost = tuple(s for s in self.skills(marks) if s.lost)
            if lost:  # the test was passed, so refusing spends nothing (docs/gate.md)
                return Ruling(Decision.KEEP, level, 0.0, p_promote, lost=lost)
            return Ruling(Decision.PROMOTE, level, level, p_promote)
        decision, p_back = self._back(marks)
        return Ruling(decision, level, level, p_promote, p_back)

    def review(self, day: int, marks: Marks, looks: Sequence[Look]) -> Ruling:
        """The ruling of a night without a challenger: rolls back where due, and spends nothing."""
        if not self.due(day, len(marks.champion), looks):
            return Ruling(Decision.KEEP)
        decision, p_back = self._back(marks)
        return Ruling(decision, p_roll_back=p_back)

    def _back(self, marks: Marks) -> tuple[Decision, float]:
        """Whether the champion is surely worse than its predecessor, and p of "no worse"."""
        if marks.previous is None:
            return Decision.KEEP, float("nan")
        fallen = marks.champion - marks.previous
        p = p_at_least(fallen) if fallen.mean() < 0.0 else 1.0
        return Decision.ROLL_BACK if p <= self.back_level else Decision.KEEP, p

    def skills(self, marks: Marks) -> list[Skill]:
        """Each group's change; `lost` is False, and p nan, where it has too few items to tell.

        Kinds of marks follow the groups: a return that collapses is no less lost because there are
        many predictions beside it. They are few by nature, and tested from `kind_items` on.
        """
        change = marks.challenger - marks.champion
        named = marks.groups >= 0
        counts = np.bincount(marks.groups[named]) if named.any() else np.zeros(0, np.int64)
        least = [(int(g), marks.groups == g, self.group_items) for g in np.flatnonzero(counts)]
        parts = [(g, change[own], few) for g, own, few in least]
        parts += [(kind.group, kind.change, self.kind_items) for kind in marks.kinds]
        tested = sum(len(own) >= few for _, own, few in parts)
        level = min(self.lost_level, self.alarms / max(tested, 1))
        found = []
        for group, own, few in parts:
            mean, p = float(own.mean()), float("nan")
            if len(own) >= few:
                p = p_at_least(own) if mean < 0.0 else 1.0
            lost = mean <= -self.lost_fall and p <= level
            found.append(Skill(group, len(own), mean, p, lost))
        return found
