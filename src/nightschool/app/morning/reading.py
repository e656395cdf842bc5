"""The morning of a school, read from its log: no model is loaded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nightschool.app.limits.bounding import answers_again
from nightschool.app.limits.cache import FOLDER, Cache
from nightschool.app.limits.nights import learned, pace
from nightschool.app.morning import bits, commands
from nightschool.app.morning.day import Day, day
from nightschool.app.morning.estimates import Estimate, difference, wilson
from nightschool.app.morning.growth import Growth, turn
from nightschool.app.morning.uses import Cited, Uses, cited, uses
from nightschool.app.pace import LONGEST
from nightschool.app.school import School
from nightschool.app.status import Status, plain
from nightschool.limits import Interval, Lead, Point, curve, forecast, measured
from nightschool.types import TEXT, Verdict
from nightschool.warehouse import NightRecord

RECENT = 5
"""Nights over which the pace of learning and of nights is averaged."""

LEVEL = 0.9

ENOUGH = 300.0
"""Seconds of people's time below which no gain a minute is told: it would stretch seconds."""


@dataclass(frozen=True)
class Examined:
    """One night's verdict with its marks; None where there was no exam.

    `answers` is how many examples the challenger had learned from, `at` when the night ended,
    seconds since 1970.
    """

    night: int
    at: float | None
    answers: int
    before: Estimate | None
    after: Estimate | None
    items: int
    decision: str
    champion: str
    challenger: str
    serves: str
    reason: str


@dataclass(frozen=True)
class Effort:
    """What people gave, and what came of it: marks gained in one minute of their time.

    `answers` count; `seconds` are those of all that were `given`, also of what was taken back.
    `gain` is over all nights, `lately` over the last few, in marks a minute; None below `enough`
    seconds. `examined` is how many of the seconds lie before the newest exam; None without one.
    """

    answers: int
    given: int
    seconds: float
    gain: Estimate | None
    lately: Estimate | None
    examined: float | None = None
    enough: float = ENOUGH


@dataclass(frozen=True)
class Target:
    """When the target is reached at today's pace: answers, then nights, then when (since 1970).

    Inf where the forecast does not get there; `pace` is in answers a night, `every` in seconds.
    None and a sentence in `why` where nothing can be said yet.
    """

    target: float
    level: float
    answers: Interval | None
    nights: Interval | None
    at: Interval | None
    pace: float
    every: float
    why: str


@dataclass(frozen=True)
class Morning:
    """Everything that a person wants to know in the morning."""

    at: float
    status: Status
    nights: tuple[Examined, ...]
    uses: Uses
    effort: Effort
    lead: Lead | None
    bits: bits.Bits
    day: Day
    growth: Growth | None
    target: Target
    commands: Mapping[str, Sequence[str]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: numbers that are not finite become None."""
        cleaned: dict[str, Any] = plain(asdict(self))
        return cleaned


class MorningDesk:
    """Reads a school's morning; what past nights settled is read once."""

    def __init__(self, school: School) -> None:
        self._school = school
        self._nights: dict[int, Examined] = {}
        self._settled: tuple[tuple[int, int, int], Any] = ((-1, -1, -1), None)
        self._cited: tuple[tuple[str, int], Cited] = (("", 0), Cited())
        self._used: tuple[tuple[object, ...], Uses | None] = ((), None)

    def read(self) -> Morning:
        """The morning as it is now."""
        school = self._school
        now = school.now()
        records = {n.number: n for n in school.warehouse.nights()}
        nights = self._examined(records)
        told, target = self._of_nights(nights, records)
        slices = school.warehouse.timelines.since(now - 24 * 3600)
        past = day(slices, school.warehouse.digest.spells(now - 24 * 3600, LONGEST), now)
        return Morning(
            at=now,
            status=school.status(),
            nights=nights,
            uses=self._uses(len(records)),
            effort=self._effort(nights, records),
            lead=_lead(school),
            bits=told,
            day=past,
            growth=turn(past.parts),
            target=target,
            commands=commands.of(school.config.target),
        )

    def _examined(self, records: Mapping[int, NightRecord]) -> tuple[Examined, ...]:
        warehouse = self._school.warehouse
        verdicts = warehouse.verdicts()
        found = dict(self._nights)
        if any(v.night not in found for v in verdicts):
            versions = {v.id: v for v in warehouse.versions()}
            for v in verdicts:
                if v.night not in found:
                    version = versions.get(v.challenger)
                    count = learned(self._school, version) if version else 0
                    record = records.get(v.night)
                    found[v.night] = _examined(v, record, count)
                    if record is not None and record.finished is not None:
                        self._nights[v.night] = found[v.night]  # it changes no more
        return tuple(found[v.night] for v in verdicts)

    def _uses(self, nights: int) -> Uses:
        """Read again when answers or nights came; who learned what, only by night or erasure."""
        warehouse = self._school.warehouse
        learned = (warehouse.trainee().id, len(warehouse.leaving.erasures()))
        if self._cited[0] != learned:
            self._cited = (learned, cited(warehouse))
        key = (*learned, nights, *warehouse.marks())
        known = self._used[1] if self._used[0] == key else None
        if known is None:
            gone = {retraction.answer_id for retraction in warehouse.retractions()}
            known = uses(warehouse, self._cited[1], gone)
            self._used = (key, known)
        return known

    def _of_nights(
        self, nights: Sequence[Examined], records: Mapping[int, NightRecord]
    ) -> tuple[bits.Bits, Target]:
        """What only a night can change, computed once for each."""
        ended = sum(record.finished is not None for record in records.values())
        key = (len(nights), len(records), ended)
        if self._settled[0] != key:
            found = (_bits(self._school), _target(self._school, nights, records))
            self._settled = (key, found)
        made: tuple[bits.Bits, Target] = self._settled[1]
        return made

    def _effort(self, nights: Sequence[Examined], records: Mapping[int, NightRecord]) -> Effort:
        digest = self._school.warehouse.digest
        total = digest.effort(LONGEST)
        sat = [n for n in nights if n.before is not None and n.after is not None]
        ends = [(sat[0].before, 0)] if sat else []
        ends += [(n.after, records[n.night].answer_mark) for n in sat if n.night in records]

        def gained(first: int) -> Estimate | None:
            begin, end = ends[max(len(ends) + first, 0) if first < 0 else first], ends[-1]
            before = digest.effort(LONGEST, begin[1])[-1] if begin[1] else 0.0
            spent = examined - before
            if spent < ENOUGH or begin[0] is None or end[0] is None:
                return None
            return scaled(difference(end[0], begin[0]), 60.0 / spent)

        if len(ends) < 2:
            return Effort(*total, None, None)
        examined = digest.effort(LONGEST, ends[-1][1])[-1]
        return Effort(*total, gained(0), gained(-RECENT - 1), examined)


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """An estimate in other units."""
    e = estimate
    return Estimate(e.value * factor, e.low * factor, e.high * factor, e.n)


def _examined(verdict: Verdict, record: NightRecord | None, count: int) -> Examined:
    v = verdict
    return Examined(
        night=v.night,
        at=(record.finished or record.started) if record is not None else None,
        answers=count,
        before=wilson(v.before, v.items),
        after=wilson(v.after, v.items),
        items=v.items,
        decision=v.decision.value,
        champion=v.champion,
        challenger=v.challenger,
        serves=v.serves,
        reason=v.reason,
    )


def _bits(school: School) -> bits.Bits:
    fresh = [p for _, marks in school.warehouse.digest.fresh() for p in marks]
    kinds = len(school.labels)
    noise = 0.0
    if kinds > 1:
        seen = measured(answers_again(school), kinds)
        noise = seen.noise if seen is not None else 0.0
    return bits.bits(fresh, kinds, noise, probabilities=school.kind == TEXT)


def _lead(school: School) -> Lead | None:
    """The lead that `nightschool limits --twin` measured last; None before."""
    found = list((school.folder / FOLDER).glob("twin-*.json"))
    for path in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True):
        try:
            return Lead(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue  # a cache: what cannot be read was never measured
    return None


def _target(
    school: School, nights: Sequence[Examined], records: Mapping[int, NightRecord]
) -> Target:
    wanted = school.config.target
    points = curve(Point(n.answers, n.after.value, n.items) for n in nights if n.after is not None)
    step, every = pace(points), _every(records)

    def silent(why: str) -> Target:
        return Target(wanted, LEVEL, None, None, None, step, every, why)

    if len(points) < 2 or step <= 0:
        return silent("Not known yet: a forecast needs two nights with an exam and new answers.")
    if nights[-1].after is not None and nights[-1].after.low >= wanted:
        return silent("Reached: the newest exam's whole interval lies at the target or above.")
    cache, facts = Cache(school.folder), (points, wanted, LEVEL, "answers_to")
    kept = cache.find("target", facts)
    if kept is None:
        found = forecast(points).answers_to(wanted, LEVEL)
        kept = [v if math.isfinite(v) else None for v in (found.low, found.middle, found.high)]
        cache.keep("target", facts, kept)
    ends = [math.inf if v is None else float(v) for v in kept]
    more = [max(v - points[-1].answers, 0.0) / step for v in ends]
    begun = max((r.finished or r.started) for r in records.values())
    at = [begun + v * every for v in more]
    why = (
        "" if math.isfinite(ends[1]) else "Not reached within a million answers, as it learns now."
    )
    return Target(wanted, LEVEL, Interval(*ends), Interval(*more), Interval(*at), step, every, why)


def _every(records: Mapping[int, NightRecord]) -> float:
    """Seconds from one night to the next: the mean of the last few; a day where there is one."""
    begun = [r.started for _, r in sorted(records.items())][-RECENT - 1 :]
    return (begun[-1] - begun[0]) / (len(begun) - 1) if len(begun) > 1 else 86_400.0
