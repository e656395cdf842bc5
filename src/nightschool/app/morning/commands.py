"""The commands that compute each number of the morning again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

REPORT = "nightschool report --only"


def of(target: float) -> Mapping[str, Sequence[str]]:
    """For each part of the morning: first what prints it, then what measures it anew."""
    return {
        "status": ["nightschool status --json"],
        "nights": [f"{REPORT} nights", "nightschool exam"],
        "effort": [f"{REPORT} effort"],
        "lead": [f"{REPORT} lead", "nightschool limits --twin"],
        "bits": [f"{REPORT} bits", "nightschool limits --hypotheses N"],
        "day": [f"{REPORT} day"],
        "growth": [f"{REPORT} growth"],
        "target": [f"{REPORT} target", f"nightschool limits --target {target:g}"],
    }
