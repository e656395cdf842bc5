"""Nothing that a simulation started goes on when it is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from nightschool.app.leash import leashed

SCRIPT = """
import os, time
from nightschool.app.leash import leashed
if __name__ == "__main__":
    with leashed(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 60).result()
"""


def test_processes_end_when_they_are_let_go():
    with pytest.raises(KeyboardInterrupt), leashed(1) as pool:  # noqa: PT012
        child = pool.submit(os.getpid).result()
        pool.submit(time.sleep, 60)
        raise KeyboardInterrupt
    assert ends(child)


def test_processes_end_with_the_one_that_started_them(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
        parent.wait(20)
    assert ends(child)


def ends(pid):
    """Whether a process ends within 20 seconds."""
    end = time.monotonic() + 20
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


def alive(pid):
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
