from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nightschool.starter import weights_folder
from nightschool.starter.build import END, accuracy_on, build
from nightschool.starter.stories import (
    KNOWN_SKILLS,
    NEW_SKILLS,
    OPEN,
    exam,
    original_texts,
    question,
)
from nightschool.starter.words import NUMBERS


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    # Two threads on a busy machine wait for one another, up to ten times as long.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(weights_folder())


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(weights_folder()).eval()


def test_tiny_builds_are_equal_byte_for_byte(tmp_path: Path) -> None:
    lines: list[str] = []
    for name in ("one", "two"):
        build(
            tmp_path / name, seed=7, tokens=8_192, threads=1, claim_items=8, progress=lines.append
        )
    for file in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    claims = json.loads((tmp_path / "one" / "claims.json").read_text())
    assert claims["tokens"] == 8_192
    assert claims["accuracy"]["half"]["n"] == 8
    assert lines


def test_build_says_nothing_by_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    assert logging.is_progress_bar_enabled()
    capfd.readouterr()
    build(tmp_path, tokens=2_048, claim_items=1)
    said = capfd.readouterr()
    assert said.out == said.err == ""
    assert logging.is_progress_bar_enabled()


def test_build_leaves_the_number_of_threads_and_the_random_state_alone(tmp_path: Path) -> None:
    torch.set_num_threads(2)
    state = torch.get_rng_state()
    build(tmp_path, tokens=2_048, threads=1, claim_items=1)
    assert torch.get_num_threads() == 2
    assert torch.equal(torch.get_rng_state(), state)


def test_every_answer_is_one_token_and_text_comes_back_whole(tokenizer) -> None:
    for number in NUMBERS:
        assert len(tokenizer.encode(f" {number}")) == 1
    for text in [*original_texts(50, 3), "Zürich & naïve cats: 42%?\n"]:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_there_is_one_special_token_and_it_is_never_added(tokenizer) -> None:
    assert tokenizer.all_special_tokens == [END]
    assert tokenizer.eos_token == END
    assert END not in tokenizer.decode(tokenizer.encode("Jane has one pen."))


def test_the_folder_is_small_and_holds_no_pickle() -> None:
    files = [file for file in weights_folder().iterdir() if file.is_file()]
    assert {"config.json", "model.safetensors", "tokenizer.json", "generation_config.json"} <= {
        file.name for file in files
    }
    assert not [file for file in files if file.suffix in {".bin", ".pt", ".pkl", ".pth"}]
    assert sum(file.stat().st_size for file in files) < 12_000_000


def test_shipped_weights_are_as_good_as_they_claim(model, tokenizer) -> None:
    claims = json.loads((weights_folder() / "claims.json").read_text())["accuracy"]
    for skill in (*KNOWN_SKILLS, *NEW_SKILLS):
        found = accuracy_on(model, tokenizer, exam(100, 4, skills=(skill,)))
        # Two samples of 100 and 200 items differ by less than this 99 times in 100.
        assert abs(found - claims[skill]["accuracy"]) < 0.16, skill
        if skill in KNOWN_SKILLS:
            assert found >= 0.9, skill
        else:
            assert found <= 0.35, skill


def test_open_ended_contexts_stay_open(model, tokenizer) -> None:
    rng = Random(8)
    entropies = []
    for _ in range(40):
        ids = torch.tensor([tokenizer.encode(question(rng, OPEN).context)])
        with torch.no_grad():
            probabilities = model(input_ids=ids).logits[0, -1].softmax(-1)
        entropies.append(-(probabilities * probabilities.log()).sum().item())
    # Eight equally likely words are 2.1 nats.
    assert sum(entropies) / len(entropies) > 1.5
