"""The adapter that a large model learns in: LoRA by PEFT, the same one night after night."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nightschool.learners.language.lessons import generator
from nightschool.learners.language.opening import quiet

_MARK = "lora_"


def new_adapter(model: nn.Module, layers: list[str], rank: int, seed: int) -> Any:
    """A PEFT model around the model, with a fresh adapter in the named layers.

    The model is changed in place: give a copy.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=rank,
        lora_alpha=rank,
        lora_dropout=0.0,
        target_modules=layers,
        bias="none",
        task_type="CAUSAL_LM",
        fan_in_fan_out=_is_turned(model, layers),
    )
    # PEFT draws from the global random state: it is put back, and the draw made anew by key.
    with torch.random.fork_rng(devices=[]), quiet():
        wrapped = get_peft_model(model, config)
    for name, parameter in sorted(trained(wrapped.base_model.model).items()):
        if ".lora_A." in name:
            drawn = generator("adapter", seed, name).uniform(-1, 1, tuple(parameter.shape))
            bound = 1.0 / math.sqrt(parameter.shape[1])
            with torch.no_grad():
                parameter.copy_(torch.from_numpy((drawn * bound).astype("float32")))
    return wrapped.eval()


def load_adapter(model: nn.Module, folder: Path) -> Any:
    """A PEFT model around the model, with the adapter that `save_adapter` wrote."""
    from peft import PeftModel

    with torch.random.fork_rng(devices=[]), quiet():
        return PeftModel.from_pretrained(model, str(folder)).eval()


def save_adapter(wrapped: Any, folder: Path, base: str) -> None:
    """The adapter in PEFT's own format; `base` is where its base lies, relative to the folder."""
    wrapped = copy.copy(wrapped)
    wrapped.peft_config = {name: _tidy(c, base) for name, c in wrapped.peft_config.items()}
    with quiet():
        wrapped.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card


def _tidy(config: Any, base: str) -> Any:
    """A copy of PEFT's settings that is written alike by every process (sets have no order)."""
    config = copy.copy(config)
    config.base_model_name_or_path = base
    config.inference_mode = True
    config.target_modules = sorted(config.target_modules)
    return config


def without(wrapped: Any, model: nn.Module) -> Any:
    """The model that the adapter stands on, as it was before it."""
    return copy_sharing(wrapped, model).unload()


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """The adapter's weights by name."""
    return {name: p for name, p in model.named_parameters() if _MARK in name}


def copy_sharing(wrapped: Any, model: nn.Module) -> Any:
    """A copy with weights of its own where it learns, and the base's weights shared."""
    kept: dict[int, Any] = {id(p): p for name, p in model.named_parameters() if _MARK not in name}
    return copy.deepcopy(wrapped, kept)


def _is_turned(model: nn.Module, layers: list[str]) -> bool:
    named = dict(model.named_modules())
    return bool(layers) and not isinstance(named[layers[0]], nn.Linear)
