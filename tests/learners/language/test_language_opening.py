"""What cannot be taught is refused, with its name and the cure."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import FAST, Lessons, byte_tokenizer, context, example, items, sounds, texts

from nightschool.learners.language import KIND, LanguageSettings, opening
from nightschool.learners.language.lessons import pair_rows
from nightschool.learners.language.marking import Habits
from nightschool.types import Context, LearnerError

Folders = Callable[[str], Path]


@pytest.fixture
def folder(folder_of: Folders, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder_of("gpt2"), tmp_path / "model"))


def refused(source: object, match: str, **settings: object) -> None:
    with pytest.raises(LearnerError, match=match):
        KIND.begin(str(source), settings)


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    refused(folder, r"model has no tokenizer; put one there")


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    refused(folder, "no safetensors weights; save")
    (folder / "pytorch_model.bin").write_bytes(b"x")
    refused(folder, "only pickled ones, which are never opened")


def test_no_config(folder: Path, tmp_path: Path) -> None:
    (folder / "config.json").unlink()
    refused(folder, "no config.json")
    (tmp_path / "file.jsonl").touch()
    refused(tmp_path / "file.jsonl", "file.jsonl' is a file; a model is a folder, or NAME@REV")
    refused(tmp_path / "missing", "no model folder .*; give a folder or NAME@REVISION")


def test_damaged_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"nothing")
    refused(folder, "cannot be opened")


def test_not_a_causal_model(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["architectures"] = ["BertForMaskedLM"]
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, r"not a causal language model \(its architecture is BertForMaskedLM\)")


def test_missing_weights_are_not_made_up(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors.pop("transformer.h.1.mlp.c_fc.weight")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    refused(folder, "lacks the weights transformer.h.1.mlp.c_fc.weight; export")


def test_a_tokenizer_of_another_model(folder: Path) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens([f"<new {i}>" for i in range(50)])
    tokenizer.save_pretrained(folder)
    refused(folder, "the tokenizer has .* tokens, the model only")


def test_hub_names_are_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "0123456789" * 4
    asked: list[tuple[str, str | None]] = []

    def resolve(name: str, revision: str | None) -> str:
        asked.append((name, revision))
        return commit

    monkeypatch.setattr(opening, "resolve_commit", resolve)
    assert opening.locate(f"who/model@{commit}") == ("who/model", commit)
    assert asked == []
    assert opening.locate("who/model") == ("who/model", commit)
    assert opening.locate("gpt2@main") == ("gpt2", commit)
    assert asked == [("who/model", None), ("gpt2", "main")]


def test_a_hub_name_without_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def fails(*args: object, **more: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fails)
    refused("who/model", "pin it as `who/model@REVISION`")


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("stepps", 3, "no setting 'stepps'; it has: batch_size, .*steps"),
        ("steps", "many", "steps is 'many'; .* wants it as int"),
        ("steps", 0, "steps is 0; it must be above zero"),
        ("steps", True, "steps is True"),
        ("method", "magic", "method is 'magic'; choose one of auto, full, lora"),
        ("precision", "fp8", "choose one of auto, fp32, bf16"),
        ("dropout", 1.0, "below 1"),
        ("members", 1, "cannot disagree"),
        ("device", "cuda", "torch sees no such device"),
    ],
)
def test_wrong_settings(key: str, value: object, match: str, folder_of: Folders) -> None:
    import torch

    if value == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a device")
    refused(folder_of("gpt2"), match, **{key: value})


def test_defaults_follow_the_size() -> None:
    settings = LanguageSettings.of({})
    assert settings.resolved_method(1_000_000) == "full"
    assert settings.resolved_method(100_000_000) == "lora"
    assert settings.rate(1_000_000) == 7e-4
    assert LanguageSettings.of({"method": "lora"}).rate(1_000_000) == 5e-3
    assert settings.rate(8_000_000_000) < settings.rate(60_000_000) < 5e-3
    assert LanguageSettings.of({"learning_rate": 0.5}).rate(1) == 0.5
    assert settings.rows_at_once(8_000_000_000) < settings.rows_at_once(1_000_000)


def test_a_loss_that_is_no_number(folder_of: Folders, tmp_path: Path) -> None:
    settings = {**FAST, "learning_rate": 1e30}
    learner = KIND.begin(str(folder_of("gpt2")), settings)
    with pytest.raises(LearnerError, match=r"at step \d+ of 60 with learning_rate 1e\+30; lower"):
        learner.fit(Lessons(sounds("farm"), (), texts()), seed=1, workspace=tmp_path)


def test_contexts_that_cannot_be_asked(
    folder_of: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learner = KIND.begin(str(folder_of("llama")), {**FAST, "steps": 2, "member_steps": 2})
    assert learner.check(context("cat", "farm")) is None
    assert learner.check(" ") == "The context is empty."
    assert "this model reads at most 48" in str(learner.check("cat " * 60))
    long = example("cat " * 100, "meow")
    with caplog.at_level(logging.WARNING, logger="nightschool"):
        taught = learner.fit(Lessons([long, *sounds("farm")]), seed=1, workspace=tmp_path)
    assert "1 of 9 contexts are longer" in caplog.text
    assert len(taught.predict([Context(long.context)])) == 1
    (block,) = taught.observe([Context(long.context), Context.of("a cat")], seed=1)
    assert len(block) == 2
    with pytest.raises(LearnerError, match="empty context"):
        taught.observe([Context.of(" ")], seed=1)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_an_answer_that_fills_the_window_is_not_learned(
    method: str, folder_of: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**FAST, "steps": 2, "member_steps": 2, "method": method}
    learner = KIND.begin(str(folder_of("gpt2")), settings)
    assert learner.window == 64
    long = example(context("cat", "farm"), "meow moo " * 100)
    with caplog.at_level(logging.WARNING, logger="nightschool"):
        taught = learner.fit(Lessons([long, *sounds("farm")]), seed=1, workspace=tmp_path / "one")
    assert "1 of 9 answers are not learned: with them a window of 64 tokens" in caplog.text
    assert taught.mark(items([long]))[0] == 0.0
    only = learner.fit(Lessons([long]), seed=1, workspace=tmp_path / "two")
    assert only.body is learner.body, "there was nothing to learn"


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_answers_up_to_the_windows_edge(kind: str, folder_of: Folders) -> None:
    text, window = KIND.begin(str(folder_of(kind)), FAST).text, 64
    for words in range(1, 90):
        for row in pair_rows(text, [example("On the farm", "x" * words)], window, text.end):
            assert len(text.prefix) < row.start < len(row.ids) <= window


def test_a_small_window_is_observed_with_answers_that_fit(folder_of: Folders) -> None:
    learner = KIND.begin(str(folder_of("gpt2")), {**FAST, "max_context": 16})
    learner = replace(learner, stored=replace(learner.stored, habits=Habits(9, 16, ends=True)))
    (block,) = learner.observe([Context.of(context("cat", "farm"))], seed=1)
    assert block.probs[..., :-1].sum() > 0
    assert len(learner.predict([Context.of(context("cat", "farm"))])) == 1


def test_a_night_without_answers_changes_nothing(folder_of: Folders, tmp_path: Path) -> None:
    learner = KIND.begin(str(folder_of("llama")), FAST)
    same = learner.fit(Lessons([]), seed=1, workspace=tmp_path)
    assert same is not learner
    assert same.body is learner.body


def test_opening_says_nothing(
    folder_of: Folders, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of("llama")
    capfd.readouterr()
    for method in ("full", "lora"):
        settings = {**FAST, "steps": 1, "member_steps": 1, "method": method}
        learner = KIND.begin(str(folder), settings)
        taught = learner.fit(Lessons(sounds("farm")), seed=1, workspace=tmp_path / "w")
        taught.save(tmp_path / method)
        KIND.load(tmp_path / method, settings)
    said = capfd.readouterr()
    assert said.out == said.err == ""


def test_threads_are_quiet_one_after_another() -> None:
    from transformers.utils import logging as bars

    assert bars.is_progress_bar_enabled()
    begins, seen = threading.Event(), []

    def other() -> None:
        begins.set()
        with opening.quiet():
            ends.wait(5)
            seen.append(bars.is_progress_bar_enabled())

    ends, thread = threading.Event(), threading.Thread(target=other)
    with opening.quiet():
        thread.start()
        begins.wait(5)
        time.sleep(0.05)
    ends.set()
    thread.join()
    assert seen == [False]
    assert bars.is_progress_bar_enabled()


def test_learners_alone_import_no_torch() -> None:
    code = "import sys, nightschool.learners; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_of_another_kind(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LearnerError, match="not written by this learner"):
        KIND.load(folder, {})
    (folder / "nightschool.json").write_text('{"format": 99, "learner": "language"}')
    with pytest.raises(LearnerError, match="has format 99"):
        KIND.load(folder, {})
