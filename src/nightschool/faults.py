"""Named fault points: where a test may kill the process, to prove that nothing is lost.

`NIGHTSCHOOL_FAULT=name` kills this process (SIGKILL) when it reaches that point for the first
time, `name:3` at the third. Without the variable a point costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal

_reached: dict[str, int] = {}


def reach(name: str) -> None:
    """Declare a fault point; dies here if a test asked for it."""
    wanted = os.environ.get("NIGHTSCHOOL_FAULT")
    if wanted is None:
        return
    _reached[name] = _reached.get(name, 0) + 1
    trace = os.environ.get("NIGHTSCHOOL_FAULT_TRACE")
    if trace:
        with open(trace, "a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    target, _, count = wanted.partition(":")
    if target == name and _reached[name] == int(count or "1"):
        os.kill(os.getpid(), signal.SIGKILL)
