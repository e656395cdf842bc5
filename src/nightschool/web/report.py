"""The status of a school as rows, numbers in words, and the points of a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REPLIES = {
    "answer": "answered",
    "skip": "skipped",
    "cant_tell": "can't tell",
    "bad_question": "bad question",
}
DECISIONS = {"promote": "promoted", "keep": "kept", "roll_back": "rolled back"}
LATEST = 10

WIDTH, HEIGHT, EDGE = 640, 180, 8


def percent(value: float | None) -> str:
    """A mark in [0, 1] as a percentage; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.1f} %"


def duration(seconds: float | None) -> str:
    """Seconds in the two largest units: "0.4 s", "3 min 20 s", "2 h 5 min"."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


@dataclass(frozen=True)
class Curve:
    """One line of a chart: its name, and the points of an SVG polyline."""

    name: str
    points: str
    dots: Sequence[tuple[float, float, str]]


def curves(verdicts: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """Champion and trainee as each night's exam found them, over the nights, from 0 to 100 %.

    One night alone is a dot; without an examined night there is no curve.
    """
    sat = [v for v in verdicts if v["before"] is not None and v["after"] is not None]
    if not sat:
        return []
    first, last = sat[0]["night"], sat[-1]["night"]
    made = []
    for name, key in (("champion", "before"), ("trainee", "after")):
        dots = []
        for verdict in sat:
            along = (verdict["night"] - first) / (last - first) if last > first else 0.5
            x = EDGE + along * (WIDTH - 2 * EDGE)
            y = HEIGHT - EDGE - verdict[key] * (HEIGHT - 2 * EDGE)
            told = f"night {verdict['night']}: {name} {percent(verdict[key])}"
            dots.append((round(x, 1), round(y, 1), told))
        made.append(Curve(name, " ".join(f"{x},{y}" for x, y, _ in dots), dots))
    return made


def view(status: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the status page shows, ready to print."""
    verdicts = status.get("verdicts") or []
    ledger = sorted((status.get("seconds") or {}).items(), key=lambda item: -item[1])
    longest = ledger[0][1] if ledger else 0.0
    return {
        "answers": status.get("answers", 0),
        "replies": [
            (REPLIES.get(kind, kind), n) for kind, n in (status.get("replies") or {}).items() if n
        ],
        "per_answer": duration(status.get("seconds_per_answer")),
        "queue": status.get("queue", 0),
        "pool": sorted((status.get("pool") or {}).items()),
        "bank": status.get("bank", 0),
        "exam_file": status.get("exam_file", 0),
        "skipped_exam": status.get("skipped_exam", 0),
        "written": _written(status.get("written") or {}),
        "champion": status.get("champion", ""),
        "trainee": status.get("trainee", ""),
        "original": status.get("original", ""),
        "verdicts": [_row(v) for v in reversed(verdicts[-LATEST:])],
        "nights": len(verdicts),
        "curves": curves(verdicts),
        "box": (WIDTH, HEIGHT),
        "ledger": [
            (name, duration(s), round(100 * s / longest, 1) if longest else 0) for name, s in ledger
        ],
        "warnings": status.get("warnings") or [],
    }


def _written(report: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What became of the questions that the model wrote itself; None where there are none."""
    if not report.get("written"):
        return None
    own, pool = report["taught"], report["taught_by_pool"]
    taught = ""
    if own[0] is not None:
        taught = f"learned from {percent(own[0])} to {percent(own[1])}"
        if pool[0] is not None:
            taught += f" (the pool’s: {percent(pool[0])} to {percent(pool[1])})"
    return {**report, "taught": taught}


def _row(verdict: Mapping[str, Any]) -> dict[str, Any]:
    decision = str(verdict["decision"])
    return {
        "night": verdict["night"],
        "decision": DECISIONS.get(decision, decision),
        "kind": decision,
        "champion": verdict["champion"],
        "challenger": verdict["challenger"],
        "before": percent(verdict["before"]),
        "after": percent(verdict["after"]),
        "sat": verdict["items"],
        "reason": verdict["reason"],
    }
