"""Models of several makers learn their pool, by full fine-tuning and by an adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import ANIMALS, ARCHITECTURES, FAST, Lessons, context, items, sounds, texts, turned

from nightschool.learners.language import KIND, LanguageLearner
from nightschool.types import Context

Folders = Callable[[str], Path]


def taught(
    learner: LanguageLearner, workspace: Path, place: str = "farm", seed: int = 3
) -> LanguageLearner:
    return learner.fit(Lessons(sounds(place), original=texts()), seed=seed, workspace=workspace)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_night_raises_the_marks(kind: str, folder_of: Folders, tmp_path: Path) -> None:
    before = KIND.begin(str(folder_of(kind)), FAST)
    exam = items(sounds("farm"))
    first = before.mark(exam)
    after = taught(before, tmp_path / "night")
    assert np.mean(after.mark(exam)) > max(0.5, np.mean(first) + 0.3)
    assert before.mark(exam) == first, "the old learner was changed"
    after.save(tmp_path / "saved")
    again = KIND.load(tmp_path / "saved", FAST)
    shown = [Context.of(context(a, "farm")) for a in ANIMALS]
    assert again.predict(shown) == after.predict(shown)
    assert again.mark(exam) == after.mark(exam)
    again.save(tmp_path / "twice")
    assert bytes_of(tmp_path / "saved") == bytes_of(tmp_path / "twice")


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_an_adapter_learns_night_after_night(kind: str, grown_of: Folders, tmp_path: Path) -> None:
    settings = {**FAST, "method": "lora", "learning_rate": 2e-2, "steps": 40}
    KIND.begin(str(grown_of(kind)), settings).save(tmp_path / "v0")
    zero = KIND.load(tmp_path / "v0", settings)
    new = turned("farm")
    exam = items(new)
    first = zero.mark(exam)
    one = zero.fit(Lessons(new, (), texts()), seed=3, workspace=tmp_path / "n1")
    assert np.mean(one.mark(exam)) > np.mean(first) + 0.2
    assert zero.mark(exam) == first, "the old learner was changed"
    one.save(tmp_path / "v1")
    assert not (tmp_path / "v1" / "model.safetensors").exists(), "the base was stored twice"
    written = json.loads((tmp_path / "v1" / "adapter_config.json").read_text())
    assert written["target_modules"] == sorted(written["target_modules"]), "order of a set"
    assert written["base_model_name_or_path"] == "../v0"
    back = KIND.load(tmp_path / "v1", settings)
    assert back.mark(exam) == one.mark(exam)
    two = back.fit(Lessons((), new, texts()), seed=4, workspace=tmp_path / "n2")
    assert np.mean(two.mark(exam)) > np.mean(one.mark(exam))
    assert back.mark(exam) == one.mark(exam)
    two.save(tmp_path / "v2")
    assert KIND.load(tmp_path / "v2", settings).mark(exam) == two.mark(exam)


def test_an_adapter_on_a_base_that_was_never_saved(folder_of: Folders, tmp_path: Path) -> None:
    settings = {**FAST, "method": "lora", "steps": 3}
    one = taught(KIND.begin(str(folder_of("llama")), settings), tmp_path / "n1")
    one.save(tmp_path / "a" / "v1")
    back = KIND.load(tmp_path / "a" / "v1", settings)
    exam = items(sounds("farm"))
    assert back.mark(exam) == one.mark(exam)
    taught(back, tmp_path / "n2").save(tmp_path / "a" / "v2")
    assert not list((tmp_path / "a" / "v2").rglob("model.safetensors"))
    elsewhere = tmp_path / "b" / "v2"
    KIND.load(tmp_path / "a" / "v2", settings).save(elsewhere)
    assert list(elsewhere.rglob("model.safetensors")), "a copy elsewhere must stand alone"
    assert KIND.load(elsewhere, settings).mark(exam) == KIND.load(
        tmp_path / "a" / "v2", settings
    ).mark(exam)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_same_night_gives_the_same_bytes(
    method: str, folder_of: Folders, tmp_path: Path
) -> None:
    settings = {**FAST, "method": method, "steps": 5}
    start = KIND.begin(str(folder_of("gpt2")), settings)
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    taught(start, tmp_path / "n1").save(tmp_path / "one")
    assert torch.equal(torch.random.get_rng_state(), state), "the global random state was moved"
    torch.manual_seed(6)
    taught(start, tmp_path / "n2").save(tmp_path / "two")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    taught(start, tmp_path / "n3", seed=8).save(tmp_path / "three")
    assert bytes_of(tmp_path / "one") != bytes_of(tmp_path / "three")


def test_bf16_and_small_portions_learn_too(grown_of: Folders, tmp_path: Path) -> None:
    lessons = Lessons(turned("farm"), (), texts())
    start = {**FAST, "members": 0, "steps": 30}
    marks = {}
    for name, more in {"": {}, "few": {"micro_batch": 3}, "bf16": {"precision": "bf16"}}.items():
        learner = KIND.begin(str(grown_of("gpt2")), {**start, **more})
        marks[name] = learner.fit(lessons, seed=1, workspace=tmp_path / name).mark(
            items(lessons.new)
        )
    np.testing.assert_allclose(marks["few"], marks[""], atol=0.02)
    np.testing.assert_allclose(marks["bf16"], marks[""], atol=0.2)
    assert marks["bf16"] != marks[""]
