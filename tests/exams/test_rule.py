from __future__ import annotations

import itertools

import numpy as np
import pytest

from nightschool.exams import Rule, balanced, strict
from nightschool.exams.rule import Marks
from nightschool.types import ConfigError, Decision, Look

BALANCED, STRICT = balanced().rule, strict().rule


def looked(day: int, items: int, promoted: bool = False) -> Look:
    return Look(day + 1, day, items, 0.01, promoted, "a", "b")


@pytest.mark.parametrize("rule", [BALANCED, STRICT])
def test_it_looks_at_growth_and_weekly(rule: Rule) -> None:
    assert not rule.due(0, rule.few - 1, [])
    assert rule.due(0, rule.few, [])
    last = [looked(10, 1000)]
    enough = int(np.ceil(1000 * (1 + rule.growth)))
    assert not rule.due(11, enough - 1, last)
    assert rule.due(11, enough, last)
    assert not rule.due(16, 1000, last)
    assert rule.due(17, 1000, last)
    assert rule.due(17, 900, last)  # a bank that shrank (answers retracted) is still looked at


def levels(rule: Rule, looks: int, day: int = 0) -> list[float]:
    return [rule.level(day, [looked(day, 100)] * k) for k in range(looks)]


@pytest.mark.parametrize("rule", [BALANCED, STRICT])
def test_levels_fall_and_never_add_up_to_more_than_the_budget(rule: Rule) -> None:
    spent = levels(rule, 2000)
    assert all(a > b > 0 for a, b in itertools.pairwise(spent))
    assert 0.9 * rule.budget < sum(spent) <= rule.budget


def test_a_promotion_renews_the_balanced_budget_only() -> None:
    looks = [looked(0, 100), looked(1, 101), looked(2, 102, promoted=True)]
    assert BALANCED.level(3, looks) == BALANCED.level(0, [])
    assert STRICT.level(3, looks) == STRICT.level(0, looks) < STRICT.level(0, [])
    assert BALANCED.level(4, [*looks, looked(3, 103)]) == BALANCED.level(0, looks[:1])


def test_a_new_year_renews_the_strict_budget() -> None:
    looks = [looked(364, 100)]
    assert STRICT.level(364, looks) < STRICT.level(365, looks) == STRICT.level(0, [])
    assert BALANCED.level(364, looks) == BALANCED.level(365, looks)


def test_strict_spends_its_yearly_budget_at_most() -> None:
    looks: list[Look] = []
    for day in range(365):  # a promotion on every look must not buy more error
        if STRICT.due(day, 20 + 5 * day, looks):
            spent = STRICT.level(day, looks)
            looks.append(Look(day, day, 20 + 5 * day, spent, True, "a", "b"))
    assert sum(look.spent for look in looks) <= STRICT.budget == 0.05


def marks(change: np.ndarray, previous: float | None = None, groups: object = None) -> Marks:
    base = np.full(len(change), 0.5)
    old = None if previous is None else np.full(len(change), previous)
    codes = np.full(len(change), -1) if groups is None else np.asarray(groups)
    return Marks(base, base + change, old, codes)


def test_a_lost_skill_refuses_and_spends_nothing() -> None:
    groups = np.repeat([0, 1, 2, -1], [100, 20, 19, 20])
    change = np.where(groups == 1, -0.45, np.where(groups == 2, -0.45, 0.4))
    ruling = BALANCED.decide(0, marks(change, groups=groups), [])
    assert ruling.decision is Decision.KEEP
    assert (ruling.spent, ruling.level > 0) == (0.0, True)
    assert [s.group for s in ruling.lost] == [1]  # the third group has too few items to tell
    few = BALANCED.skills(marks(change, groups=groups))[2]
    assert (few.items, few.lost, np.isnan(few.p)) == (19, False, True)
    healthy = np.abs(change)
    assert BALANCED.decide(0, marks(healthy, groups=groups), []).decision is Decision.PROMOTE


def test_a_failed_test_spends_even_when_a_skill_is_lost() -> None:
    groups = np.repeat([0, 1], [100, 40])
    ruling = BALANCED.decide(0, marks(np.where(groups == 1, -0.45, 0.0), groups=groups), [])
    assert (ruling.decision, ruling.spent) == (Decision.KEEP, BALANCED.level(0, []))


def test_many_groups_lower_the_level_of_each() -> None:
    fall = np.tile([-0.5, 0.25], 20)  # by itself lost at .10, not at .5 / 60
    one = BALANCED.skills(marks(fall, groups=np.zeros(40, np.int64)))[0]
    assert BALANCED.alarms / 60 < one.p < BALANCED.lost_level
    assert one.lost
    among = BALANCED.skills(marks(np.tile(fall, 60), groups=np.repeat(np.arange(60), 40)))
    assert among[0].p == pytest.approx(one.p)
    assert not any(s.lost for s in among)


def test_what_did_worse_on_the_bank_is_not_promoted_however_large_the_bank() -> None:
    change = np.random.default_rng(0).normal(-0.003, 0.05, 20_000)
    ruling = BALANCED.decide(0, marks(change), [])  # surely not a point worse, yet worse
    assert (ruling.decision, ruling.p_promote) == (Decision.KEEP, 1.0)


def test_a_champion_that_turned_out_worse_is_rolled_back() -> None:
    rng = np.random.default_rng(0)
    change = rng.normal(-0.05, 0.05, 200)
    assert BALANCED.decide(0, marks(change, 0.7), []).decision is Decision.ROLL_BACK
    assert BALANCED.decide(0, marks(change, 0.45), []).decision is Decision.KEEP
    assert BALANCED.decide(0, marks(change), []).decision is Decision.KEEP


def test_a_better_challenger_goes_before_a_roll_back() -> None:
    change = np.random.default_rng(0).normal(0.2, 0.05, 200)
    assert BALANCED.decide(0, marks(change, 0.7), []).decision is Decision.PROMOTE


@pytest.mark.parametrize(
    "wrong", [{"margin": -0.1}, {"budget": 0.0}, {"budget": 1.0}, {"growth": 0.0}, {"every": -1}]
)
def test_bad_settings_are_named(wrong: dict[str, float]) -> None:
    good = {"margin": 0.0, "budget": 0.05, "renews": True, "growth": 0.1}
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Rule(**{**good, **wrong})  # type: ignore[arg-type]
