"""The queue re-ranks itself: after each answer light heads say what is still worth asking."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nightschool import heads
from nightschool.app import shortlist
from nightschool.app.foresight import centred, extended
from nightschool.app.shortlist import Shortlist
from nightschool.timeline import during
from nightschool.types import TEXT, Answer, Floats, Strategy, normalise
from nightschool.warehouse import Warehouse

log = logging.getLogger(__name__)

SAMPLES = 16
"""Posterior samples of the light head over labels."""


def order(listed: Shortlist, replies: Mapping[int, Answer], strategy: Strategy) -> list[int]:
    """Ids of the contexts that are still open, in the order in which they are worth asking.

    The school's own strategy chooses among them again, from what it saw in the night and what
    the replies (by context) have shown since:

    - what was replied to counts as asked, so near-duplicates of it fall;
    - `answerable` is fitted anew on all replies;
    - where the answers are labels, the head over them is fitted anew, and with it `probs`; else
      a light head for "the model's present answer is wrong" weighs `answerable`: where the model
      knows already, an answer teaches nothing.

    A pure function of its arguments.
    """
    seen = listed.seen
    done = np.array([int(name) in replies for name in seen.ids], bool)
    left = np.flatnonzero(~done)
    said = _Replies.of(listed, replies, np.flatnonzero(done))
    asked = np.concatenate([seen.asked, seen.embeddings[said.rows]]) if seen.has("asked") else None
    now = shortlist.rows(seen, left)
    if asked is None or not len(said.rows) or not len(left):
        return [int(name) for name in now.ids]
    x = centred(now.embeddings, seen.asked)
    lessons = _lessons(listed, centred(asked, seen.asked), said.said)
    likely: NDArray[np.float32] | None = now.answerable if now.has("answerable") else None
    if ANSWERABLE in lessons:
        likely = _fitted(listed, ANSWERABLE, lessons[ANSWERABLE]).probs(x)[:, 1]
    if LABELS in lessons:
        head = _fitted(listed, LABELS, lessons[LABELS])
        now = extended(now, probs=head.samples(x, SAMPLES, listed.key))
    elif not listed.labels:
        wrong = _wrong(centred(seen.embeddings, seen.asked), said, x)
        likely = wrong if likely is None or wrong is None else likely * wrong
    given = {"asked": asked} if likely is None else {"asked": asked, "answerable": likely}
    picks = strategy.choose([extended(now, **given)], len(left), listed.key)
    ranked = [int(now.ids[i]) for i in picks.index]
    behind = set(ranked)
    return [*ranked, *(int(name) for name in now.ids if int(name) not in behind)]


@dataclass(frozen=True)
class _Replies:
    """Rows of the shortlist that were replied to, oldest reply first, and what was said (None:
    declined)."""

    rows: NDArray[np.int64]
    said: Sequence[str | None]
    right: NDArray[np.int64]

    @classmethod
    def of(
        cls, listed: Shortlist, replies: Mapping[int, Answer], done: NDArray[np.int64]
    ) -> _Replies:
        place = {name: i for i, name in enumerate(replies)}
        rows = sorted(done.tolist(), key=lambda i: place[int(listed.seen.ids[i])])
        said = [_text(replies[int(listed.seen.ids[i])]) for i in rows]
        right = [
            int(text is not None and text == normalise(listed.expected[i]))
            for i, text in zip(rows, said, strict=True)
        ]
        return cls(np.array(rows, np.int64), said, np.array(right, np.int64))


def _text(answer: Answer) -> str | None:
    document = answer.document
    return normalise(document.body) if document is not None and document.kind == TEXT else None


ANSWERABLE, LABELS = "answerable", "labels"


def with_priors(listed: Shortlist) -> Shortlist:
    """The shortlist with the priors of its light heads, chosen by evidence from what was asked."""
    if not listed.seen.has("asked"):
        return listed
    asked = listed.seen.asked
    found: dict[str, Sequence[float]] = {}
    for name, lesson in _lessons(listed, centred(asked, asked), ()).items():
        head = heads.fit(*lesson)
        found[name] = (head.precision, head.spread)
    return replace(listed, priors=found)


Lesson = tuple[Floats, NDArray[np.int64], int]
"""Vectors, classes, and how many classes there are."""


def _lessons(listed: Shortlist, asked: Floats, today: Sequence[str | None]) -> dict[str, Lesson]:
    """What the light heads learn from what was asked and said, by their names.

    Nothing about who can answer while nobody has declined, or about labels where there are none.
    """
    before = [None if text is None else normalise(text) for text in listed.said]
    known = np.array([text is not None for text in before] + [True] * len(today), bool)
    said = [text for text in before if text is not None] + [text or "" for text in today]
    x = asked[known]
    lessons: dict[str, Lesson] = {}
    able = np.array([text != "" for text in said], np.int64)
    if not able.all():
        lessons[ANSWERABLE] = (x, able, 2)
    column = {normalise(label): i for i, label in enumerate(listed.labels)}
    mine = [i for i, text in enumerate(said) if text in column]
    if mine:
        y = np.array([column[said[i]] for i in mine], np.int64)
        lessons[LABELS] = (x[mine], y, len(column))
    return lessons


def _fitted(listed: Shortlist, name: str, lesson: Lesson) -> heads.Head:
    precision, spread = listed.priors.get(name, (None, None))
    return heads.fit(*lesson, precision=precision, spread=spread)


def _wrong(embeddings: Floats, said: _Replies, x: Floats) -> NDArray[np.float32] | None:
    """How probably the model's present answer to each is wrong, (n,)."""
    told = np.array([text is not None for text in said.said], bool)
    if not told.any():
        return None
    head = heads.fit(embeddings[said.rows[told]], said.right[told], 2)
    return (1.0 - head.probs(x)[:, 1]).astype(np.float32)


class Requeue:
    """Re-ranks a school's queue from its shortlist and its log, now or in a thread of its own.

    What it does depends on the log alone, so it may be called at any time, from any process.
    """

    def __init__(self, folder: Path, warehouse: Warehouse, strategy: Strategy, name: str) -> None:
        self._folder = folder
        self._warehouse = warehouse
        self._strategy = strategy
        self._name = name
        self._read: tuple[int, Shortlist | None] = (-1, None)
        self._news = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def now(self) -> int:
        """Re-rank; how many questions moved."""
        with during("choosing"):
            return self._rerank()

    def _rerank(self) -> int:
        night = self._warehouse.queue_night()
        listed = self._shortlist(night)
        if listed is None:
            return 0
        found = self._warehouse.replies([int(name) for name in listed.seen.ids])
        replies = dict(found)  # the newest reply to each context
        if not replies:
            return 0
        return self._warehouse.rerank(night, order(listed, replies, self._strategy))

    def _shortlist(self, night: int) -> Shortlist | None:
        if self._read[0] != night:
            found = shortlist.read(self._folder)
            # Another night's (a night is choosing now, or a file was brought back): left alone.
            fits = found is not None and (found.night, found.strategy) == (night, self._name)
            self._read = (night, found if fits else None)
        return self._read[1]

    def begin(self) -> None:
        """From now on `heard` returns at once, and a thread re-ranks."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="requeue", daemon=True)
            self._thread.start()

    def heard(self) -> None:
        """An answer was kept. Nothing that fails here is worth an answer: it is only logged."""
        if self._thread is not None:
            self._news.set()
        else:
            self._try()

    def close(self) -> None:
        """Finish and stop the thread."""
        self._closed = True
        self._news.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def _work(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            if self._closed:
                return
            self._try()

    def _try(self) -> None:
        try:
            self.now()
        except Exception:
            log.exception("The queue could not be re-ranked; it stays as it was.")
