"""Served texts become questions: what the model was asked to go on with joins the pool.

Off unless the setting `served_to_pool` is on, for such texts may hold what nobody should be asked.
A served text is a context like any other: it has one id however often it is sent, and its keyed
hash says for ever whether it may be learned from or belongs to the exam.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from typing import Protocol

from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from limits import parse
from nightschool.types import Context, is_storable

log = logging.getLogger(__name__)

SOURCE = "log"
MOST = parse("60/minute")
MOST_WAITING = 256


class Pool(Protocol):
    """Where contexts go: a school."""

    def unfit(self, text: str) -> str | None:
        """Why a served text cannot be asked; None where it can."""

    def take(self, contexts: Sequence[Context]) -> int:
        """Put them into the pool; how many were new."""


class ServedTexts:
    """A bounded queue of served texts and the thread that puts them into the pool.

    `offer` never waits: what comes too fast, or is too much, is let go and counted.
    """

    def __init__(self, pool: Pool, longest: int) -> None:
        self._pool = pool
        self._longest = longest
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._rate = FixedWindowRateLimiter(MemoryStorage())
        self.taken = self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="served", daemon=True)
        self._thread.start()

    def offer(self, texts: Sequence[str]) -> None:
        """Texts that the model was asked to go on with; called by the server's own threads."""
        for text in texts:
            if not text.strip() or len(text) > self._longest or not is_storable(text):
                continue
            if not self._rate.hit(MOST):
                self.dropped += 1
                continue
            try:
                self._waiting.put_nowait(text)
            except queue.Full:
                self.dropped += 1

    def close(self) -> None:
        """Take in what waits, then stop."""
        self._waiting.put(None)
        self._thread.join(10)

    def _run(self) -> None:
        while (text := self._waiting.get()) is not None:
            try:
                if self._pool.unfit(text) is None:
                    self.taken += self._pool.take([Context.of(text, SOURCE)])
            except Exception:  # the next text may fare better; serving goes on in any case
                log.exception("A served text could not join the pool.")
