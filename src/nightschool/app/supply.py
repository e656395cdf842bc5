"""More questions when the queue runs dry, and a little before that where many people answer."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from nightschool.app.config import Config
from nightschool.app.leases import overlap_of
from nightschool.loop import Budget, draw_questions, overlapping
from nightschool.types import ExamItem, Partition, Pick
from nightschool.warehouse import Warehouse

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at the queue while people are served."""

SEEN = 10.0
"""Seconds over which it is counted how fast questions go."""

AHEAD = 20.0
"""The queue should last so many seconds more at the present pace."""

AT_ONCE = 100
"""Questions that are fetched ahead at a time: whoever answers meanwhile hardly notices."""

FULL = 300.0
"""Seconds for which a bank that is full is believed to be: only withdrawals make it less."""

BUSY = 10
"""Questions that go in `SEEN` seconds before anything is fetched ahead: one person never waits."""


class Supply:
    """Fills a school's queue: the night's spares first, then random draws.

    `refilling` is held by whoever does it, since one refill is for everybody who waits.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        config: Config,
        budget: Budget,
        marked: Callable[[], Sequence[ExamItem]],
        clock: Callable[[], float],
    ) -> None:
        self._warehouse = warehouse
        self._config = config
        self._budget = budget
        self._marked = marked
        self._now = clock
        self._given: deque[float] = deque(maxlen=10_000)
        self._full_until = 0.0
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.refilling = threading.Lock()

    def refill(self, n: int = 0) -> int:
        """At most n questions more behind the queue (0: as many as a night chooses); how many."""
        n = n or self._config.questions
        warehouse = self._warehouse
        key = 1_000_003 * self._config.seed + warehouse.questions_asked()
        pool = warehouse.sample(Partition.TRAINING, 2 * n, key)
        exam = warehouse.sample(Partition.EXAM, 2 * n, key)
        spares = warehouse.spares()
        if not pool and not exam and not spares:
            return 0
        waiting = warehouse.waiting()
        picks = draw_questions(
            [c for c in pool if c.id not in waiting],
            [c for c in exam if c.id not in waiting],
            bank=self._bank(),
            budget=replace(self._budget, questions=n),
            key=key,
            ready=[Pick(q.context, q.partition, q.strategy, q.score) for q in spares],
        )
        picks = overlapping(picks, overlap_of(self._config), key + 3)
        return warehouse.append(picks, warehouse.trainee(), now=self._now())

    def _bank(self) -> int:
        """How many items the bank has; one that is full is counted anew only now and then."""
        if time.monotonic() > self._full_until:
            bank = len(self._marked())
            if bank < self._budget.bank_target:
                return bank
            self._full_until = time.monotonic() + FULL
        return self._budget.bank_target

    def given(self) -> None:
        """A question was handed out."""
        self._given.append(time.monotonic())

    def begin(self) -> None:
        """From now on a thread fills the queue before many people find it empty."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="supply", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def ahead(self) -> int:
        """Fill the queue now if it would not last; how many questions came."""
        now = time.monotonic()
        while self._given and self._given[0] < now - SEEN:
            self._given.popleft()
        if len(self._given) < BUSY:
            return 0
        needed = math.ceil(len(self._given) * AHEAD / SEEN)
        left = self._warehouse.queue_left() - self._warehouse.leased(self._now())
        if left >= needed:
            return 0
        with self.refilling:
            return self.refill(max(self._config.questions, min(needed, AT_ONCE)))

    def _work(self) -> None:
        while not self._closed.wait(EVERY):
            try:
                self.ahead()
            except Exception:
                # Whoever finds the queue empty fills it, and hears what is wrong.
                log.exception("The queue could not be filled ahead.")
