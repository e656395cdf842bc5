"""The demo, with the real starter on a small scale, and the command that builds the starter."""

from __future__ import annotations

import functools

import pytest
import torch
from click.testing import CliRunner

from nightschool.app import School
from nightschool.app.plans import WordsPlan
from nightschool.cli import demo, main
from nightschool.cli.shows import words as words_show
from nightschool.starter import stories
from nightschool.types import Context, Partition

QUICK = {
    "steps": 4,
    "passes": 1,
    "member_steps": 4,
    "original": 60,
    "rehearsal_pairs": 2,
    "max_context": 128,
    "threads": 1,
}


@pytest.fixture
def small(monkeypatch):
    """A demo of a small pool and exam, whose nights, and the twin's, take few steps."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    for name in demo.THREADS:
        monkeypatch.setenv(name, "1")
    size = {"pool": 60, "sample": 30, "exam_file": 20, "hidden": 24}
    quick = {"settings": {"learner_settings": QUICK}}  # goes with the plan to the twin's process
    monkeypatch.setattr(words_show, "WordsPlan", functools.partial(WordsPlan, **size, **quick))
    yield
    torch.set_num_threads(before)


def run_demo(folder, *more):
    args = ["demo", "--folder", str(folder), "--nights", "1", "--answers", "6", *more]
    result = CliRunner().invoke(main, args, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.strip().splitlines()


def check_picture(path):
    from matplotlib import image

    pixels = image.imread(path, format="png")
    assert pixels.shape[0] > 100
    assert pixels.min() < pixels.max()


def everything_taught(school):
    """Ids of all contexts that the school may ask or has asked, and every text it replays."""
    contexts = [c for side in Partition for c in school.warehouse.contexts(side)]
    asked = [a.question.context for side in Partition for a in school.warehouse.answered(side)]
    examined = [
        Context(item.context) for item in (*school.examiner.bank(), *school.examiner.file())
    ]
    documents, learned = [], []
    for manifest in school.warehouse.manifests():
        dataset = school.warehouse.dataset(manifest)
        documents += dataset.original(1_000_000, 0)
        learned += [Context(e.context) for e in dataset.new]
    assert asked
    assert learned
    return {c.id for c in (*contexts, *asked, *examined, *learned)}, documents


def test_a_demo_without_its_twin(small, tmp_path):
    folder = tmp_path / "demo"
    lines = run_demo(folder, "--no-twin")
    asked = [i for i, line in enumerate(lines) if line.startswith(f'"{stories.SEED_CONTEXT}" ... ')]
    nights = [i for i, line in enumerate(lines) if line.startswith("Night ")]
    assert len(asked) == len(nights) == 2
    assert asked[0] < nights[0] < nights[1] < asked[1], "the seed question before and after"
    for at in asked:
        assert lines[at].endswith(("(right)", "(wrong)"))
        assert lines[at + 1].startswith("Fresh variants of it: ")
        assert lines[at + 1].endswith(" of 50 right.")
    assert "Answers so far: 6" in lines[nights[1]]
    assert "a hidden exam of 24 items is used by no gate" in " ".join(lines)
    assert any(line.startswith("Hidden exam: ") for line in lines)
    assert not any("The twin" in line or "the twin" in line for line in lines)
    assert lines[-1] == f"Teach it in person: nightschool --school {folder / 'school'} serve"
    check_picture(folder / "learning-curve.png")
    with School.open(folder / "school") as school:
        assert len(school.warehouse.answers()) == 6
        ids, documents = everything_taught(school)
    assert Context.of(stories.SEED_CONTEXT).id not in ids
    assert len(documents) > 1000
    assert not any(stories.SEED_CONTEXT in d.body for d in documents)


def test_a_demo_with_its_twin_and_again_in_the_same_folder(small, tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "demo.json").write_text("{}")
    (folder / "old").write_text("left by the demo before")
    lines = run_demo(folder)
    assert not (folder / "old").exists()
    text = "\n".join(lines)
    assert "Waiting for the twin" in text
    assert "The twin with random questions: " in text
    assert "The school with chosen questions: " in text
    assert len((folder / "twin.jsonl").read_text().splitlines()) == 2
    check_picture(folder / "learning-curve.png")
    with School.open(folder / "twin") as twin, School.open(folder / "school") as school:
        assert twin.config.strategy == "random"
        assert school.config.strategy == "hybrid"
        for side in Partition:
            pools = [{c.id for c in s.warehouse.contexts(side)} for s in (twin, school)]
            assert pools[0] == pools[1]


@pytest.mark.parametrize("made", ["folder", "file"])
def test_what_is_not_a_demos_is_left_alone(tmp_path, made):
    place = tmp_path / "mine"
    if made == "folder":
        place.mkdir()
    kept = place / "letter.txt" if made == "folder" else place
    kept.write_text("dear")
    result = CliRunner().invoke(main, ["demo", "--folder", str(place)])
    assert result.exit_code == 2
    assert "is not a demo's; name another with --folder" in " ".join(result.output.split())
    assert kept.read_text() == "dear"


def test_starter_build_builds_and_says_where(tmp_path, monkeypatch):
    asked = []

    def build(folder, *, seed, threads, progress):
        asked.append((folder, seed, threads))
        progress("step 1 of 1")

    monkeypatch.setattr("nightschool.starter.build.build", build)
    folder = tmp_path / "new"
    args = ["starter", "build", str(folder), "--seed", "5", "--threads", "2"]
    result = CliRunner().invoke(main, args, catch_exceptions=False)
    assert result.exit_code == 0
    assert asked == [(folder, 5, 2)]
    assert result.output.splitlines() == [
        "step 1 of 1",
        f"Built in {folder}; what it can do stands in {folder / 'claims.json'}.",
    ]
