"""The morning of a school in words: what the page and the report show, ready to print."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nightschool.web.texts import t

Dict = Mapping[str, Any]

NOWHERE = "–"
QUIET = frozenset({"idle", "waiting"})
"""States that fill most of a day: they have no bars, so that all bars are on one scale."""

SLIGHT = 0.01
"""States that took less than this share of the longest one are shown together."""

STRIP = 1000.0


def percent(value: float | None) -> str:
    """A mark in [0, 1] as a percentage; a dash where there is none."""
    return NOWHERE if value is None else f"{100 * value:.1f} %"


def duration(seconds: float | None) -> str:
    """Seconds in the two largest units: "0.4 s", "3 min 20 s", "2 h 5 min"."""
    if seconds is None:
        return NOWHERE
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


def signed(value: float) -> str:
    """A difference of marks in points: "+1.5", "−0.2"."""
    points = 100 * value
    digits = 1 if abs(points) >= 0.95 or points == 0 else 2
    return f"{points:+.{digits}f}".replace("-", "−")


def view(morning: Dict) -> dict[str, Any]:
    """Everything that the page shows, from `Morning.as_dict()`."""
    nights: Sequence[Dict] = morning["nights"]
    last = nights[-1] if nights else None
    status = morning["status"]
    return {
        "headline": headline(last, status),
        "reason": because(last, status),
        "state": [*state(status), *went(morning["uses"])],
        "warnings": [*(status.get("warnings") or []), *cut(morning["day"])],
        "tiles": tiles(morning),
        "sat": [n for n in nights if n["after"] is not None],
        "rows": [row(n) for n in reversed(nights)],
        "ledger": ledger(morning["day"]["parts"]) if morning["day"]["runs"] else [],
        "growth": faster(morning["growth"]) if morning["growth"] else None,
        "original": t("morning.original", note=status["original"])
        if status.get("original")
        else "",
        "commands": morning["commands"],
        "data": {key: morning[key] for key in ("nights", "growth", "target")},
    }


def cut(day: Dict) -> list[str]:
    """A sentence where processes were killed within the day."""
    return [t("morning.cut", n=day["cut"])] if day.get("cut") else []


def parted(reason: str) -> tuple[str, str]:
    """A verdict's sentence in two: who serves, and why ("v0 still serves", "No exam yet.")."""
    outcome, colon, why = reason.partition(": ")
    if not colon:
        return "", reason
    return outcome, why if re.match(r"v\d", why) else why[:1].upper() + why[1:]


def by_hand(reign: Dict | None) -> str:
    """Who let a version serve, when and why, in a sentence; empty where nobody did by hand."""
    if reign is None:
        return ""
    told = {"by": reign["by"], "at": moment(reign["at"]), "reason": reign["reason"].rstrip(".")}
    return t("versions.decided", **told)


def overruled(last: Dict, status: Dict) -> bool:
    """Whether another version serves than the newest night said, by a person's decision."""
    return bool(status.get("by_hand")) and status["champion"] != last.get("serves")


def because(last: Dict | None, status: Dict) -> str:
    """Why who serves does: the newest verdict, after a person's word where that overrules it."""
    if last is None:
        return t("morning.no_night_more")
    if overruled(last, status):
        said = t("morning.night_said", night=last["night"], reason=last["reason"])
        return f"{by_hand(status['by_hand'])} {said}"
    return parted(last["reason"])[1]


def headline(last: Dict | None, status: Dict) -> str:
    """Who serves, in one line: by the newest night, or by hand since."""
    if last is None:
        return t("morning.no_night")
    if overruled(last, status):
        return t("morning.headline_hand", champion=status["champion"])
    outcome = parted(last["reason"])[0]
    key = "headline" if outcome else "headline_bare"
    return t(f"morning.{key}", night=last["night"], outcome=outcome)


def state(status: Dict) -> list[str]:
    """What there is, in a few short facts."""
    champion, trainee = status["champion"], status["trainee"]
    facts = [t("morning.same", champion=champion)]
    if champion != trainee:
        served = t("morning.serves", champion=champion)
        facts = [served, t("morning.learns", trainee=trainee)]
    facts.append(t("morning.queue", n=f"{status['queue']:,}"))
    facts.append(t("morning.bank", n=f"{status['bank']:,}", file=f"{status['exam_file']:,}"))
    if status.get("skipped_exam"):
        facts.append(t("morning.skipped", n=f"{status['skipped_exam']:,}"))
    facts.append(t("morning.pool", **{k: f"{v:,}" for k, v in status["pool"].items()}))
    written = status.get("written") or {}
    if written.get("written"):
        counts = {k: f"{written[k]:,}" for k in ("written", "asked", "answerable")}
        facts.append(t("morning.written", **counts))
    return facts


def went(uses: Dict) -> list[str]:
    """Where the answers went, as numbers that add up, in one line; nothing without any."""
    if not uses["answers"]:
        return []
    counts = {name: f"{n:,}" for name, n in uses.items()}
    parts = ("learned", "exam", "gold", "silent", "waiting", "unused")
    told = [t(f"morning.went_{name}", **counts) for name in parts if uses[name]]
    back = t("morning.went_back", **counts) if uses["back"] else ""
    return [t("morning.went", n=counts["answers"], parts=", ".join(told)) + back]


def tiles(morning: Dict) -> list[dict[str, Any]]:
    """The six numbers on top, each with its lines, and the part that its command prints."""
    made = (
        ("answers", "status", _answers(morning["status"])),
        ("effort", "effort", _effort(morning["effort"])),
        ("gain", "effort", _gain(morning["effort"])),
        ("lead", "lead", _lead(morning["lead"])),
        ("bits", "bits", _bits(morning["bits"])),
        ("target", "target", _target(morning["target"])),
    )
    wanted = f"{100 * morning['target']['target']:g} %"
    return [
        {"key": key, "part": part, "name": t(f"morning.{key}", target=wanted), "value": value}
        | {"lines": [line for line in lines if line]}
        for key, part, (value, lines) in made
    ]


Tile = tuple[str, Sequence[str]]


def _answers(status: Dict) -> Tile:
    replies = {name: n for name, n in (status.get("replies") or {}).items() if n}
    told = [t(f"morning.reply_{name}", n=f"{n:,}") for name, n in replies.items()]
    return f"{status['answers']:,}", [", ".join(told) or t("morning.answers_none")]


def _effort(effort: Dict) -> Tile:
    each = effort["seconds"] / effort["given"] if effort["given"] else None
    back = effort["given"] - effort["answers"]
    lines = [t("morning.effort_each", each=duration(each))]
    if back:
        lines.append(t("morning.effort_back", n=f"{back:,}"))
    return duration(effort["seconds"]), lines


def _gain(effort: Dict) -> Tile:
    gain, lately = effort["gain"], effort["lately"]
    if gain is None and effort["examined"] is not None:
        told = {"least": duration(effort["enough"]), "given": duration(effort["examined"])}
        return NOWHERE, [t("morning.gain_few", **told)]
    if gain is None:
        return NOWHERE, [t("morning.gain_none")]
    ends = {"low": signed(gain["low"]), "high": signed(gain["high"])}
    lines = [t("morning.gain_range", **ends)]
    if lately is not None:
        lines.append(t("morning.gain_lately", value=signed(lately["value"])))
    return t("morning.points", value=signed(gain["value"])), lines


def _lead(lead: Dict | None) -> Tile:
    if lead is None:
        return NOWHERE, [t("morning.lead_none")]
    ends = {"low": signed(lead["low"]), "high": signed(lead["high"])}
    value = t("morning.points", value=signed(lead["chosen"] - lead["random"]))
    return value, [t("morning.lead_range", answers=lead["answers"], **ends)]


def _bits(bits: Dict) -> Tile:
    told = bits["told"]
    lines = []
    if told is not None:
        lines.append(t("morning.bits_range", low=f"{told['low']:.2f}", high=f"{told['high']:.2f}"))
    if bits["most"] is not None:
        lines.append(t("morning.bits_most", most=f"{bits['most']:.2f}"))
    elif told is not None:
        lines.append(t("morning.bits_open"))
    elif "probabilities" in bits["why"]:
        lines.append(t("morning.bits_unmarked"))
    if told is None and not lines:
        lines.append(t("morning.bits_none"))
    return (f"{told['value']:.2f}" if told is not None else NOWHERE), lines


def _target(target: Dict) -> Tile:
    nights = target["nights"]
    if nights is None:
        reached = target["why"].startswith("Reached")
        key = "target_soon" if reached else "target_unknown"
        return (t("morning.target_soon"), []) if reached else (NOWHERE, [t(f"morning.{key}")])
    low = _whole(nights["low"])
    if nights["middle"] is None:
        if nights["low"] is None:
            return t("morning.target_never"), []
        return t("morning.target_perhaps"), [t("morning.target_open", low=low)]
    middle = _whole(nights["middle"])
    value = t("morning.target_in_one") if middle == "1" else t("morning.target_in", nights=middle)
    ends = t("morning.target_open", low=low)
    if nights["high"] is not None:
        ends = t("morning.target_range", low=low, high=_whole(nights["high"]))
    when = moment(target["at"]["middle"])
    return value, [ends, t("morning.target_when", at=when) if when else ""]


def _whole(nights: float | None) -> str:
    if nights is None:
        return NOWHERE
    return f"{max(round(nights + 0.5), 1):,}" if nights > 0 else "0"


def moment(at: float | None) -> str:
    """A day in the local time zone; empty where there is none, or it is too far to name."""
    try:
        return f"{datetime.fromtimestamp(at):%-d %B %Y}" if at is not None else ""
    except (OverflowError, ValueError, OSError):
        return ""


def row(night: Dict) -> dict[str, Any]:
    """One verdict of the table."""
    v = {key: night[key] for key in ("night", "champion", "challenger", "items")}
    v["reason"] = parted(night["reason"])[1]
    v["kind"] = str(night["decision"])
    v["decision"] = t(f"morning.{v['kind']}")
    v["answers"] = f"{night['answers']:,}"
    for key in ("before", "after"):
        mark = night[key]
        v[key] = percent(mark["value"] if mark else None)
        v[f"{key}_range"] = f"{100 * mark['low']:.0f}–{100 * mark['high']:.0f}" if mark else ""
    return v


def ledger(parts: Mapping[str, float]) -> list[dict[str, Any]]:
    """Where the day went, longest first, what is quiet last; x and width on the strip of a day.

    `bar` is in percent of the longest step, None for what is quiet.
    """
    total = sum(parts.values()) or 1.0
    longest = max((s for name, s in parts.items() if name not in QUIET), default=0.0)
    shown: dict[str, float] = {}
    for state, seconds in parts.items():
        slight = state not in QUIET and seconds < SLIGHT * longest
        name = "other" if slight else state
        shown[name] = shown.get(name, 0.0) + seconds
    ordered = sorted(shown.items(), key=lambda item: (item[0] in QUIET, -item[1]))
    rows, x = [], 0.0
    for name, seconds in ordered:
        width = STRIP * seconds / total
        bar = None if name in QUIET else round(100.0 * seconds / longest, 1) if longest else 0.0
        rows.append(
            {
                "state": name,
                "name": t(f"morning.{name}"),
                "told": duration(seconds),
                "x": round(x, 3),
                "width": round(width, 3),
                "bar": bar,
            }
        )
        x += width
    return rows


def faster(growth: Dict) -> dict[str, Any]:
    """The loop now, twice as fast, and at its limit, with the people's share of each."""
    people = growth["people"]

    def step(name: str, seconds: float) -> dict[str, str]:
        share = percent(people / seconds if seconds else 0.0)
        told = t("morning.growth_share", share=share)
        return {"name": t(f"morning.growth_{name}"), "value": duration(seconds), "share": told}

    ends = {"now": duration(growth["loop"]), "later": duration(growth["years"][-1]["seconds"])}
    spent = {"people": duration(people), "compute": duration(growth["compute"])}
    return {
        "why": t("morning.growth_why", **spent),
        "label": t("morning.growth_label", people=duration(people), **ends),
        "steps": [
            step("now", growth["loop"]),
            step("twice", growth["twice"]),
            step("limit", growth["limit"]),
        ],
    }
