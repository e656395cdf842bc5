"""The gate: who serves tomorrow, by paired evidence on the same exam, in words for the morning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nightschool.exams.paired import Floats, interval, items_needed, p_at_most
from nightschool.exams.rule import Kind, Marks, Rule, Ruling, Skill
from nightschool.types import Case, Decision, ExamError, ExamResult, Look, Verdict

NO_EXAM = "no exam yet; answer exam questions, or bring a file with `nightschool exam add FILE`"

Sheet = Mapping[str, float]
"""A version's mark on each item: the mean of the marks that gate there."""


def balanced() -> EvidenceGate:
    """Small lag: promotes what is very probably not a point worse (the default)."""
    return EvidenceGate(Rule(margin=0.01, budget=0.25, renews=True, growth=0.01))


def strict() -> EvidenceGate:
    """Proof: promotes only what is better, with a 5 % chance a year of being wrong even once."""
    return EvidenceGate(Rule(margin=0.0, budget=0.05, renews=False, growth=0.03, patience=20.0))


@dataclass(frozen=True)
class EvidenceGate:
    """Judges by a `Rule`; see there for when it looks and how sure it must be."""

    rule: Rule

    def judge(self, night: int, case: Case) -> Verdict:
        """The verdict over champion and challenger, which sat the same bank.

        Raises ExamError when they sat different banks. Every item counts once; its order and the
        time of day change nothing, and no draw is made, so a night that runs again decides alike.
        Without a challenger of its own (the trainee serves) a night may still roll back.
        """
        champion, challenger = case.champion, case.challenger
        if champion.bank != challenger.bank:
            raise ExamError(
                f"Champion {champion.version} and challenger {challenger.version} sat different "
                "banks; examine both again on tonight's bank."
            )
        before = _sheet(champion)
        names = sorted(before)
        if sorted(_sheet(challenger)) != names:
            raise ExamError(
                f"Champion {champion.version} and challenger {challenger.version} have marks on "
                "different items; examine both again on tonight's bank."
            )
        marks, groups = self._marks(case, names)
        if not names:
            ruling = Ruling(Decision.KEEP)
        elif champion.version == challenger.version:
            ruling = self.rule.review(case.day, marks, case.looks)
        else:
            ruling = self.rule.decide(case.day, marks, case.looks)
        return _verdict(self.rule, night, case, marks, groups, ruling)

    def _marks(self, case: Case, names: list[str]) -> tuple[Marks, list[str]]:
        """The marks as arrays over the same items, and the names of the groups."""
        by_item = {m.item: m.group for m in case.champion.marks if m.gates}
        groups = sorted({group for group in by_item.values() if group})
        kinds = _kinds(case, len(groups))
        code = {group: i for i, group in enumerate(groups)}
        previous = None
        if case.previous is not None and case.previous.version != case.champion.version:
            sheet = _sheet(case.previous)
            if all(name in sheet for name in names):
                previous = _column(sheet, names)
        return Marks(
            champion=_column(_sheet(case.champion), names),
            challenger=_column(_sheet(case.challenger), names),
            previous=previous,
            groups=np.array([code.get(by_item[item], -1) for item in names], dtype=np.int64),
            kinds=tuple(kinds.values()),
        ), [*groups, *kinds]


def _sheet(result: ExamResult) -> Sheet:
    """One mark an item: two marks on one item are no independent evidence."""
    return result.by_item


def _kinds(case: Case, first: int) -> dict[str, Kind]:
    """Each kind of gating mark with its changes, numbered from `first`; none where one gates."""
    before, after = (
        {(m.name, m.item): m.value for m in result.marks if m.gates}
        for result in (case.champion, case.challenger)
    )
    names = sorted({name for name, _ in before})
    if len(names) < 2:
        return {}
    return {
        f"marks of {name}": Kind(
            first + number,
            np.array(
                [after[k] - v for k, v in sorted(before.items()) if k[0] == name and k in after]
            ),
        )
        for number, name in enumerate(names)
    }


def _column(sheet: Sheet, names: list[str]) -> Floats:
    return np.array([sheet[name] for name in names], dtype=np.float64)


def _verdict(
    rule: Rule, night: int, case: Case, marks: Marks, groups: list[str], ruling: Ruling
) -> Verdict:
    """The ruling with everything that a person, a page or a later gate may want to know."""
    change = marks.challenger - marks.champion
    items = len(change)
    seen = ruling.level > 0.0
    skills = rule.skills(marks) if items else []
    champion, challenger = case.champion.version, case.challenger.version
    serves = champion
    if ruling.decision is Decision.PROMOTE:
        serves = challenger
    elif ruling.decision is Decision.ROLL_BACK and case.previous is not None:
        serves = case.previous.version
    level = ruling.level or rule.level(case.day, case.looks)
    needed = _needed(rule, change, level, ruling)
    promoted = ruling.decision is Decision.PROMOTE
    look = Look(night, case.day, items, ruling.spent, promoted, champion, challenger)
    return Verdict(
        night=night,
        decision=ruling.decision,
        champion=champion,
        challenger=challenger,
        serves=serves,
        reason=_reason(rule, case, marks, groups, ruling, needed),
        before=case.champion.score,
        after=case.challenger.score,
        items=items,
        p_better=p_at_most(change) if seen else float("nan"),
        p_worse=ruling.p_promote,
        needed=needed,
        look=look if ruling.spent > 0.0 else None,
        evidence=_evidence(change, skills, groups, ruling, rule),
    )


def _needed(rule: Rule, change: Floats, level: float, ruling: Ruling) -> int:
    """Further items that would settle it for or against, if the effect is as it was seen."""
    if ruling.decision is not Decision.KEEP or ruling.lost:
        return 0
    if len(change) < 2:
        return -1
    effect, deviation = float(change.mean()), float(change.std(ddof=1))
    total = (
        items_needed(effect, deviation, -rule.margin, level)
        if effect > 0.0
        else items_needed(-effect, deviation, 0.0, level)
    )
    return max(total - len(change), 1) if total >= 0 else -1


def _evidence(
    change: Floats, skills: list[Skill], groups: list[str], ruling: Ruling, rule: Rule
) -> dict[str, object]:
    """What the verdict rests on, as plain JSON values."""
    low, high = interval(change) if len(change) else (-1.0, 1.0)
    return {
        "effect": float(change.mean()) if len(change) else 0.0,
        "interval": [low, high],
        "level": ruling.level,
        "p_roll_back": None if np.isnan(ruling.p_roll_back) else ruling.p_roll_back,
        "groups": {
            groups[s.group]: {"items": s.items, "change": s.change, "lost": s.lost} for s in skills
        },
        "lost": [groups[s.group] for s in ruling.lost],
        "too_few_to_tell": [groups[s.group] for s in skills if np.isnan(s.p)],
    }


def _reason(
    rule: Rule, case: Case, marks: Marks, groups: list[str], ruling: Ruling, needed: int
) -> str:
    """Who serves first, then why, in one sentence: the words of every page, line and report.

    A p-value is told as what it is: how often a version that is no good would do as well.
    """
    items, here, there = len(marks.champion), case.champion.version, case.challenger.version
    still = f"{here} still serves"
    if not items:
        return f"{still}: {NO_EXAM}."
    before, after = 100 * case.champion.score, 100 * case.challenger.score
    if ruling.decision is Decision.ROLL_BACK and marks.previous is not None:
        former = 100 * float(marks.previous.mean())
        back = case.previous.version if case.previous is not None else ""
        return (
            f"{back} serves again: {here} has {before:.1f} points, {back} has {former:.1f}, on "
            f"{items} exam items. A version no worse than {back} would do this badly in "
            f"{_percent(ruling.p_roll_back)} of such exams."
        )
    if here == there:
        return f"{still}: there was nothing new to learn."
    seen = f"{before:.1f} → {after:.1f} points on {items} exam items"
    if items < rule.few:
        count = "1 exam item" if items == 1 else f"{items} exam items"
        points = f"{before:.1f} → {after:.1f} points"
        return f"{still}: {count}, {rule.few} are needed to compare ({points})."
    if not ruling.level:
        return f"{still}: the exam has hardly grown since the last comparison ({seen})."
    if ruling.decision is Decision.PROMOTE:
        return (
            f"{there} serves now: {seen}. A version {_null(rule)} {here} would do this well in "
            f"{_percent(ruling.p_promote)} of such exams."
        )
    if ruling.lost:
        worst = min(ruling.lost, key=lambda s: s.change)
        others = f" and {len(ruling.lost) - 1} more" if len(ruling.lost) > 1 else ""
        return (
            f"{still}: {there} fell by {-100 * worst.change:.0f} points on the {worst.items} items "
            f"of {groups[worst.group]!r}{others} ({seen})."
        )
    if needed < 0:
        return f"{still}: no difference to be seen ({seen})."
    which = "better" if after > before else "worse"
    return (
        f"{still}: it is not sure yet that {there} is {which}; about {needed} more exam items like "
        f"these would show it ({seen})."
    )


def _null(rule: Rule) -> str:
    """What a promotion has to refute, in words."""
    if abs(rule.margin - 0.01) < 1e-9:
        return "a point worse than"
    return f"{100 * rule.margin:g} points worse than" if rule.margin else "no better than"


def _percent(p: float) -> str:
    return "less than 0.1 %" if p < 0.001 else f"{100 * p:.1f} %"
