"""Opening an encoder: a sentence-transformers or transformers folder, or a hub name.

Weights come as safetensors only and no foreign code runs. A causal language model serves as
well: its last layer's states are pooled. Where the folder says how its states are pooled
(`modules.json`), that is done; else they are averaged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from nightschool.learners.classification.encoder import Encoder, Reading
from nightschool.learners.classification.settings import ClassificationSettings
from nightschool.learners.language.opening import choose_device, locate, quiet
from nightschool.types import LearnerError

POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}
KNOWN = ("Transformer", "Pooling", "Normalize")
LONGEST = 512
"""Tokens read of a text where the model could read more: a label seldom needs them."""


def open_encoder(source: str, settings: ClassificationSettings) -> Encoder:
    """The encoder in a folder, or `NAME@REVISION` of the hub; LearnerError where there is none."""
    name, revision = locate(source)
    folder = Path(name) if revision is None else fetched(name, revision)
    return open_folder(folder, settings, called=source)


def fetched(name: str, revision: str) -> Path:
    """A hub repository at a commit, as a folder of the hub's own cache."""
    from huggingface_hub import snapshot_download

    kinds = ["*.json", "*.safetensors", "*.txt", "*.model"]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=kinds))
    except Exception as error:  # network, missing repository, full disk: one cure
        raise LearnerError(
            f"{name}@{revision} could not be fetched from the hub ({type(error).__name__}); "
            "fetch it by other means and give its folder."
        ) from error


def open_folder(folder: Path, settings: ClassificationSettings, called: str = "") -> Encoder:
    """The encoder in a folder; `called` is what errors call it."""
    from transformers import AutoModel, AutoTokenizer

    called = called or str(folder)
    inner, reading = described(folder, called)
    if not any(inner.glob("*.safetensors")):
        raise LearnerError(
            f"{called} has no safetensors weights; save the model there with "
            "`model.save_pretrained(folder)` and `tokenizer.save_pretrained(folder)`."
        )
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    with quiet():
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(inner), **options)
            with torch.random.fork_rng(devices=[]):
                model = AutoModel.from_pretrained(
                    str(inner), use_safetensors=True, dtype=torch.float32, **options
                )
        except Exception as error:  # transformers raises many kinds here; the cure is the same
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise LearnerError(
                f"{called} cannot be opened as an encoder ({lines[0][:300]}); bring a folder of "
                "sentence-transformers or transformers."
            ) from error
    if getattr(model.config, "is_encoder_decoder", False):
        raise LearnerError(f"{called} is an encoder with a decoder; bring an encoder alone.")
    window = min(reading.window, own_window(model, tokenizer), settings.max_tokens or LONGEST)
    model = model.to(choose_device(settings.device)).eval().requires_grad_(False)
    prefix = settings.prefix or reading.prefix
    return Encoder(model, tokenizer, Reading(reading.pooling, window, prefix), settings.threads)


def own_window(model: Any, tokenizer: Any) -> int:
    """The longest row that model and tokenizer can read, in tokens."""
    rows = getattr(model.config.get_text_config(), "max_position_embeddings", None) or LONGEST
    # RoBERTa counts positions from the padding token's number on.
    offset = 2 if "roberta" in str(model.config.model_type) else 0
    return max(1, min(int(rows) - offset, int(tokenizer.model_max_length)))


def described(folder: Path, called: str) -> tuple[Path, Reading]:
    """Where the model lies in a folder, and how it reads, as far as the folder says."""
    own = read_json(folder / "encoder.json")
    if own:
        return folder, Reading(own["pooling"], own["window"], own["prefix"])
    modules = read_json(folder / "modules.json")
    if not modules:
        return folder, Reading()
    paths: dict[str, Path] = {}
    for module in modules:
        kind = str(module.get("type", "")).rsplit(".", 1)[-1]
        if kind not in KNOWN:
            raise LearnerError(
                f"{called} has a module of type {kind!r} after its model, which is not known here "
                f"(known: {', '.join(KNOWN)}); bring another encoder."
            )
        paths[kind] = folder / str(module.get("path", ""))
    inner = paths.get("Transformer", folder)
    limits = read_json(inner / "sentence_bert_config.json") or {}
    pooling = read_json(paths["Pooling"] / "config.json") if "Pooling" in paths else None
    window = int(limits.get("max_seq_length") or LONGEST)
    return inner, Reading(pooling_of(pooling or {}, called), window)


def pooling_of(config: Any, called: str) -> str:
    """The way of pooling that a sentence-transformers folder asks for; one, not several."""
    asked = [key for key, value in config.items() if key.startswith("pooling_mode_") and value]
    wanted = [POOLINGS.get(key) for key in asked] or ["mean"]
    if len(wanted) != 1 or wanted[0] is None:
        raise LearnerError(
            f"{called} pools by {', '.join(asked)}; known here is one of {', '.join(POOLINGS)}."
        )
    return wanted[0]


def read_json(path: Path) -> Any:
    """What a JSON file says; None where there is no such file."""
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LearnerError(f"{path} is not valid JSON ({error}); fetch it again.") from error
