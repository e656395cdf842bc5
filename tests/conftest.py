"""A small world that the bag-of-words learner can learn: what colour is the thing?"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.oracles import ScriptedOracle
from nightschool.types import Context
from tests import postgres

# What these call is traced by other tests too; before Python 3.12 tracing is a fourth of the time.
UNTRACED = (
    "app/morning/test_reading.py",
    "app/test_again.py",
    "app/test_control_school.py",
    "app/test_limits.py",
    "app/test_school.py",
    "app/test_simulation.py",
    "app/test_writing.py",
    "cli/test_demo.py",
    "cli/test_simulate.py",
    "cli/test_teach",
    "exams/test_simulation.py",
    "faults/",
    "integration/",
    "learners/language/test_language_architectures.py",
    "learners/language/test_language_marks.py",
    "learners/language/test_language_resume.py",
    "stranger/",
    "web/test_openapi.py",
    "web/test_rights.py",
    "web/test_web_browser.py",
    "web/test_web_drawing_browser.py",
    "web/test_web_five_hundred.py",
    "web/test_web_outbox.py",
)

COLOURS = {"grass": "green", "snow": "white", "coal": "black", "blood": "red", "sky": "blue"}
PEOPLE = [f"person{i}" for i in range(60)]


def pytest_configure() -> None:
    """Keep what tests write in memory where there is room: a disk's syncs are most of the wait."""
    memory = Path("/dev/shm")
    room = shutil.disk_usage(memory).free if memory.is_dir() else 0
    if "TMPDIR" not in os.environ and room > 2 << 30:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import every test's libraries without looking for garbage: it would be half of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests of UNTRACED out of the measure of coverage, not out of the run."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(UNTRACED):
            item.add_marker("no_cover")


def world(n: int, seed: int) -> list[tuple[str, str, str]]:
    """n different (context, answer, group)."""
    rng = random.Random(seed)
    pairs = [(p, t) for p in PEOPLE for t in COLOURS]
    rng.shuffle(pairs)
    return [(f"{p} looks at the {t}. It is", COLOURS[t], t) for p, t in pairs[:n]]


@pytest.fixture(scope="session", autouse=True)
def database() -> Iterator[None]:
    """Every school's log on PostgreSQL, where the environment names a server."""
    if postgres.SERVER:
        yield from postgres.on_postgres()
    else:
        yield


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
