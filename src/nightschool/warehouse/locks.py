"""Operating-system locks: one night, one server; a lock ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from nightschool.types import LockedError

LOOKED = 0.02
"""Seconds after which whoever only looked whether a lock is held has let go of it again."""


class FileLock:
    """An exclusive lock on a file; the file names the holder's pid for whoever comes second."""

    def __init__(self, path: Path, what: str) -> None:
        self._what = what
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise LockedError that names the process which holds it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if not (_took(descriptor) or _took(descriptor, LOOKED) or _took(descriptor, LOOKED)):
            holder = os.read(descriptor, 64).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise LockedError(
                f"{self._what} (process {holder} holds {self._path}); "
                "wait for it to end, or stop it."
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def held(self) -> bool:
        """Whether some process holds it; asks without writing, and lets go at once."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            # The file stays: deleting it would let two processes lock two files of one name.
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


def _took(descriptor: int, after: float = 0.0) -> bool:
    time.sleep(after)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
