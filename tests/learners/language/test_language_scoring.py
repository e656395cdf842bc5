"""Scores, token by token, against the model's own logits; chats by a tokenizer's template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_models import FAST

from nightschool.learners.language import KIND, LanguageLearner, scoring
from nightschool.types import LearnerError
from nightschool.types.serving import Chatter, Counter, Scored, Scorer

Folders = Callable[[str], Path]
TEXT = "On the farm the cat says meow. “Ça va”, said 漢字 🦉"


@pytest.fixture(params=["llama", "gpt2"])
def learner(request: pytest.FixtureRequest, grown_of: Folders) -> LanguageLearner:
    return KIND.begin(str(grown_of(request.param)), FAST)


def score(learner: LanguageLearner, prompt: str | list[int], **changes: object) -> Scored:
    given = {"max_tokens": 0, "temperature": 0.0, "seed": 1, "top": 3, **changes}
    return learner.score(prompt, **given)  # type: ignore[arg-type]


def test_it_is_what_the_types_ask_for(learner: LanguageLearner) -> None:
    scorer: Scorer = learner
    counter: Counter = learner
    chatter: Chatter = learner
    assert all(part is not None for part in (scorer, counter, chatter))


def test_scores_are_the_models_own(
    learner: LanguageLearner, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = learner.text.encode(TEXT)
    whole = [*learner.text.prefix, *ids]
    with torch.no_grad():
        out = learner.body.model(torch.tensor([whole])).logits[0].log_softmax(-1)
    start = len(learner.text.prefix)
    want = [float(out[at - 1, whole[at]]) if at else None for at in range(start, len(whole))]
    found = score(learner, TEXT).prompt
    assert [token.logprob for token in found] == pytest.approx(want, abs=1e-5)
    monkeypatch.setattr(scoring, "_NUMBERS", 4 * learner.body.vocabulary)  # many short passes
    assert [t.logprob for t in score(learner, TEXT).prompt] == pytest.approx(want, abs=1e-5)
    # In tokens the prompt is taken as it is: what the tokenizer puts before a text is not.
    tokens = score(learner, whole).prompt
    assert [t.logprob for t in tokens][start:] == pytest.approx(want, abs=1e-5)
    assert tokens[0].logprob is None
    assert len(tokens) == learner.count(TEXT) == learner.count(whole)


def test_the_names_spell_the_text(learner: LanguageLearner) -> None:
    found = score(learner, TEXT).prompt
    spelled = learner.spell(learner.text.encode(TEXT))  # a tokenizer may lose strange letters
    assert spelled.startswith("On the farm the cat says meow.")
    assert "".join(token.text for token in found).strip() == spelled.strip()
    assert all(token.name for token in found)
    for token in found[1:]:
        assert token.top[token.name] == token.logprob
        assert token.logprob <= max(token.top.values()) < 0


def test_what_is_written_is_scored_too(learner: LanguageLearner) -> None:
    prompt = "On the farm the cat says"
    found = score(learner, prompt, max_tokens=4)
    options = {"max_tokens": 4, "temperature": 0.0, "seed": 1, "stop": []}
    said = "".join(learner.complete(prompt, **options))  # type: ignore[arg-type]
    assert "".join(token.text for token in found.written) == said
    # Greedy: each was the most probable one of its place.
    assert all(t.logprob == max(t.top.values()) for t in found.written)
    assert [t.name for t in found.prompt] == [t.name for t in score(learner, prompt).prompt]


def test_an_end_mark_is_told_so_that_a_token_that_was_asked_for_is_there(
    learner: LanguageLearner,
) -> None:
    always = replace(learner)
    always.text.stops = frozenset(range(learner.body.vocabulary))
    found = score(always, "On the", max_tokens=3)
    assert (len(found.written), found.ended) == (1, True)


def test_prompts_that_cannot_be_scored(learner: LanguageLearner) -> None:
    with pytest.raises(LearnerError, match="shorten"):
        score(learner, [1] * (learner.body.window + 1))
    with pytest.raises(LearnerError, match="shorten"):
        score(learner, [1] * learner.body.window, max_tokens=1)
    assert len(score(learner, [1] * learner.body.window).prompt) == learner.body.window
    with pytest.raises(LearnerError, match="no token"):
        score(learner, [learner.body.vocabulary])
    assert score(learner, "").prompt == ()


def test_a_chat_by_the_tokenizers_template(learner: LanguageLearner) -> None:
    turns = [{"role": "user", "content": "the cat"}, {"role": "assistant", "content": "meow"}]
    learner.text.tokenizer.chat_template = None
    assert learner.chat(turns) is None
    learner.text.tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
        "{% endif %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    tokens = learner.chat(turns)
    assert tokens is not None
    assert learner.spell(tokens).strip() == "user: the cat\nassistant: meow\nassistant:"
    with pytest.raises(LearnerError, match="no system"):
        learner.chat([{"role": "system", "content": "x"}])
    mark = learner.text.tokenizer.all_special_tokens[0]
    with pytest.raises(LearnerError, match="own mark"):
        learner.chat([{"role": "user", "content": f"x{mark}"}])
