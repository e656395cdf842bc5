"""A drawing learner's folder: `model.safetensors` (numbers) and `drawing.json` (facts)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch import Tensor

from nightschool.learners.drawing.network import Network
from nightschool.learners.drawing.settings import SHAPE, DrawingSettings
from nightschool.types import LearnerError

_MODEL, _FACTS = "model.safetensors", "drawing.json"
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Brain:
    """Everything that a version is: its network and what it remembers of its lessons.

    `mean` is the mean code of what it was pretrained on, `gram` and `residual` are its posterior
    (see `posterior`), `taught` says how often each caption was taught.
    """

    network: Network
    mean: Tensor
    gram: Tensor
    residual: Tensor
    taught: Mapping[str, int]


def blank(settings: DrawingSettings) -> Network:
    """A network of those settings' shape; its weights are to be set."""
    return Network(
        settings.kept * settings.kept, settings.hidden, settings.blocks, settings.condition
    )


def save(folder: Path, brain: Brain, settings: DrawingSettings, *, half: bool = False) -> None:
    """Write a learner into a folder; `half` stores the network in 16 bits (for shipping)."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = torch.float16 if half else torch.float32
    tensors = {f"network.{k}": v.to(kind) for k, v in brain.network.state_dict().items()}
    tensors |= {k: getattr(brain, k) for k in ("mean", "gram", "residual")}
    whole = {k: v.detach().contiguous() for k, v in tensors.items()}
    (folder / _MODEL).write_bytes(as_bytes(whole))
    facts = {
        "format": _FORMAT,
        "learner": "drawing",
        "shape": settings.shape,
        "taught": dict(brain.taught),
    }
    (folder / _FACTS).write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", "utf-8")


def read(folder: Path) -> tuple[Brain, DrawingSettings]:
    """A learner's brain, and settings of its shape; LearnerError when there is none."""
    try:
        facts = json.loads((folder / _FACTS).read_text("utf-8"))
        if facts.get("format") != _FORMAT or facts.get("learner") != "drawing":
            raise LearnerError(f"{folder} has format {facts.get('format')!r}; this is {_FORMAT}.")
        settings = _shape(facts)
        tensors = {k: v.float() for k, v in load_file(folder / _MODEL).items()}
        network = blank(settings)
        prefix = "network."
        network.load_state_dict(
            {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        )
        brain = Brain(
            network.requires_grad_(False),
            tensors["mean"],
            tensors["gram"],
            tensors["residual"],
            dict(facts["taught"]),
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise LearnerError(
            f"{folder} holds no drawing learner ({error}); see `nightschool doctor`, or build the "
            "starter with `nightschool starter build-artist`."
        ) from error
    return brain, settings


def _shape(facts: Mapping[str, Any]) -> DrawingSettings:
    """Settings of a folder's shape; the first versions stored it among all their settings."""
    stored = facts["shape"] if "shape" in facts else facts["settings"]
    return DrawingSettings.of({key: stored[key] for key in SHAPE})
