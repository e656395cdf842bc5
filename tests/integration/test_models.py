"""`init --model` with tiny checkpoints of several makers: a night improves each on its own pool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.app.tasks import WordsTask
from nightschool.learners.language import KIND
from nightschool.loop import teach
from nightschool.oracles import ScriptedOracle
from nightschool.types import Context, LearnerError, PoolError

from ..learners.language import tiny_models as tiny

MAKERS = ("llama", "gpt2", "qwen2", "gemma", "phi")
POOL = ("farm", "yard", "pond")
ANSWERS = dict(zip(tiny.ANIMALS, (*tiny.SOUNDS[1:], tiny.SOUNDS[0]), strict=True))


def answers() -> dict[str, str]:
    """Every animal says what its neighbour says: the model cannot know it from its texts."""
    return {tiny.context(a, p): ANSWERS[a] for p in POOL for a in tiny.ANIMALS}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A checkpoint of each maker that has read its texts, as a team would bring one."""
    made: dict[str, Path] = {}

    def find(kind: str) -> Path:
        if kind not in made:
            place = tmp_path_factory.mktemp(kind)
            settings = {**tiny.FAST, "members": 0, "replay_rows": 4, "steps": 60}
            learner = KIND.begin(str(tiny.build(place / "raw", kind)), settings)
            every = [e for p in tiny.PLACES for e in tiny.sounds(p)]
            lessons = tiny.Lessons(every, (), tiny.texts())
            (place / "model").mkdir()
            learner.fit(lessons, seed=1, workspace=place / "work").save(place / "model")
            made[kind] = place / "model"
        return made[kind]

    return find


def school_of(folder: Path, model: Path, tmp_path: Path, method: str) -> School:
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(tiny.texts()))
    exam = tmp_path / "exam.jsonl"
    rows = [{"context": tiny.context(a, "field"), "answer": s} for a, s in ANSWERS.items()]
    exam.write_text("\n".join(map(json.dumps, rows)))
    rate = 2e-2 if method == "lora" else 1e-2
    init_school(
        folder,
        WordsTask(str(model), texts),
        exam=exam,
        settings={
            "questions": 24,
            "exam_partition": 0.0,
            "seed": 3,
            "learner_settings": {**tiny.FAST, "method": method, "learning_rate": rate},
        },
    )
    school = School.open(folder)
    school.add_contexts(Context.of(c) for c in answers())
    return school


# tests/learners/language tunes every maker's model fully; where an adapter goes differs.
@pytest.mark.parametrize(("kind", "method"), [(MAKERS[0], "full"), *((k, "lora") for k in MAKERS)])
def test_a_night_improves_each_on_its_own_pool(kind, method, folders, tmp_path):
    oracle = ScriptedOracle({Context.of(c).id: a for c, a in answers().items()})
    with school_of(tmp_path / "school", folders(kind), tmp_path, method) as school:
        assert teach(school, oracle, 24) == 24
        verdict = school.night()
        assert verdict.after > verdict.before + 0.2, verdict.reason
        assert school.warehouse.verify() == []
    # A process that never saw the night serves the same model.
    with School.open(tmp_path / "school") as again:
        newest = again.warehouse.trainee()
        items = again.examiner.bank()
        assert again.examiner.sit(newest, items).score == pytest.approx(verdict.after, abs=1e-5)
        pieces = list(
            again.generator(newest).complete(
                "On the farm", max_tokens=4, temperature=0.0, seed=0, stop=[]
            )
        )
        assert "".join(pieces)


def test_without_original_texts_replay_is_sampled_and_says_so(folders, tmp_path):
    init_school(
        tmp_path / "s",
        WordsTask(str(folders("llama"))),
        settings={"learner_settings": tiny.FAST},
    )
    with School.open(tmp_path / "s") as school:
        assert "sampled from the model itself" in school.status().original
        segments = school.warehouse.manifests()[0].segments
        assert sum(s.rows for s in segments) > 0


def test_a_folder_without_a_tokenizer_is_refused_and_leaves_nothing(folders, tmp_path):
    import shutil

    shutil.copytree(folders("gpt2"), tmp_path / "model")
    for file in (tmp_path / "model").glob("tokenizer*"):
        file.unlink()
    with pytest.raises(LearnerError, match="tokenizer"):
        init_school(tmp_path / "s", WordsTask(str(tmp_path / "model")))
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_context_longer_than_the_window_is_refused_before_it_is_added(folders, tmp_path):
    init_school(
        tmp_path / "s",
        WordsTask(str(folders("llama"))),
        settings={"learner_settings": tiny.FAST},
    )
    with School.open(tmp_path / "s") as school:
        with pytest.raises(PoolError, match="cannot be asked"):
            school.check(Context.of("the cow says moo and " * 40))
        school.check(Context.of("the cow says"))
