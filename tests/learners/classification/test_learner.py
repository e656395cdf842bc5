"""The text classifier, on the starter's own hidden states: they come with the package."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nightschool.learners.classification import KIND, ClassificationLearner
from nightschool.learners.classification.encoder import Encoder
from nightschool.starter import weights_folder
from nightschool.testing import check_learner
from nightschool.testing.learners import MemoryDataset, example, item
from nightschool.types import Context, LearnerError

LESSONS = [
    ("Ann has 3 apples and takes 2 more.", "number"),
    ("The hat of Tom is red.", "colour"),
    ("Bob counts 4 balls.", "number"),
    ("His coat is blue.", "colour"),
]


@pytest.fixture(scope="module")
def begun() -> ClassificationLearner:
    return KIND.begin(str(weights_folder()), {"labels": ["number", "colour"]})


def taught(
    learner: ClassificationLearner, lessons: Sequence[tuple[str, str]], folder: Path, **more: Any
) -> ClassificationLearner:
    return learner.fit(
        MemoryDataset([example(*e) for e in lessons], **more), seed=1, workspace=folder
    )


def test_it_keeps_the_promises_of_a_learner(begun: ClassificationLearner) -> None:
    check_learner(KIND, begun, LESSONS, ["Her scarf is green.\tcolour"])


def test_it_begins_even_and_learns(begun: ClassificationLearner, tmp_path: Path) -> None:
    asked = item("Eve counts 5 hats.", "Number.")
    assert begun.mark([asked]) == pytest.approx([0.5])
    learner = taught(begun, LESSONS, tmp_path)
    assert learner.mark([asked])[0] > 0.6
    assert learner.predict([Context.of("Eve counts 5 hats.")])[0].body == "number"
    assert learner.mark([item("Eve counts 5 hats.", "Number", "colour")]) == pytest.approx([1.0])
    assert learner.mark([item("Eve counts 5 hats.", "shape")]) == [0.0]


def test_an_answer_brings_a_new_label(begun: ClassificationLearner, tmp_path: Path) -> None:
    learner = taught(begun, [*LESSONS, ("Where is Rome?", "Place"), ("RED", " Colour. ")], tmp_path)
    assert learner.labels == ("number", "colour", "Place")
    assert learner.predict([Context.of("Where is Rome?")])[0].body == "Place"
    assert begun.labels == ("number", "colour")


def test_a_label_of_the_settings_is_there_after_loading(
    begun: ClassificationLearner, tmp_path: Path
) -> None:
    taught(begun, LESSONS, tmp_path).save(tmp_path / "v1")
    learner = KIND.load(tmp_path / "v1", {"labels": ["shape", "Number", "colour"]})
    assert learner.labels == ("number", "colour", "shape")
    asked = item("Bob counts 4 balls.", "shape")
    assert 0 < learner.mark([asked])[0] < 1 / 3
    fewer = KIND.load(tmp_path / "v1", {"labels": ["colour", "shape"]})
    assert "number" in fewer.labels, "what was learned is not taken away"


def test_a_precision_that_is_set_holds_from_the_start_and_for_new_labels(
    begun: ClassificationLearner, tmp_path: Path
) -> None:
    fixed = {"labels": ["number", "colour"], "precision": 3.0}
    learner = KIND.begin(str(weights_folder()), fixed)
    assert learner.head.precision == 3.0
    taught(begun, LESSONS * 2, tmp_path).save(tmp_path / "v1")
    grown = KIND.load(tmp_path / "v1", {**fixed, "labels": ["number", "colour", "shape"]})
    assert grown.head.precision == 3.0


def test_former_and_original_rows_are_learned_too(
    begun: ClassificationLearner, tmp_path: Path
) -> None:
    from nightschool.types import Document

    texts = [Document("a row without a label"), Document("A\ttab in it\tcolour")]
    old = [example("Ann has 7 pears.", "number")]
    learner = taught(begun, LESSONS[1:2], tmp_path, old=old, texts=texts)
    assert len(learner.fitted.x) == 3
    asked = [item("A\ttab in it", "colour"), item("Ann has 7 pears.", "number")]
    assert min(learner.mark(asked)) > 0.5


def test_settings_bound_what_a_night_reads(tmp_path: Path) -> None:
    settings = {"labels": ["number", "colour"], "examples": 2, "original": 0}
    learner = KIND.begin(str(weights_folder()), settings)
    old = [example(f"Ann has {n} pears.", "number") for n in range(9)]
    from nightschool.types import Document

    texts = [Document("Red\tcolour")]
    assert len(taught(learner, LESSONS, tmp_path, old=old, texts=texts).fitted.x) == 6


def test_a_text_is_encoded_once(
    begun: ClassificationLearner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught(begun, LESSONS, tmp_path).save(tmp_path / "v1")
    learner = KIND.load(tmp_path / "v1", begun.recipe.settings)
    read: list[str] = []
    encode = Encoder._encode

    def counting(self: Encoder, texts: Sequence[str]) -> Any:
        read.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(Encoder, "_encode", counting)
    new = ("Her scarf is green.", "colour")
    old = [example(*e) for e in LESSONS]
    second = taught(learner, [new, new], tmp_path, old=old)
    second.mark([item(LESSONS[0][0], "number"), item(new[0], "colour")])
    list(second.observe([Context.of("Her scarf is green.")], seed=1))
    assert read == ["Her scarf is green."]


def test_the_encoder_is_kept_once_and_the_tree_can_be_moved(
    begun: ClassificationLearner, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    begun.save(here / "v0")
    first = KIND.load(here / "v0", begun.recipe.settings)
    taught(first, LESSONS, tmp_path).save(here / "v1")
    second = KIND.load(here / "v1", begun.recipe.settings)
    taught(second, LESSONS[:1], tmp_path).save(here / "v2")
    assert sorted(p.parent.name for p in here.rglob("encoder")) == ["v0"]
    there = tmp_path / "there"
    shutil.move(here, there)
    moved = KIND.load(there / "v2", begun.recipe.settings)
    assert moved.labels == begun.labels
    taught(moved, LESSONS, tmp_path).save(tmp_path / "alone" / "v3")
    assert (tmp_path / "alone" / "v3" / "encoder").is_dir(), "no sister has it there"
    shutil.rmtree(there / "v0")
    with pytest.raises(LearnerError, match="keep the folders together"):
        KIND.load(there / "v2", begun.recipe.settings)


def test_what_it_observes(begun: ClassificationLearner, tmp_path: Path) -> None:
    learner = KIND.begin(
        str(weights_folder()), {"labels": ["number", "colour"], "block": 3, "samples": 5}
    )
    contexts = [Context.of(text) for text, _ in LESSONS]
    asked = [Context.of("Ann.")]
    blocks = learner.observe(contexts, asked=asked, seed=3)
    seen = list(blocks)
    assert [len(b) for b in seen] == [3, 1]
    assert seen[0].probs.shape == (5, 3, 2)
    assert np.linalg.norm(seen[0].embeddings, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert seen[0].asked.shape == (1, seen[0].embeddings.shape[1])
    again = next(iter(blocks))
    assert (again.probs == seen[0].probs).all()
    assert again.embeddings is seen[0].embeddings, "the pool was read again"
    other = next(iter(learner.observe(contexts, asked=asked, seed=4)))
    assert (other.probs != seen[0].probs).any()
    empty = list(learner.observe([], asked=[], seed=1))
    assert empty == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "at least two labels, not 0"),
        ({"labels": "yes,no"}, "give a list"),
        ({"labels": ["a", " "]}, "is no name"),
        ({"labels": ["a", "a\tb"]}, "is no name"),
        ({"labels": ["Yes", "yes."]}, "'Yes' and 'yes.' count as the same"),
        ({"labels": ["a", "b"], "samples": 0}, "samples is 0"),
        ({"labels": ["a", "b"], "samples": "many"}, "samples is 'many'"),
        ({"labels": ["a", "b"], "device": "tpu"}, "device is 'tpu'"),
    ],
)
def test_settings_are_checked_by_name(settings: dict[str, object], told: str) -> None:
    with pytest.raises(LearnerError, match=told):
        KIND.begin(str(weights_folder()), settings)


def test_a_folder_of_another_learner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LearnerError, match="holds no classifier"):
        KIND.load(tmp_path, {})
    (tmp_path / "classifier.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(LearnerError, match="holds no classifier"):
        KIND.load(tmp_path, {})
