"""What the model learned from each person's newest answers: right before, right after, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nightschool.types import (
    TEXT,
    AnsweredQuestion,
    Context,
    Document,
    Example,
    Learner,
    normalise,
)
from nightschool.warehouse import Warehouse

META = "blob:lessons"
NIGHTS = 14
"""Nights of which the lessons are kept: who stays away longer is not told of them."""

MOST = 400
"""Lessons of one night that are told, the first ones: the model says each twice."""

SHOWN = 12
"""Questions that changed, of which a person sees this many; what was learned comes first."""

MARKS = ("before", "after")

FEWEST = 3
"""Questions that a group needs to be spoken of by its name."""


@dataclass(frozen=True)
class Told:
    """One lesson of a night: what the model said before it learned it, and what it says now.

    `people` gave the answers from which `answer` was made.
    """

    context: str
    group: str
    answer: str
    people: tuple[str, ...]
    before: str
    after: str

    @property
    def was_right(self) -> bool:
        """Whether the model gave the answer before the night."""
        return normalise(self.before) == normalise(self.answer)

    @property
    def is_right(self) -> bool:
        """Whether the model gives the answer after the night."""
        return normalise(self.after) == normalise(self.answer)


@dataclass(frozen=True)
class Part:
    """How often the model was right on `n` lessons of a group, before and after; "" is no name."""

    name: str
    n: int
    before: int
    after: int

    @property
    def gain(self) -> int:
        """How many more it got right after the night; negative where it got worse."""
        return self.after - self.before


@dataclass(frozen=True)
class Sat:
    """The exam before and after a night that learned `taught` answers of one person.

    Marks are means in [0, 1] over `items` exam items, of the version that served and the new one.
    """

    taught: int
    before: float
    after: float
    items: int


@dataclass(frozen=True)
class Lesson:
    """What one person taught in one night; `at` is when the night ended, seconds since 1970.

    `parts` has the group that gained most first; `changed` the questions on which the model
    changed from wrong to right or back. Where answers are no texts there is `exam` alone.
    """

    night: int
    at: float
    parts: tuple[Part, ...] = ()
    changed: tuple[Told, ...] = ()
    exam: Sat | None = None

    def headline(self) -> tuple[str, Part | None]:
        """What is said first, and of which lessons: the total where it fell or no group gained.

        "group" taught something that has a name, "all", "same", "worse", or "exam".
        """
        if self.exam is not None:
            return "exam", None
        total = Part("", *(sum(getattr(p, k) for p in self.parts) for k in ("n", *MARKS)))
        if total.gain < 0:
            return "worse", total
        best = self.parts[0]
        if best.name and best.gain > 0:
            return "group", best
        return ("all" if total.gain else "same"), total

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without other people's names."""
        lead, first = self.headline()
        changed = [
            {
                "context": told.context,
                "answer": told.answer,
                "before": told.before,
                "after": told.after,
                "better": told.is_right,
            }
            for told in self.changed
        ]
        others = [p for p in self.parts if p.gain and p != first and len(self.parts) > 1]
        return {
            "night": self.night,
            "at": self.at,
            "lead": lead,
            "first": asdict(first) if first else None,
            "others": [asdict(part) for part in others],
            "changed": changed,
            "exam": asdict(self.exam) if self.exam else None,
        }


class Yesterday:
    """Keeps the lessons of the newest nights, and tells each person their own.

    `labels` gives the labels of the school now; an example without a group is named by its label.
    """

    def __init__(
        self, warehouse: Warehouse, labels: Callable[[], Collection[str]] = tuple[str]
    ) -> None:
        self._warehouse = warehouse
        self._labels = labels
        self._read: tuple[str, Mapping[int, Sequence[Told]]] = ("", {})

    def note(
        self,
        night: int,
        lessons: Sequence[Example],
        answered: Callable[[], Sequence[AnsweredQuestion]],
        before: Learner,
        after: Learner,
    ) -> None:
        """Let both versions answer tonight's lessons; only texts are told, nobody is asked."""
        texts = [e for e in lessons if e.context.kind == TEXT == e.target.kind][:MOST]
        if not texts:
            return
        people = {answer.id: answer.person for a in answered() for answer in a.answers}
        contexts = [Context(e.context) for e in texts]
        said = zip(before.predict(contexts), after.predict(contexts), strict=True)
        labels = self._labels()
        told = [_told(e, people, *pair, labels) for e, pair in zip(texts, said, strict=True)]
        kept = {n: t for n, t in self._lessons().items() if night - NIGHTS < n < night}
        self._keep({**kept, night: told})

    def of(self, person: str) -> Lesson | None:
        """What the newest finished night learned from that person, of those that did; or None."""
        if self._warehouse.meta("kind") not in (None, TEXT):
            return self._exam_of(person)
        lessons = self._lessons()
        if not lessons:
            return None
        for night in reversed(self._warehouse.nights()):
            mine = [t for t in lessons.get(night.number, ()) if person in t.people]
            if mine and night.finished is not None:
                return Lesson(night.number, night.finished, parts_of(mine), changed_of(mine))
        return None

    def _exam_of(self, person: str) -> Lesson | None:
        """Drawings and trials: the exam of the newest night that learned from that person."""
        sat = {v.night: v for v in self._warehouse.verdicts() if v.items}
        nights = [n for n in self._warehouse.nights() if n.finished is not None]
        marks = [0, *(n.answer_mark for n in nights)]
        for night, mark in list(zip(nights, marks, strict=False))[: -NIGHTS - 1 : -1]:
            verdict = sat.get(night.number)
            if verdict is None or night.finished is None:
                continue
            taught = self._warehouse.digest.taught(person, mark, night.answer_mark)
            if taught:
                exam = Sat(taught, verdict.before, verdict.after, verdict.items)
                return Lesson(night.number, night.finished, exam=exam)
        return None

    def today(self, person: str, since: float) -> int:
        """How many replies that person gave since that second that still count."""
        return self._warehouse.replies_since(person, since)

    def _lessons(self) -> Mapping[int, Sequence[Told]]:
        name = self._warehouse.meta(META) or ""
        if not name:
            return {}
        if self._read[0] != name:
            raw = json.loads(self._warehouse.blob(name))
            found = {int(n): [_loaded(row) for row in rows] for n, rows in raw.items()}
            self._read = (name, found)
        return self._read[1]

    def _keep(self, lessons: Mapping[int, Sequence[Told]]) -> None:
        body = {str(n): [asdict(t) for t in told] for n, told in lessons.items()}
        data = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
        self._warehouse.set_meta(META, self._warehouse.put_blob(data))


def parts_of(lessons: Sequence[Told]) -> tuple[Part, ...]:
    """The lessons by group, the one that gained most first; small groups come together, unnamed."""
    groups: dict[str, list[Told]] = {}
    for told in lessons:
        groups.setdefault(told.group, []).append(told)
    small = {name for name, mine in groups.items() if len(mine) < FEWEST}
    named = {name: mine for name, mine in groups.items() if name and name not in small}
    rest = [told for told in lessons if told.group not in named]
    found = [_part(name, mine) for name, mine in named.items()]
    found.sort(key=lambda p: (-p.gain, -p.gain / p.n, -p.n, p.name))
    return (*found, _part("", rest)) if rest else tuple(found)


def changed_of(lessons: Sequence[Told]) -> tuple[Told, ...]:
    """The lessons on which the model changed its mind for better, then for worse."""
    better = [t for t in lessons if t.is_right and not t.was_right]
    worse = [t for t in lessons if t.was_right and not t.is_right]
    return tuple([*better, *worse][:SHOWN])


def _part(name: str, lessons: Sequence[Told]) -> Part:
    before, after = (sum(t.was_right for t in lessons), sum(t.is_right for t in lessons))
    return Part(name, len(lessons), before, after)


def _told(
    example: Example,
    people: Mapping[str, str],
    was: Document,
    now: Document,
    labels: Collection[str],
) -> Told:
    given = dict.fromkeys(people[a] for a in example.answers if a in people)
    answer = example.target.body.strip()
    said = (was.body.strip(), now.body.strip())
    group = example.group or (answer if answer in labels else "")
    return Told(example.context.body, group, answer, tuple(given), *said)


def _loaded(row: Mapping[str, Any]) -> Told:
    return Told(**{**row, "people": tuple(row["people"])})
