"""A school that draws, from init to its mornings, with a simulated artist."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.app.plans import DrawingPlan
from nightschool.app.plans import drawing as drawing_plan
from nightschool.app.simulation import Clock, mornings
from nightschool.app.tasks import DrawingTask
from nightschool.app.tasks import drawing as drawing_task
from nightschool.loop import teach
from nightschool.starter import artist
from nightschool.testing import check_exam, check_oracle
from nightschool.types import ExamError, Partition, PoolError, caption_of, encode_picture

QUICK = {"steps": 12, "passes": 1, "original": 64, "euler": 4, "directions": 2}
SOME = ("a seven", "a big seven", "two threes", "a turned one", "a five at the top left", "a six")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few captions and few drawings of each."""
    monkeypatch.setattr(drawing_task, "REFERENCES", 9)
    monkeypatch.setattr(drawing_task, "HELD_OUT", 2)
    monkeypatch.setattr(drawing_task, "ORIGINALS", 3)
    monkeypatch.setattr(artist, "captions", lambda: SOME)
    monkeypatch.setattr(artist, "apart", lambda: ("a big two",))


@pytest.fixture
def school(tmp_path):
    settings = {"learner_settings": QUICK, "seed": 3, "questions": 4, "oracle": "artist"}
    init_school(tmp_path / "s", DrawingTask(sheets=3), settings=settings)
    with School.open(tmp_path / "s") as school:
        yield school


def test_init_brings_captions_original_drawings_and_an_exam(school):
    assert school.kind == "caption"
    pool = school.warehouse.contexts(Partition.TRAINING)
    assert Counter(caption_of(c.document) for c in pool) == dict.fromkeys(SOME, 3)
    items = school.examiner.bank()
    assert Counter(i.source for i in items) == {"reference": 9 * len(SOME), "file": 2 * len(SOME)}
    assert {i.group for i in items} == {"known", "unknown"}
    assert school.status().bank == 2 * len(SOME), "references are no items"
    [original] = school.warehouse.manifests()
    [one, *_] = school.warehouse.dataset(original).original(9, 1)
    assert one.parts["picture"]


def test_a_night_asks_captions_an_artist_draws_and_it_learns(school):
    school.night()
    queue = school.warehouse.queue()
    asked = Counter(caption_of(q.context.document) for q in queue)
    unknown = set(SOME) - set(artist.known())
    assert asked == dict.fromkeys(unknown, 4 // len(unknown)), "what was never drawn, evenly"
    check_oracle(school.oracle, queue)
    assert teach(school, school.oracle, 4) == 4
    verdict = school.night()
    newest = school.warehouse.trainee()
    assert verdict.challenger == newest.id == "v1"
    lessons = school.warehouse.dataset(school.warehouse.manifest(newest.manifest)).new
    assert Counter(caption_of(e.target) for e in lessons) == asked
    assert (
        len({q.context.id for q in school.warehouse.queue()} & {q.context.id for q in queue}) == 0
    )
    assert school.warehouse.verify() == []


def test_its_exam_conforms(school):
    school.night()
    teach(school, school.oracle, 2)
    from dataclasses import replace

    answered = [
        replace(a, question=replace(a.question, partition=Partition.EXAM))
        for a in school.warehouse.answered(Partition.TRAINING)
    ]
    learner = school.learner(school.champion())
    check_exam(school.exam, learner, school.examiner.bank(), answered)


def test_captions_of_ones_own_may_each_be_drawn_several_times(tmp_path):
    (tmp_path / "captions.txt").write_text("a cat\na dog\n")
    task = DrawingTask(tmp_path / "captions.txt", sheets=5)
    init_school(tmp_path / "own", task, settings={"learner_settings": QUICK})
    with School.open(tmp_path / "own") as school:
        pool = [c for side in Partition for c in school.warehouse.contexts(side)]
        assert Counter(caption_of(c.document) for c in pool) == {"a cat": 5, "a dog": 5}


def test_original_drawings_are_read_and_a_broken_line_is_named(tmp_path):
    (tmp_path / "cat.png").write_bytes(encode_picture(np.zeros((9, 9), np.uint8)))
    file = tmp_path / "drawings.jsonl"
    file.write_text(json.dumps({"caption": "a cat", "picture": "cat.png"}) + "\n\n")
    [drawing] = drawing_task.read_drawings(file)
    assert caption_of(drawing) == "a cat"
    for line in ('{"caption": "a cat", "picture": "dog.png"}', "{", '{"picture": "cat.png"}'):
        file.write_text("\n" + line + "\n")
        with pytest.raises(PoolError, match=r"drawings\.jsonl, line 2"):
            list(drawing_task.read_drawings(file))
    with pytest.raises(PoolError, match="no such file"):
        list(drawing_task.read_drawings(tmp_path / "none.jsonl"))


def test_a_folder_brings_its_own_drawings_or_says_that_there_are_none(tmp_path):
    task = DrawingTask(model=str(tmp_path))
    assert task.settings["learner"] == "diffusion"
    assert task.source() == str(tmp_path)
    assert list(task.contexts(1)) == list(task.exam(1)) == []
    documents, note = task.original(None, 1)  # type: ignore[arg-type]
    assert list(documents) == []
    assert note.startswith("none")


def test_mornings_of_a_simulated_school(tmp_path, monkeypatch):
    begin = drawing_plan.init_school

    def quick(folder, task, *, settings, **options):
        begin(folder, task, settings={**settings, "learner_settings": QUICK}, **options)

    monkeypatch.setattr(drawing_plan, "init_school", quick)
    plan = DrawingPlan("random", 2, nights=1, answers=5, sheets=2, hidden=2)
    measure = plan.build(tmp_path / "s")
    measure = drawing_plan.HiddenDrawings(2, 2, references=9)
    clock = Clock(1e9)
    with School.open(tmp_path / "s", clock=clock) as school:
        first, last = mornings(school, clock, plan, measure)
    assert (first.answers, last.answers) == (0, 5)
    for name in ("recognised", "loss", "denoising loss", "judge_cnn", "taught", "nearest"):
        for group in ("known", "unknown", "apart"):
            assert f"{group} {name}" in last.trainee
    assert last.trainee["all"] == last.trainee["unknown recognised"]
    assert last.trainee["unknown denoising loss"] != first.trainee["unknown denoising loss"]
    assert "unknown nearest lesson" not in first.trainee


def test_captions_of_ones_own_are_examined_by_what_people_draw(tmp_path):
    (tmp_path / "captions.txt").write_text("\n".join(f"a thing {i}" for i in range(40)))
    task = DrawingTask(tmp_path / "captions.txt", sheets=1)
    init_school(tmp_path / "own", task, settings={"learner_settings": QUICK, "seed": 5})
    with School.open(tmp_path / "own") as school:
        assert school.examiner.marked() == []
        exam = school.warehouse.contexts(Partition.EXAM)
        assert 2 <= len(exam) <= 16, "about a fifth of the sheets are kept for the exam"
        school.night()
        assert Partition.EXAM in {q.partition for q in school.warehouse.queue()}


def test_an_owner_brings_drawings_to_the_exam(school, tmp_path):
    before = len(school.examiner.marked())
    (tmp_path / "cat.png").write_bytes(encode_picture(np.zeros((9, 9), np.uint8)))
    (tmp_path / "held.jsonl").write_text('{"caption": "a cat", "picture": "cat.png"}\n')
    assert school.examiner.add(tmp_path / "held.jsonl") == 1
    assert len(school.examiner.marked()) == before + 1
    [mark] = [m for m in school.exam_now()[0].marks if m.group == "a cat" and m.gates]
    assert mark.name == "loss"
    (tmp_path / "words.jsonl").write_text('{"context": "2 + 2 =", "answer": "4"}\n')
    with pytest.raises(ExamError, match=r"words\.jsonl, line 1"):
        school.examiner.add(tmp_path / "words.jsonl")
