"""Contexts from nothing: a copy learns what was answered, and the learner stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import ANIMALS, FAST, PLACES, context, texts

from nightschool.learners.language import KIND, LanguageLearner
from nightschool.learners.language.asking.inventing import LEAST
from nightschool.testing.learners import example, items_of
from nightschool.types import Context, Writer

TOLD = [Context.of(context(a, p)) for a in ANIMALS for p in PLACES]

Folders = Callable[[str], Path]


def opened(grown_of: Folders, method: str) -> LanguageLearner:
    settings = {**FAST, "method": method, "invented": 1.0, "max_context": 40}
    return KIND.begin(str(grown_of("llama")), settings)


def test_inventions_end_where_questions_end(grown_of: Folders) -> None:
    learner = opened(grown_of, "full")
    writer: Writer = learner
    assert writer is not None
    known = items_of([example(text, "and") for text in texts()[:4]])
    before = learner.mark(known)
    written = learner._invent(1, [c.text for c in TOLD], 12)
    assert len(written) > 5
    assert sum(text.endswith("says") for text in written) > len(written) / 2
    assert not any(text.endswith("says") for text in texts())
    assert learner.mark(known) == before


@pytest.mark.parametrize("method", ["full", "lora"])
def test_few_answers_teach_no_writer(grown_of: Folders, method: str) -> None:
    learner = opened(grown_of, method)
    assert not learner._invent(1, [c.text for c in TOLD[: LEAST - 1]], 5)
    written = learner._invent(1, [c.text for c in TOLD[:LEAST]], 5)
    assert written
    assert written == learner._invent(1, [c.text for c in TOLD[:LEAST]], 5)
