"""A small world that the bag-of-words learner can learn: what colour is the thing?"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.oracles import ScriptedOracle
from nightschool.types import Context

COLOURS = {"grass": "green", "snow": "white", "coal": "black", "blood": "red", "sky": "blue"}
PEOPLE = [f"person{i}" for i in range(60)]


def world(n: int, seed: int) -> list[tuple[str, str, str]]:
    """n different (context, answer, group)."""
    rng = random.Random(seed)
    pairs = [(p, t) for p in PEOPLE for t in COLOURS]
    rng.shuffle(pairs)
    return [(f"{p} looks at the {t}. It is", COLOURS[t], t) for p, t in pairs[:n]]


@pytest.fixture
def oracle() -> ScriptedOracle:
    return ScriptedOracle({Context.of(c).id: a for c, a, _ in world(300, 0)}, seconds=2.0)


def make_school(folder: Path, *, exam: bool = True, **settings: object) -> Path:
    """A school of the bag-of-words learner, with a pool and perhaps a test file."""
    rows = world(300, 0)
    file = None
    if exam:
        file = folder.parent / f"{folder.name}-exam.jsonl"
        lines = [json.dumps({"context": c, "answer": a, "group": g}) for c, a, g in rows[:60]]
        file.write_text("\n".join(lines))
    init_school(
        folder,
        exam=file,
        settings={
            "learner": "bagofwords",
            "questions": 20,
            "candidates": 1,  # re-ranking has tests of its own
            "seed": 7,
            **settings,
        },
    )
    with School.open(folder) as school:
        school.add_contexts(Context.of(c, group=g) for c, _, g in rows[60:])
    return folder


@pytest.fixture
def school_folder(tmp_path: Path) -> Path:
    return make_school(tmp_path / "school")
