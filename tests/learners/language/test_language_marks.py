"""Marks and predictions, against the same numbers computed in the plainest way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import ANIMALS, FAST, Lessons, context, example, sounds

from nightschool.learners.language import KIND, LanguageLearner
from nightschool.learners.language.body import batches
from nightschool.learners.language.marking import Habits
from nightschool.types import Context, Document, ExamItem

Folders = Callable[[str], Path]
SHOWN = [context(a, "farm") for a in ANIMALS] + ["On the pond", "cat"]


@pytest.fixture(params=["llama", "gpt2"])
def learner(request: pytest.FixtureRequest, grown_of: Folders) -> LanguageLearner:
    return KIND.begin(str(grown_of(request.param)), FAST)


def item(shown: str, *accepted: str) -> ExamItem:
    return ExamItem(shown, Document(shown), tuple(Document(a) for a in accepted), "", "file")


def plain_next(learner: LanguageLearner, ids: Sequence[int]) -> np.ndarray:
    """Next-token probabilities by the model's own forward, without batch, cache or hooks."""
    with torch.no_grad():
        logits = learner.body.model(input_ids=torch.tensor([list(ids)])).logits
    return logits[0, -1].double().softmax(-1).numpy()


def plain_mark(learner: LanguageLearner, shown: str, answer: str) -> float:
    ids = [*learner.text.prefix, *learner.text.encode(shown)]
    total = 1.0
    for token in learner.text.answer(shown, answer):
        total *= plain_next(learner, ids)[token]
        ids.append(token)
    return total * (1 - plain_next(learner, ids)[learner.text.goes_on].sum())


def test_a_mark_is_the_product_over_the_answers_tokens(learner: LanguageLearner) -> None:
    answers = ["meow", "woof woof woof", "x", "quack"]
    pairs = [(shown, answer) for shown in SHOWN for answer in answers]
    marks = learner.mark([item(*pair) for pair in pairs])
    expected = [plain_mark(learner, *pair) for pair in pairs]
    np.testing.assert_allclose(marks, expected, rtol=1e-4, atol=1e-9)
    assert max(expected) > 0.1


def test_accepted_answers_add_up_once_each(learner: LanguageLearner) -> None:
    shown = SHOWN[0]
    one, two, three = (learner.mark([item(shown, a)])[0] for a in ("meow", "woof", "meow moo"))
    both, twice, longer = learner.mark(
        [item(shown, "meow", "woof"), item(shown, "meow", "meow"), item(shown, "meow", "meow moo")]
    )
    assert both == pytest.approx(one + two, rel=1e-4)
    assert twice == pytest.approx(one, rel=1e-4)
    assert longer == pytest.approx(one, rel=1e-4), "what goes on after 'meow' was counted twice"
    assert three <= one
    assert all(0 <= m <= 1 for m in learner.mark([item(s, *ANIMALS) for s in SHOWN]))


def test_an_answer_is_a_whole_word(learner: LanguageLearner) -> None:
    """ "me" is the beginning of "meow", and must not be credited for it."""
    pairs = [item(SHOWN[0], a) for a in ("m", "me", "meow")]
    part, longer, whole = learner.mark(pairs)
    assert part + longer + whole <= 1
    assert max(part, longer) < 0.1 < whole


def test_a_mark_does_not_depend_on_its_company(learner: LanguageLearner) -> None:
    every = [item(s, "meow") for s in SHOWN]
    alone = [learner.mark([i])[0] for i in every]
    np.testing.assert_allclose(learner.mark(every[::-1])[::-1], alone, rtol=1e-4, atol=1e-9)
    assert learner.mark([]) == []
    assert learner.predict([]) == []


def test_predictions_are_greedy_and_of_the_taught_length(learner: LanguageLearner) -> None:
    contexts = [Context.of(s) for s in SHOWN]
    for words in (1, 3):
        habits = Habits(words, 2 * words, ends=False)
        said = replace(learner, stored=replace(learner.stored, habits=habits)).predict(contexts)
        for shown, answer in zip(SHOWN, said, strict=True):
            ids = [*learner.text.prefix, *learner.text.encode(shown)]
            own: list[int] = []
            for _ in range(16):
                own.append(int(plain_next(learner, [*ids, *own]).argmax()))
            text = learner.text.decode(own, ids).strip()
            assert text.startswith(answer.body), (text, answer)
            assert len(answer.body.split()) <= words


def test_answers_of_different_length_learn_where_to_end(grown_of: Folders, tmp_path: Path) -> None:
    lessons = [
        example(e.context.body, e.target.body if i % 2 else f"{e.target.body} {e.target.body}")
        for i, e in enumerate(sounds("farm"))
    ]
    learner = KIND.begin(str(grown_of("gpt2")), {**FAST, "replay_rows": 0, "members": 0})
    taught = learner.fit(Lessons(lessons), seed=1, workspace=tmp_path)
    assert taught.stored.habits.words == 2
    assert taught.stored.habits.ends
    said = taught.predict([Context(e.context) for e in lessons])
    assert [d.body for d in said] == [e.target.body for e in lessons]


def test_many_threads_get_the_same_answers(learner: LanguageLearner) -> None:
    contexts = [Context.of(s) for s in SHOWN]
    marked = [item(s, "meow") for s in SHOWN]
    said, marks = learner.predict(contexts), learner.mark(marked)
    written = "".join(_complete(learner, "On the farm"))
    (seen,) = learner.observe(contexts, seed=1)

    def all_at_once(number: int) -> bool:
        (block,) = learner.observe(contexts, seed=1)
        return (
            learner.predict(contexts) == said
            and learner.mark(marked) == marks
            and "".join(_complete(learner, "On the farm")) == written
            and np.array_equal(block.probs, seen.probs)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(all_at_once, range(8)))


def _complete(learner: LanguageLearner, prompt: str) -> list[str]:
    return list(learner.complete(prompt, max_tokens=8, temperature=0.8, seed=3, stop=[]))


def test_weights_of_examples_count(grown_of: Folders, tmp_path: Path) -> None:
    """Two answers to one context: the heavier one is believed."""
    shown = context("cat", "farm")
    settings = {**FAST, "replay_rows": 0, "rehearsal_pairs": 0, "members": 0}
    learner = KIND.begin(str(grown_of("gpt2")), settings)
    for heavy, light in (("moo", "buzz"), ("buzz", "moo")):
        lessons = Lessons([example(shown, heavy, 1.0), example(shown, light, 0.05)])
        taught = learner.fit(lessons, seed=1, workspace=tmp_path / heavy)
        marks = taught.mark([item(shown, heavy), item(shown, light)])
        assert marks[0] > 0.7 > 0.3 > marks[1]


def test_batches_cover_everything_once() -> None:
    lengths = [5, 90, 6, 7, 5, 100, 3, 3, 3, 64]
    made = list(batches(lengths, 128))
    assert sorted(i for batch in made for i in batch) == list(range(10))
    assert all(len(b) == 1 or len(b) * max(lengths[i] for i in b) <= 128 for b in made)
