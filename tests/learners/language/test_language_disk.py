"""What a night writes is known before it begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import FAST, Lessons, sounds, texts

from nightschool.learners.language import KIND


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_night_writes_no_more_than_it_said(
    method: str, folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    learner = KIND.begin(str(folder_of("llama")), {**FAST, "method": method, "steps": 16})
    learner.save(tmp_path / "v0")
    learner = KIND.load(tmp_path / "v0", {**FAST, "method": method, "steps": 16})
    taught = learner.fit(Lessons(sounds("farm"), (), texts()), seed=1, workspace=tmp_path / "w")
    taught.save(tmp_path / "v1")
    folders = (tmp_path / "w", tmp_path / "v1")
    written = sum(p.stat().st_size for f in folders for p in f.rglob("*") if p.is_file())
    tokenizer = sum(p.stat().st_size for p in (tmp_path / "v1").glob("*.json"))
    assert written - tokenizer < learner.night_bytes


def test_an_adapters_night_does_not_grow_with_its_base(folder_of: Callable[[str], Path]) -> None:
    full, lora = (
        KIND.begin(str(folder_of("llama")), {**FAST, "method": method, "rank": 1, "members": 0})
        for method in ("full", "lora")
    )
    assert lora.night_bytes < full.night_bytes / 4
