"""Completions and samples: the same for the same seed, whole characters, no stop strings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import FAST, Lessons, sounds

from nightschool.learners.language import KIND, LanguageLearner
from nightschool.learners.language.writing import _pieces, _until
from nightschool.types import (
    Document,
    Generator,
    Learner,
    LearnerError,
    LearnerKind,
    Sampler,
    Segment,
)

Folders = Callable[[str], Path]


@pytest.fixture(params=["llama", "gpt2"])
def learner(request: pytest.FixtureRequest, grown_of: Folders) -> LanguageLearner:
    return KIND.begin(str(grown_of(request.param)), FAST)


def write(learner: LanguageLearner, prompt: str, **changes: object) -> list[str]:
    given = {"max_tokens": 12, "temperature": 0.0, "seed": 1, "stop": [], **changes}
    return list(learner.complete(prompt, **given))  # type: ignore[arg-type]


def test_it_is_what_the_types_ask_for(learner: LanguageLearner) -> None:
    kind: LearnerKind = KIND
    made: Learner = learner
    writer: Generator = learner
    sampler: Sampler = learner
    assert all(part is not None for part in (kind, made, writer, sampler))


def test_greedy_text_goes_on_as_it_was_read(learner: LanguageLearner) -> None:
    pieces = write(learner, "On the farm the cat says")
    assert "".join(pieces).startswith(" meow")
    assert write(learner, "On the farm the cat says", seed=2) == pieces


def test_seeds_draw(learner: LanguageLearner) -> None:
    hot = [write(learner, "On the", temperature=1.5, seed=s) for s in range(4)]
    assert hot[0] == write(learner, "On the", temperature=1.5, seed=0)
    assert len({"".join(pieces) for pieces in hot}) > 1


def test_it_ends_at_a_stop_string(learner: LanguageLearner) -> None:
    whole = "".join(write(learner, "On the"))
    stop = whole[5:8]
    said = "".join(write(learner, "On the", stop=["never", stop]))
    assert said == whole[: whole.index(stop)]
    assert len(write(learner, "On the", max_tokens=1)) <= 1
    assert write(learner, "On the", max_tokens=0) == []


@pytest.mark.parametrize(
    ("pieces", "stop", "said"),
    [
        (["ab", "cd", "ef"], ["de"], "abc"),
        (["ab", "cd", "e"], ["def"], "abcde"),
        (["a", "a", "b"], ["aab"], ""),
        (["x\n", "\ny"], ["\n\n"], "x"),
        (["abc"], [], "abc"),
    ],
)
def test_a_stop_string_may_lie_across_pieces(pieces: list[str], stop: list[str], said: str) -> None:
    assert "".join(_until(iter(pieces), stop)) == said


def test_characters_come_whole(learner: LanguageLearner) -> None:
    text = "naïve 東京 👍🏽 meow" if not learner.text.prefix else "meow and moo"
    tokens = learner.text.encode(text)
    before = learner.text.encode("cat")
    pieces = list(_pieces(learner.text, before, iter(tokens * 5)))
    assert "�" not in "".join(pieces)
    assert "".join(pieces) == learner.text.decode(tokens * 5, before)


def test_a_prompt_longer_than_the_window_is_refused(learner: LanguageLearner) -> None:
    with pytest.raises(LearnerError, match="reads 64; shorten"):
        write(learner, "cat " * 80)
    said = "".join(write(learner, "cat " * 20, max_tokens=500, temperature=1.0))
    assert len(learner.text.encode(said)) <= 64


def test_samples_are_like_what_was_read(learner: LanguageLearner) -> None:
    texts = [d.body for d in learner.sample(5, seed=3)]
    assert len(texts) == 5
    assert sum(t.startswith("On the") for t in texts) >= 3
    assert texts == [d.body for d in learner.sample(5, seed=3)]
    assert texts != [d.body for d in learner.sample(5, seed=4)]


def test_a_night_without_original_texts_replays_its_own(
    learner: LanguageLearner, tmp_path: Path
) -> None:
    taught = learner.fit(Lessons(sounds("farm")), seed=1, workspace=tmp_path)
    assert "".join(write(taught, "On the farm the cat says")).startswith(" meow")


def test_originals_that_are_all_fenced_off_are_not_written_anew(
    grown_of: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def sample(learner: LanguageLearner, n: int, *, seed: int) -> list[Document]:
        asked.append(n)
        return [Document("On the farm the cat says meow.")]

    monkeypatch.setattr(LanguageLearner, "sample", sample)
    settings = {**FAST, "steps": 1, "member_steps": 1}
    learner = KIND.begin(str(grown_of("gpt2")), settings)
    lessons = Lessons(sounds("farm"))
    original = Segment("0" * 64, "original", 40, 0)
    lessons.manifest = replace(lessons.manifest, segments=(original,))
    learner.fit(lessons, seed=1, workspace=tmp_path / "fenced")
    assert asked == []
    learner.fit(Lessons(sounds("farm")), seed=1, workspace=tmp_path / "none")
    assert len(asked) == 1
