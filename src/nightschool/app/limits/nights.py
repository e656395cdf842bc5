"""The learning curve of a school, from its log alone: no model is loaded."""

from __future__ import annotations

from nightschool.app.school import School
from nightschool.limits import Point, curve
from nightschool.types import Version

ANSWERS = "answers"
"""The role of the segments that hold examples made from answers."""


def learned(school: School, version: Version) -> int:
    """How many examples a version's manifest holds: the answers it has learned from."""
    manifest = school.warehouse.manifest(version.manifest)
    rows = sum(segment.rows for segment in manifest.segments if segment.role == ANSWERS)
    return rows - len(manifest.excluded)


def learning_curve(school: School) -> tuple[Point, ...]:
    """Each night's trainee on that night's exam, by the answers it had learned from."""
    versions = {version.id: version for version in school.warehouse.versions()}
    return curve(
        Point(learned(school, versions[v.challenger]), v.after, v.items)
        for v in school.warehouse.verdicts()
        if v.challenger in versions
    )


def pace(points: tuple[Point, ...], nights: int = 5) -> float:
    """Answers learned from in a night: the mean of the last few; 0 before the second point."""
    last = points[-nights - 1 :]
    return (last[-1].answers - last[0].answers) / (len(last) - 1) if len(last) > 1 else 0.0
