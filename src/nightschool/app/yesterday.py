"""What the model learned from each person's newest answers: right before, right after, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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


@dataclass(frozen=True)
class Lesson:
    """What one person taught in one night; `at` is when the night ended, seconds since 1970.

    `parts` has the group that gained most first; `changed` the questions on which the model
    changed from wrong to right or back.
    """

    night: int
    at: float
    parts: tuple[Part, ...]
    changed: tuple[Told, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without other people's names."""
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
        parts = [asdict(part) for part in self.parts]
        return {"night": self.night, "at": self.at, "parts": parts, "changed": changed}


class Yesterday:
    """Keeps the lessons of the newest nights, and tells each person their own."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
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
        told = [_told(e, people, was, now) for e, (was, now) in zip(texts, said, strict=True)]
        kept = {n: t for n, t in self._lessons().items() if night - NIGHTS < n < night}
        self._keep({**kept, night: told})

    def of(self, person: str) -> Lesson | None:
        """What the newest finished night learned from that person, of those that did; or None."""
        lessons = self._lessons()
        if not lessons:
            return None
        for night in reversed(self._warehouse.nights()):
            mine = [t for t in lessons.get(night.number, ()) if person in t.people]
            if mine and night.finished is not None:
                return Lesson(night.number, night.finished, parts_of(mine), changed_of(mine))
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
    found.sort(key=lambda p: ((p.before - p.after) / p.n, -p.n, p.name))
    return (*found, _part("", rest)) if rest else tuple(found)


def changed_of(lessons: Sequence[Told]) -> tuple[Told, ...]:
    """The lessons on which the model changed its mind for better, then for worse."""
    better = [t for t in lessons if t.is_right and not t.was_right]
    worse = [t for t in lessons if t.was_right and not t.is_right]
    return tuple([*better, *worse][:SHOWN])


def _part(name: str, lessons: Sequence[Told]) -> Part:
    before, after = (sum(t.was_right for t in lessons), sum(t.is_right for t in lessons))
    return Part(name, len(lessons), before, after)


def _told(example: Example, people: Mapping[str, str], was: Document, now: Document) -> Told:
    given = dict.fromkeys(people[a] for a in example.answers if a in people)
    answer = example.target.body.strip()
    said = (was.body.strip(), now.body.strip())
    return Told(example.context.body, example.group, answer, tuple(given), *said)


def _loaded(row: Mapping[str, Any]) -> Told:
    return Told(**{**row, "people": tuple(row["people"])})
