"""Where requests for the model queue, so that a slow model never holds up the page."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from nightschool.types import NightschoolError
from nightschool.web.completions.job import Job, Piece
from nightschool.web.completions.writing import choices
from nightschool.web.serving import Served, Serving

AT_ONCE = 2
MOST_WAITING = 64


class Busy(NightschoolError):
    """Too many requests wait for the model."""


class Completer:
    """Where requests for completions queue: so many threads generate, so many may wait.

    The threads are its own, so a slow model never holds up the page.
    """

    def __init__(self, serving: Serving, *, at_once: int = AT_ONCE) -> None:
        self.serving = serving
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="generate")
        self._most = at_once + MOST_WAITING
        self._open = 0
        self._closed = threading.Event()

    async def complete(self, job: Job) -> AsyncIterator[Served | Piece]:
        """First who serves this request, then its pieces; raises what the model raises."""
        if self._open >= self._most:
            raise Busy(f"{self._open} requests wait for the model already; try again later.")
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Served | Piece | BaseException | None] = asyncio.Queue()
        gone = threading.Event()

        def put(thing: Served | Piece | BaseException | None) -> None:
            # The loop may be closed already when the server is going down.
            if not gone.is_set():
                loop.call_soon_threadsafe(queue.put_nowait, thing)

        def work() -> None:
            # One thread from begin to end: torch keeps its modes per thread.
            try:
                if not gone.is_set():
                    served = self.serving.get(job.model)
                    put(served)
                    for piece in choices(served, job):
                        if gone.is_set() or self._closed.is_set():
                            return
                        put(piece)
                put(None)
            except BaseException as error:
                put(error)

        self._open += 1
        try:
            self._threads.submit(work)
            while (thing := await queue.get()) is not None:
                if isinstance(thing, BaseException):
                    raise thing
                yield thing
        finally:
            gone.set()
            self._open -= 1

    def close(self) -> None:
        """Take no more work; what runs ends at its next piece."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
