"""Processes that never outlive the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection


@contextmanager
def leashed(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes for a pool of work; they end at once when this one ends, however it does.

    They hold the reading end of a pipe whose other end is here: where it closes, by leaving this
    block with an error, by Ctrl-C or because this process was killed, they exit.
    """
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        processes, mp_context=context, initializer=live_with, initargs=(theirs,)
    )
    try:
        yield pool
        pool.shutdown()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        ours.close()
        theirs.close()


def live_with(parent: Connection) -> None:
    """End this process when the other end of the pipe closes; Ctrl-C is the parent's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        parent.poll(None)  # nothing is ever sent: it returns when the other end is gone
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
