"""A small school of control with the stranger's spring, for tests of the whole loop."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

from nightschool.app.init import init_school
from nightschool.app.tasks import ControlTask
from tests.postgres import copy_school

PACKAGE = Path(__file__).parent / "package"
FAST = {"steps": 150, "samples": 24, "horizon": 8, "members": 3, "hidden": 24, "plan_samples": 30}


def install(monkeypatch, tmp_path):
    """What pip would do: modules and their dist-info on the path; and a cache of the test's own."""
    monkeypatch.syspath_prepend(str(PACKAGE))
    monkeypatch.setenv("NIGHTSCHOOL_CACHE", str(tmp_path / "cache"))


def make_spring_school(folder: Path, **settings: object) -> Path:
    """A school of the spring: small networks, few steps. One of each kind is made, then copied."""
    table = {"questions": 4, "written": 8, "seed": 3, "learner_settings": FAST, **settings}
    copy_school(_made(folder.name, json.dumps(table, sort_keys=True)), folder)
    return folder


@cache
def _made(name: str, table: str) -> Path:
    room = Path(tempfile.mkdtemp(prefix="spring-"))
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    init_school(room / name, ControlTask("spring"), settings=json.loads(table))
    return room / name
