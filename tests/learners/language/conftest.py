"""Folders of tiny models, made once a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tiny_models import FAST, PLACES, Lessons, build, sounds, texts

from nightschool.learners.language import KIND


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny matrices gain nothing from a second thread, and wait for it on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model, made once a session."""
    made: dict[str, Path] = {}

    def find(kind: str) -> Path:
        if kind not in made:
            made[kind] = build(tmp_path_factory.mktemp(kind) / "model", kind)
        return made[kind]

    return find


@pytest.fixture(scope="session")
def grown_of(
    folder_of: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The folder of a tiny model that has read the texts, made once a session."""
    made: dict[str, Path] = {}

    def find(kind: str) -> Path:
        if kind not in made:
            place = tmp_path_factory.mktemp(f"grown_{kind}")
            settings = {**FAST, "members": 0, "replay_rows": 4, "steps": 100}
            learner = KIND.begin(str(folder_of(kind)), settings)
            every = [e for p in PLACES for e in sounds(p)]
            grown = learner.fit(Lessons(every, (), texts()), seed=1, workspace=place / "night")
            grown.save(place / "model")
            made[kind] = place / "model"
        return made[kind]

    return find
