"""The adapter that a unet learns in: LoRA by PEFT, in the layers of attention."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nightschool.learners.language.adapter import copy_sharing, trained
from nightschool.learners.language.lessons import generator
from nightschool.learners.language.opening import quiet
from nightschool.types import LearnerError

LAYERS = ("to_k", "to_out.0", "to_q", "to_v")
"""Of each attention, as usual for Stable Diffusion."""

_NAME = ".default."


def attach(unet: Any, rank: int) -> Any:
    """A copy of the unet with a fresh adapter, which changes nothing yet; the base is shared."""
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(r=rank, lora_alpha=rank, lora_dropout=0.0, target_modules=list(LAYERS))
    made = copy_sharing(unet, unet)
    try:
        # PEFT draws from the global random state: it is put back, and the draw made anew by key.
        with torch.random.fork_rng(devices=[]), quiet():
            inject_adapter_in_model(config, made)
    except ValueError as error:
        raise LearnerError(
            f"The unet has no attention layers named {', '.join(LAYERS)}; bring another."
        ) from error
    for name, parameter in sorted(trained(made).items()):
        if ".lora_A." in name:
            drawn = generator("adapter", name).uniform(-1, 1, tuple(parameter.shape))
            bound = 1.0 / math.sqrt(parameter.shape[1])
            with torch.no_grad():
                parameter.copy_(torch.from_numpy((drawn * bound).astype("float32")))
    return made.eval().requires_grad_(False)


def weights(unet: Any) -> dict[str, Tensor]:
    """A copy of the adapter's weights, by their names in files."""
    return {
        name.replace(_NAME, "."): parameter.detach().cpu().clone()
        for name, parameter in sorted(trained(unet).items())
    }


def with_weights(unet: Any, found: Mapping[str, Tensor]) -> Any:
    """A copy of the unet whose adapter has those weights; the base is shared."""
    made = copy_sharing(unet, unet)
    with torch.no_grad():
        for name, parameter in trained(made).items():
            parameter.copy_(found[name.replace(_NAME, ".")])
    return made


def without(unet: Any) -> Any:
    """The unet as it was before the adapter; its weights are shared."""
    from peft.tuners.lora import LoraLayer

    made = copy_sharing(unet, unet)
    for name, module in list(made.named_modules()):
        if isinstance(module, LoraLayer):
            parent, _, child = name.rpartition(".")
            setattr(made.get_submodule(parent), child, module.base_layer)
    made.peft_config = None
    return made
