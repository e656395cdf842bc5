"""The log: one writer thread that commits many waiting writes at once, and short reads."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from nightschool.types import WarehouseError
from nightschool.warehouse.dialect import for_writing, make_engine
from nightschool.warehouse.migrations import migrate

T = TypeVar("T")

_TOGETHER = 256
"""At most so many writes share one commit."""


@dataclass(frozen=True)
class _Job:
    work: Callable[[Connection], Any]
    done: Future[Any]


@dataclass(frozen=True)
class _Outcome:
    value: Any = None
    error: Exception | None = None


class Log:
    """An open log. `write` returns when its work is durable; a failing one harms no other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="warehouse-writer", daemon=True)
        self._thread.start()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the log; keep it short, and do not write."""
        with self.engine.connect() as connection:
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction and return its value once that is on the disk.

        Raises what `work` raises, with nothing of it kept; WarehouseError where the database
        cannot be written.
        """
        assert threading.current_thread() is not self._thread, "a write inside a write"
        if os.getpid() != self._process:
            raise WarehouseError(
                "This warehouse was opened before a fork; open it again in the new process."
            )
        job = _Job(work, Future())
        with self._closing:
            if self._closed:
                raise WarehouseError("The warehouse is closed; open it again to write.")
            self._jobs.put(job)
        value: T = job.done.result()
        return value

    def close(self) -> None:
        """Finish what waits, then let go of the database; harmless when closed already."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        self.engine.dispose()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            waiting = [job]
            last = False
            while len(waiting) < _TOGETHER and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    last = True
                    break
                waiting.append(following)
            self._settle(waiting)
            if last:
                return

    def _settle(self, jobs: Sequence[_Job]) -> None:
        try:
            outcomes = self._commit(jobs)
        except Exception as error:
            outcomes = [_Outcome(error=_readable(error)) for _ in jobs]
        for job, outcome in zip(jobs, outcomes, strict=True):
            if outcome.error is not None:
                job.done.set_exception(outcome.error)
            else:
                job.done.set_result(outcome.value)

    def _commit(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        with self.engine.connect() as plain:
            connection = for_writing(plain)
            with connection.begin():
                return [_attempt(connection, job) for job in jobs]


def open_log(folder: Path) -> Log:
    """The log of a school, migrated; raises WarehouseError when it is too new for us."""
    log = Log(make_engine(folder))
    try:
        log.write(migrate)
    except BaseException:
        log.close()
        raise
    return log


def _attempt(connection: Connection, job: _Job) -> _Outcome:
    savepoint = connection.begin_nested()
    try:
        value = job.work(connection)
    except Exception as error:
        savepoint.rollback()
        return _Outcome(error=_readable(error))
    savepoint.commit()
    return _Outcome(value=value)


def _readable(error: Exception) -> Exception:
    if not isinstance(error, DBAPIError):
        return error
    readable = WarehouseError(
        f"The log could not be written ({error.orig}); see that its database can be reached, "
        "that the disk has space, and that no other program holds it."
    )
    readable.__cause__ = error
    return readable
