"""What a school's people say together: how answers become examples, and whom to trust."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nightschool.app import parts
from nightschool.curation import Ballot, Consensus, Curator, ballots_of, curate
from nightschool.curation.crowd import one_coin
from nightschool.types import AnsweredQuestion, Context, Curate, Example, Partition
from nightschool.warehouse import NightRecord, Warehouse

MAJORITY = "majority"
"""The setting by which every person weighs the same."""

TONIGHT = "gold_tonight"
"""The key under which the log keeps the newest night and what gold accepted in it."""

FRESH_SECONDS = 2.0
REST = 10
"""A reading that took a second is looked at for ten: no page makes the server busy."""


@dataclass(frozen=True)
class Reading:
    """One look at all answers that count: by partition, with what they say together."""

    training: Sequence[AnsweredQuestion] = ()
    exam: Sequence[AnsweredQuestion] = ()
    gold: Sequence[AnsweredQuestion] = ()
    judged: Sequence[AnsweredQuestion] = ()
    """The gold questions with each person's first reply, by which people are judged."""
    accepted: dict[int, tuple[str, ...]] = field(default_factory=dict)
    consensus: Consensus = field(default_factory=lambda: Consensus({}))
    equal: bool = False
    """Whether the setting says that all weigh the same."""

    @property
    def every(self) -> list[AnsweredQuestion]:
        """All answered questions."""
        return [*self.training, *self.exam, *self.gold]


class Crowd:
    """Reads a school's answers with their agreement, and remembers it while nothing changes.

    `labels` gives the labels that answers are chosen from, none for free text.
    """

    def __init__(
        self, warehouse: Warehouse, agreement: str, labels: Callable[[], Sequence[str]]
    ) -> None:
        self._warehouse = warehouse
        self._agreement = agreement
        self._labels = labels
        self._lock = threading.Lock()
        self._seen: tuple[object, ...] = ()
        self._due = float("-inf")
        self._reading = Reading()

    def curator(self) -> Curate:
        """How tonight's answers become examples; all of the school tells about its people.

        Of the exam's and the gold questions' answers, too, only those that the night sees. What
        the newest version learned stays where little changed, except in a rebuild.
        """
        if self._agreement == MAJORITY:
            return curate
        night = self._warehouse.broken_night()
        marks = (night.answer_mark, night.retraction_mark) if night is not None else (None, None)
        exam = self._warehouse.answered(Partition.EXAM, *marks)
        gold = self._warehouse.gold.answered(*marks)
        accepted = self._accepted() if night is None else self._accepted_at(night)
        anchors = [*self._ballots(exam), *self._ballots(gold, accepted)]
        held = {} if night is None or night.rebuild else self._held()
        return Curator(parts.agreement(self._agreement), len(self._labels()), anchors, held)

    def _held(self) -> dict[int, Example]:
        manifest = self._warehouse.manifest(self._warehouse.trainee().manifest)
        learned = self._warehouse.dataset(manifest).new
        return {Context(example.context).id: example for example in learned}

    def read(self) -> Reading:
        """All answers and their consensus, as fresh as is cheap: at most some seconds old."""
        with self._lock:
            began = time.monotonic()
            if began < self._due:
                return self._reading
            erased = len(self._warehouse.leaving.erasures())
            known = (tuple(self._labels()), len(self._accepted()), erased)
            seen = (*self._warehouse.marks(), *known)
            if seen != self._seen:
                self._reading, self._seen = self._read(), seen
            took = time.monotonic() - began
            self._due = began + max(FRESH_SECONDS, REST * took)
            return self._reading

    def renew(self) -> None:
        """Let the next reading see what was changed just now."""
        self._due = float("-inf")

    def by_night(self) -> Reading:
        """What the newest finished night saw: it tells nobody what became of one reply."""
        night = next(
            (n for n in reversed(self._warehouse.nights()) if n.finished is not None), None
        )
        return self._read(night.answer_mark, night.retraction_mark) if night else Reading()

    def _read(self, up_to: int | None = None, retracted_up_to: int | None = None) -> Reading:
        marks = (up_to, retracted_up_to)
        training = self._warehouse.answered(Partition.TRAINING, *marks)
        exam = self._warehouse.answered(Partition.EXAM, *marks)
        gold = self._warehouse.answered(Partition.GOLD, *marks)
        judged = self._warehouse.gold.answered(*marks)
        accepted = self._accepted()
        ballots = [*self._ballots([*training, *exam]), *self._ballots(judged, accepted)]
        # The majority's vote knows nothing of people; they are told apart all the same.
        equal = self._agreement == MAJORITY
        weigh = one_coin if equal else parts.agreement(self._agreement)
        return Reading(training, exam, gold, judged, accepted, weigh(ballots), equal)

    def _accepted(self) -> dict[int, tuple[str, ...]]:
        return {item.context.id: item.accepted for item in self._warehouse.gold.items()}

    def _accepted_at(self, night: NightRecord) -> dict[int, tuple[str, ...]]:
        """What was accepted when the night first asked: one that is resumed takes the same."""
        name = [night.number, night.started]
        kept = json.loads(self._warehouse.meta(TONIGHT) or "[[], {}]")
        if kept[0] != name:
            kept = [name, self._accepted()]
            self._warehouse.set_meta(TONIGHT, json.dumps(kept))
        return {int(context): tuple(texts) for context, texts in kept[1].items()}

    def _ballots(
        self,
        answered: Sequence[AnsweredQuestion],
        accepted: dict[int, tuple[str, ...]] | None = None,
    ) -> list[Ballot]:
        known = accepted or {}
        return ballots_of(answered, len(self._labels()), lambda name: known.get(name, ()))
