from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from nightschool.learners.bagofwords import KIND
from nightschool.testing import check_learner
from nightschool.testing.learners import MemoryDataset, example
from nightschool.types import LearnerError

from ..conftest import world


def test_conformance():
    lessons = [(c, a) for c, a, _ in world(40, 1)]
    check_learner(KIND, KIND.begin("", {}), lessons)


def test_an_unknown_setting_is_named():
    with pytest.raises(LearnerError, match="'stpes'; known: earlier"):
        KIND.begin("", {"stpes": 3})


def test_a_folder_without_a_learner_is_named(tmp_path):
    with pytest.raises(LearnerError, match="holds no bag-of-words learner"):
        KIND.load(tmp_path, {})


def fitted(lessons, workspace, *, seed=3, learner=None, stop=None, **settings):
    """Weights of a fit in that workspace; `stop` breaks it off after so many steps."""
    learner = learner or KIND.begin("", settings)
    data = MemoryDataset([example(c, a) for c, a, _ in lessons])

    def progress(step, steps):
        if step == stop:
            raise InterruptedError

    try:
        return learner.fit(data, seed=seed, workspace=workspace, progress=progress)
    except InterruptedError:
        return None


def test_members_are_decided_when_the_school_begins(tmp_path):
    KIND.begin("", {}).save(tmp_path)
    assert KIND.load(tmp_path, {"members": 4, "steps": 5}).settings.steps == 5
    with pytest.raises(LearnerError, match=r"members is 6, .* has 4; set `members` back to 4"):
        KIND.load(tmp_path, {"members": 6})


def test_a_fit_goes_on_from_its_own_checkpoint(tmp_path):
    lessons = world(20, 1)
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole = fitted(lessons, tmp_path / "whole")
    assert fitted(lessons, tmp_path / "broken", stop=35) is None
    steps = []
    data = MemoryDataset([example(c, a) for c, a, _ in lessons])
    resumed = KIND.begin("", {}).fit(
        data, seed=3, workspace=tmp_path / "broken", progress=lambda done, _: steps.append(done)
    )
    assert steps[0] == 31
    assert np.array_equal(resumed.weights, whole.weights)


@pytest.mark.parametrize(
    "other",
    [{"seed": 4}, {"rate": 1.0}, {"lessons": world(21, 1)}, {"learner": KIND.begin("", {})}],
    ids=["seed", "settings", "examples", "weights"],
)
def test_a_checkpoint_of_another_fit_is_not_continued(tmp_path, other):
    given = {"lessons": world(20, 1), **other}
    if "learner" in other:
        start = other["learner"]
        given["learner"] = replace(start, weights=start.weights + np.float32(0.5))
    (tmp_path / "clean").mkdir()
    (tmp_path / "used").mkdir()
    clean = fitted(workspace=tmp_path / "clean", **given)
    fitted(world(20, 1), tmp_path / "used", stop=35)
    assert np.array_equal(clean.weights, fitted(workspace=tmp_path / "used", **given).weights)


def test_a_damaged_checkpoint_is_not_continued(tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"torn")
    assert fitted(world(20, 1), tmp_path) is not None


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    seen = []
    fsync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (seen.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (seen.append("rename"), rename(a, b)))
    fitted(world(20, 1), tmp_path, steps=10)
    assert seen == ["fsync", "rename"]
