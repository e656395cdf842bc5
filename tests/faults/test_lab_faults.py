"""Killed in a trial, in an upload and in a night of control or drawing: nothing acknowledged is
lost, nothing half-written remains."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import numpy as np
import pytest

from nightschool.app import School
from nightschool.loop import teach
from nightschool.types import (
    Answer,
    Context,
    Partition,
    Reply,
    caption_document,
    caption_of,
    drawing_document,
    encode_picture,
)
from tests.postgres import copy_school

from ..conftest import make_school
from ..stranger.lab import PACKAGE, install, make_spring_school
from .kills import NOW, SPAWN, fault_points, kill_and_resume, outcome


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A school of the spring with a night behind it and a day of trials; and its next night."""
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        install(patch, folder)
        # The children of the fork server have a path of their own.
        patch.setenv(
            "PYTHONPATH", os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")])
        )
        make_spring_school(folder / "spring")
        with School.open(folder / "spring", clock=lambda: NOW - 86_400) as school:
            school.night()
            assert teach(school, school.oracle, 2) == 2
        yield folder / "spring"


def in_child(work, *args: object) -> int:
    """Run something in a child; its exit code (-9: killed)."""
    child = SPAWN.Process(target=work, args=args)
    child.start()
    child.join(120)
    assert child.exitcode is not None, "it hangs"
    return child.exitcode


def _teach(folder: Path, fault: str, n: int) -> None:
    os.environ["NIGHTSCHOOL_FAULT"] = fault
    with School.open(folder, clock=lambda: NOW) as school:
        teach(school, school.oracle, n)


@pytest.mark.parametrize("fault", ["trial.begin", "trial.step:1", "trial.step:7", "trial.step:20"])
def test_a_trial_killed_half_way_is_asked_again(lab, tmp_path, fault):
    copy_school(lab, tmp_path / "s")
    with School.open(tmp_path / "s") as school:
        before = {a.id for a in school.warehouse.answers()}
        waiting = [q.context.id for q in school.warehouse.queue()]
    assert in_child(_teach, tmp_path / "s", fault, 4) == -9
    with School.open(tmp_path / "s", clock=lambda: NOW + 3600) as school:
        kept = school.warehouse.answers()
        assert before <= {a.id for a in kept}
        done = [school.question(a.question_id).context.id for a in kept if a.id not in before]
        assert done == waiting[: len(done)], "a trial was kept out of turn, or twice"
        left = [q.context.id for q in school.warehouse.queue()]
        assert left == waiting[len(done) :], "a trial that was not kept is not asked again"
        assert teach(school, school.oracle, len(left)) == len(left)
        assert school.warehouse.queue_left() == 0
        assert school.warehouse.verify() == []


def test_a_night_of_control_killed_at_any_point_ends_as_an_unbroken_one(lab, tmp_path):
    points = fault_points(lab, tmp_path / "whole")
    unbroken = outcome(tmp_path / "whole")
    assert "fit.step" in points
    # Steps shared with a night of words are killed one by one in test_faults.
    chosen = ["fit.step:60", "weights.written", "keep.inside", "post.inside"]
    for number, point in enumerate(chosen):
        resumed = kill_and_resume(lab, tmp_path / f"{number}", [point])
        assert resumed == unbroken, point


PICTURE = encode_picture(np.arange(64, dtype=np.uint8).reshape(8, 8))


def drawing_school(folder: Path) -> None:
    """A school whose questions are captions, with a learner that is never asked."""
    make_school(folder)
    with School.open(folder) as school:
        school.warehouse.set_meta("kind", "caption")
        captions = [Context(caption_document("a dot", n)) for n in range(6)]
        for question in school.warehouse.queue():
            school.keep(Answer(str(uuid.uuid4()), question.id, "x", Reply.SKIP, None, 0.0, NOW))
        school.warehouse.add_contexts(captions, lambda _: Partition.TRAINING)
        from nightschool.types import Pick

        picks = [Pick(c, Partition.TRAINING, "random", 0.0) for c in captions]
        school.warehouse.post(picks, school.champion(), now=NOW)


def _draw(folder: Path, fault: str) -> None:
    os.environ["NIGHTSCHOOL_FAULT"] = fault
    with School.open(folder, clock=lambda: NOW) as school:
        for number, question in enumerate(school.warehouse.queue()):
            strokes = f"[{number}]".encode()
            drawing = drawing_document(caption_of(question.context.document), PICTURE, strokes)
            name = str(uuid.uuid5(uuid.NAMESPACE_OID, question.id))
            school.keep(Answer(name, question.id, "anna", Reply.ANSWER, drawing, 1.0, NOW))
            with open(folder.parent / "acknowledged", "a") as file:
                file.write(name + "\n")


@pytest.mark.parametrize("fault", ["file.writing", "file.writing:4", "blob.written:3"])
def test_an_upload_killed_half_way_is_whole_or_not_there(tmp_path, fault):
    folder = tmp_path / "s"
    drawing_school(folder)
    assert in_child(_draw, folder, fault) == -9
    told = tmp_path / "acknowledged"
    acknowledged = told.read_text().split() if told.exists() else []
    with School.open(folder) as school:
        kept = [a for a in school.warehouse.answers() if a.reply is Reply.ANSWER]
        assert set(acknowledged) <= {a.id for a in kept}
        for answer in kept:
            assert answer.document.parts["picture"] == PICTURE
        assert school.warehouse.verify() == []
    # The client sends again what nobody acknowledged; everything is kept once.
    assert in_child(_draw, folder, "nowhere") == 0
    with School.open(folder) as school:
        kept = [a for a in school.warehouse.answers() if a.reply is Reply.ANSWER]
        assert len(kept) == 6
        school.warehouse.collect_garbage(young=-10)
        names = {n for a in kept for n in a.document.blobs.values()}
        names.add(school.warehouse.meta("blob:exam_file"))
        left = {p.name for p in (folder / "blobs").iterdir()}
        assert left == names, "half a file was left, or a picture is gone"
