"""Texts and tokens: strings that look special, spaces, stable answers, word ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import FAST, byte_tokenizer, example, items, piece_tokenizer

from nightschool.learners.language import KIND
from nightschool.learners.language.text import Text, ends_in_word
from nightschool.types.spelling import target_text

TOKENIZERS = {"bytes": byte_tokenizer, "pieces": piece_tokenizer}


@pytest.fixture(params=list(TOKENIZERS))
def text(request: pytest.FixtureRequest) -> Text:
    tokenizer = TOKENIZERS[request.param]()
    return Text(tokenizer, len(tokenizer))


@pytest.mark.parametrize("special", ["<|endoftext|>", "<s>", "</s>", "a <s> b", "</s></s>"])
def test_a_special_string_is_only_text(text: Text, special: str) -> None:
    ids = set(text.tokenizer.all_special_ids)
    if text.tokenizer.unk_token_id is not None:
        ids -= {text.tokenizer.unk_token_id}
    assert ids, "this test needs special tokens"
    shown = text.contexts([special])[0][len(text.prefix) :]
    assert not ids & set(shown)
    assert text.decode(shown) == special
    answer = text.answer("The cat says", special)
    assert not ids & set(answer)
    assert text.decode(answer, text.encode("The cat says")) == f" {special}"


def test_an_answer_has_the_same_tokens_after_every_context(text: Text) -> None:
    spelled = {
        text.answer(c, a)
        for c in ("The cat says", "The cat says ", "Oh!", "x")
        for a in ("meow", " meow", "meow ")
    }
    assert len(spelled) == 1
    (answer,) = spelled
    assert text.contexts(["The cat says "]) == text.contexts(["The cat says"])
    whole = text.encode("The cat says meow")
    assert [*text.encode("The cat says"), *answer] == whole


@pytest.mark.parametrize(
    ("context", "answer", "target"),
    [
        ("Now Jane has", "four", " four"),
        ("Now Jane has ", "four", " four"),
        ("Answer:\n", "four", "four"),
        ("It is (", "so", "so"),
        ("He came", ", saw", ", saw"),
        ("首都は", "東京", "東京"),
        ("The capital is", "東京", " 東京"),
        ("", "four", "four"),
    ],
)
def test_where_a_space_stands(context: str, answer: str, target: str) -> None:
    assert target_text(context, answer) == target


def test_what_begins_each_text(text: Text) -> None:
    begins = text.tokenizer.bos_token_id
    assert text.prefix == ([] if begins is None else [begins])


def test_a_tokenizer_without_an_end_learns_the_lines_end() -> None:
    tokenizer = byte_tokenizer()
    tokenizer.eos_token = None
    text = Text(tokenizer, len(tokenizer))
    assert text.end is not None
    assert text.decode([text.end]) == "\n"


def test_which_tokens_make_a_word_longer(text: Text) -> None:
    pieces = {text.decode([i], text.encode("a")): i for i in range(text.vocabulary)}
    assert text.goes_on[pieces["e"]]
    assert not text.goes_on[pieces["."]]
    assert not text.goes_on[text.answer("a", "cat")[0]]
    assert text.is_end[text.tokenizer.eos_token_id]
    assert text.is_end[text.encode("a\n")[-1]]
    assert not text.is_end[pieces["."]]
    assert ends_in_word("four")
    assert not ends_in_word("four.")
    assert not ends_in_word("東京")


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_special_strings_are_learned_and_said(
    kind: str, folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    from tiny_models import Lessons

    odd = [example("The end is", "<|endoftext|>"), example("A begin is </s>", "<s>")]
    settings = {**FAST, "replay_rows": 0, "rehearsal_pairs": 0, "members": 0}
    learner = KIND.begin(str(folder_of(kind)), settings)
    taught = learner.fit(Lessons(odd), seed=1, workspace=tmp_path)
    assert min(taught.mark(items(odd))) > 0.5
