from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightschool.exams import EvidenceGate, balanced, strict
from nightschool.types import Case, Decision, ExamError, ExamResult, Look, Mark

Cases = Callable[..., Case]
GATES = [balanced(), strict()]


def drawn(n: int, gain: float, seed: int = 0) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    before = rng.uniform(0.1, 0.9, n)
    after = np.clip(before + gain + rng.normal(0, 0.15, n), 0, 1)
    return before.tolist(), after.tolist()


@pytest.mark.parametrize("gate", GATES)
def test_a_clearly_better_challenger_is_promoted(gate: EvidenceGate, case: Cases) -> None:
    verdict = gate.judge(7, case(*drawn(150, 0.2)))
    assert verdict.decision is Decision.PROMOTE
    assert (verdict.serves, verdict.needed, verdict.items, verdict.night) == ("v1", 0, 150, 7)
    assert verdict.look == Look(7, 0, 150, gate.rule.level(0, []), True, "v0", "v1")
    assert verdict.p_better < 0.001
    assert verdict.reason.startswith("v1 serves now: 5")
    null = "a point worse than" if gate.rule.margin else "no better than"
    assert (
        f"on 150 exam items. A version {null} v0 would do this well in less than 0.1 % of such"
        in (verdict.reason)
    )


@pytest.mark.parametrize("gate", GATES)
def test_a_worse_challenger_is_kept_out(gate: EvidenceGate, case: Cases) -> None:
    verdict = gate.judge(7, case(*drawn(150, -0.02)))
    assert (verdict.decision, verdict.serves) == (Decision.KEEP, "v0")
    assert verdict.look is not None
    assert verdict.needed > 0
    assert "v0 still serves: it is not sure yet that v1 is worse; " in verdict.reason
    assert f"about {verdict.needed} more exam items like these would show it" in verdict.reason


def test_balanced_takes_what_strict_wants_proved(case: Cases) -> None:
    seen = case(*drawn(400, 0.013, seed=3))
    assert balanced().judge(1, seen).decision is Decision.PROMOTE
    verdict = strict().judge(1, seen)
    assert verdict.decision is Decision.KEEP
    assert "it is not sure yet that v1 is better" in verdict.reason


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=20, max_size=200), st.integers(0, 10**6))
def test_identical_answers_are_never_promoted(marks: list[float], day: int) -> None:
    def result(version: str) -> ExamResult:
        made = tuple(Mark("answer", v, True, f"i{i}") for i, v in enumerate(marks))
        return ExamResult(version, "bank", made)

    for gate in GATES:
        verdict = gate.judge(1, Case(day, result("a"), result("b"), result("c"), []))
        assert verdict.decision is Decision.KEEP
        assert "no difference to be seen" in verdict.reason


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(-0.1, 0.2), st.randoms(use_true_random=False))
def test_order_of_items_changes_nothing(seed: int, gain: float, rnd: object) -> None:
    before, after = drawn(60, gain, seed)
    order = np.random.default_rng(seed).permutation(60)

    def case_of(rows: np.ndarray) -> Case:
        def result(version: str, values: list[float]) -> ExamResult:
            made = (Mark("answer", values[i], True, f"i{i}", f"g{i % 2}") for i in rows)
            return ExamResult(version, "bank", tuple(made))

        return Case(0, result("a", before), result("b", after), None, [])

    one = balanced().judge(1, case_of(np.arange(60)))
    two = balanced().judge(1, case_of(order))
    # the mean of the marks is summed in another order: equal to the last digits only
    assert dataclasses.replace(two, before=one.before, after=one.after) == one


def test_no_exam_yet(case: Cases) -> None:
    verdict = balanced().judge(1, case([], []))
    assert verdict.decision is Decision.KEEP
    assert "no exam yet; answer exam questions, or bring a file with" in verdict.reason
    assert "`nightschool exam add FILE`" in verdict.reason
    assert (verdict.look, verdict.items, verdict.needed) == (None, 0, -1)
    assert math.isnan(verdict.p_better)


def test_too_few_items(case: Cases) -> None:
    verdict = balanced().judge(1, case(*drawn(7, 0.5)))
    assert verdict.look is None
    start = "v0 still serves: 7 exam items, 20 are needed to compare ("
    assert verdict.reason.startswith(start)  # nobody reads a gain before that it serves not


def test_reporting_marks_alone_do_not_gate() -> None:
    def result(version: str, value: float) -> ExamResult:
        made = tuple(Mark("exact", value, False, f"i{i}") for i in range(100))
        return ExamResult(version, "bank", made)

    verdict = balanced().judge(1, Case(0, result("a", 0.0), result("b", 1.0), None, []))
    assert "no exam yet" in verdict.reason


def test_the_same_version_spends_no_look(case: Cases) -> None:
    verdict = balanced().judge(1, case(*drawn(100, 0.3), challenger="v0"))
    assert (verdict.decision, verdict.look) == (Decision.KEEP, None)
    assert "v0 still serves: there was nothing new to learn." in verdict.reason


@pytest.mark.parametrize("gate", GATES)
def test_a_fallen_champion_is_rolled_back_without_a_challenger(
    gate: EvidenceGate, case: Cases
) -> None:
    before, _ = drawn(200, 0.0)
    better = [min(v + 0.1, 1.0) for v in before]
    seen = case(before, before, previous=better, challenger="v0")
    verdict = gate.judge(9, seen)
    assert (verdict.decision, verdict.serves) == (Decision.ROLL_BACK, "old")
    assert verdict.look is None  # nobody could be promoted, so nothing is spent
    assert verdict.reason.startswith("old serves again: v0 has 5")
    json.dumps(verdict.evidence, allow_nan=False)
    looks = [Look(8, 8, 200, 0.01, False, "old", "v0")]
    early = gate.judge(9, dataclasses.replace(seen, day=9, looks=looks))
    assert (early.decision, early.serves) == (Decision.KEEP, "v0")  # no look is due
    grown = gate.judge(9, dataclasses.replace(seen, day=15, looks=looks))
    assert grown.decision is Decision.ROLL_BACK
    alike = case(before, before, previous=before, challenger="v0")
    assert gate.judge(9, alike).decision is Decision.KEEP


def test_not_due(case: Cases) -> None:
    looks = [Look(1, 0, 100, 0.01, False, "v0", "v0.5")]
    verdict = balanced().judge(2, case(*drawn(100, 0.3), looks=looks, day=1))
    assert (verdict.decision, verdict.look) == (Decision.KEEP, None)
    assert "hardly grown" in verdict.reason


def test_a_lost_skill_is_named_and_costs_no_look(case: Cases) -> None:
    groups = ["halves"] * 25 + ["sums"] * 120 + ["odd"] * 3
    before = [0.9] * 25 + [0.3] * 120 + [0.5] * 3
    after = [0.4] * 25 + [0.8] * 120 + [0.1] * 3
    verdict = balanced().judge(1, case(before, after, groups=groups))
    assert (verdict.decision, verdict.look, verdict.serves) == (Decision.KEEP, None, "v0")
    assert "v1 fell by 50 points on the 25 items of 'halves'" in verdict.reason
    assert verdict.evidence["lost"] == ["halves"]
    assert verdict.evidence["too_few_to_tell"] == ["odd"]
    json.dumps(verdict.evidence, allow_nan=False)


def test_roll_back_names_both_scores(case: Cases) -> None:
    before, after = drawn(200, -0.05)
    better = [min(v + 0.1, 1.0) for v in before]
    verdict = balanced().judge(9, case(before, after, previous=better))
    assert (verdict.decision, verdict.serves) == (Decision.ROLL_BACK, "old")
    assert verdict.look is not None
    assert not verdict.look.promoted
    assert verdict.reason.startswith("old serves again: v0 has 5")
    json.dumps(verdict.evidence, allow_nan=False)


def test_other_banks_and_missing_items_are_refused(case: Cases) -> None:
    seen = case(*drawn(50, 0.1))
    with pytest.raises(ExamError, match="different banks"):
        balanced().judge(
            1, dataclasses.replace(seen, champion=dataclasses.replace(seen.champion, bank="x"))
        )
    short = dataclasses.replace(seen.challenger, marks=seen.challenger.marks[5:])
    with pytest.raises(ExamError, match="different items"):
        balanced().judge(1, dataclasses.replace(seen, challenger=short))


def test_a_re_run_decides_alike(case: Cases) -> None:
    seen = case(*drawn(80, 0.04))
    assert balanced().judge(3, seen) == balanced().judge(3, seen)


def results(before: dict[str, list[float]], after: dict[str, list[float]]) -> Case:
    """A case with several kinds of gating marks, each kind on items of its own."""
    made = [
        ExamResult(
            version,
            "bank",
            tuple(
                Mark(name, value, True, f"{name}{i}", name)
                for name, values in marks.items()
                for i, value in enumerate(values)
            ),
        )
        for version, marks in (("v0", before), ("v1", after))
    ]
    return Case(0, made[0], made[1], None, ())


@pytest.mark.parametrize("gate", GATES)
def test_a_few_marks_of_another_kind_that_collapse_refuse_it(gate: EvidenceGate) -> None:
    before = {"foresees": [0.8] * 150, "does": [0.9] * 5}
    fine = gate.judge(1, results(before, {"foresees": [0.95] * 150, "does": [0.9] * 5}))
    assert fine.decision is Decision.PROMOTE
    fallen = gate.judge(1, results(before, {"foresees": [0.95] * 150, "does": [0.2] * 5}))
    assert fallen.decision is Decision.KEEP
    assert "marks of does" in fallen.evidence["lost"]
    assert "marks of does" in fallen.reason


def test_two_marks_on_one_item_are_one_item() -> None:
    def case_of(copies: int) -> Case:
        before, after = drawn(60, 0.03)
        made = [
            ExamResult(
                version,
                "bank",
                tuple(
                    Mark(f"m{copy}", value, True, f"i{i}")
                    for copy in range(copies)
                    for i, value in enumerate(values)
                ),
            )
            for version, values in (("v0", before), ("v1", after))
        ]
        return Case(0, made[0], made[1], None, ())

    one, two = (balanced().judge(1, case_of(n)) for n in (1, 2))
    assert one.items == two.items == 60
    assert one.p_worse == pytest.approx(two.p_worse)
