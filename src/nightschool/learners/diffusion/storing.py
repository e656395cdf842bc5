"""A diffusion learner's folder.

`nightschool.json` says what lies there, `pytorch_lora_weights.safetensors` is the adapter as
diffusers knows it (`pipeline.load_lora_weights(folder)`), `members.safetensors` the posterior.
`"base"` says where the pipeline is that the adapter stands on: `"../NAME/base"`, in the version
that was saved first, when that lies beside (so its weights are kept once and the whole tree can
be moved), or else `"base"`, a folder inside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from nightschool.learners.diffusion import adapter
from nightschool.learners.diffusion.opening import open_pipeline, save_pipeline
from nightschool.learners.diffusion.pipeline import Pipeline
from nightschool.learners.language import checkpoint
from nightschool.types import LearnerError

_FACTS = "nightschool.json"
_ADAPTER = "pytorch_lora_weights.safetensors"
_MEMBERS = "members.safetensors"
_BASE = "base"
_FORMAT = 1
_PREFIX = "unet."

Members = tuple[Mapping[str, Tensor], ...]


@dataclass(frozen=True)
class Stored:
    """What a folder says about its learner; `residual` is the error variance at each level."""

    source: str
    rank: int
    residual: tuple[float, ...]
    base: str | None = None


def save(folder: Path, stored: Stored, pipeline: Pipeline, members: Members) -> None:
    """Write everything that `load` needs into a folder (made where it is missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    base = stored.base
    if base is None or not (folder / base).is_dir():
        base = _BASE
        save_pipeline(pipeline, adapter.without(pipeline.unet), folder / base)
    found = adapter.weights(pipeline.unet)
    checkpoint.write(folder / _ADAPTER, {_PREFIX + k: v for k, v in found.items()}, {})
    if members:
        tensors = {f"{i}.{k}": v for i, one in enumerate(members) for k, v in one.items()}
        checkpoint.write(folder / _MEMBERS, tensors, {"members": len(members)})
    facts = {"format": _FORMAT, "learner": "diffusion", **asdict(replace(stored, base=base))}
    data = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    checkpoint.write_bytes(folder / _FACTS, data.encode())


def load(folder: Path, device: str) -> tuple[Stored, Pipeline, Members]:
    """A saved learner: what its folder says (as seen from one beside it), pipeline, members."""
    stored = _read(folder)
    base = folder / str(stored.base)
    if not base.is_dir():
        raise LearnerError(
            f"{folder} stands on the base {base}, which is not there; keep the folders together."
        )
    pipeline = open_pipeline(base, device)
    tensors, _ = _tensors(folder / _ADAPTER)
    fresh = adapter.attach(pipeline.unet, stored.rank)
    try:
        unet = adapter.with_weights(fresh, {k.removeprefix(_PREFIX): v for k, v in tensors.items()})
    except (KeyError, RuntimeError) as error:
        raise LearnerError(
            f"The adapter in {folder} does not fit its base {base} ({error}); restore the version."
        ) from error
    members: Members = ()
    if (folder / _MEMBERS).exists():
        tensors, facts = _tensors(folder / _MEMBERS)
        members = tuple(_member(tensors, i) for i in range(int(facts["members"])))
    beside = f"../{folder.resolve().name}/{_BASE}" if stored.base == _BASE else stored.base
    return replace(stored, base=beside), replace(pipeline, unet=unet), members


def _member(tensors: Mapping[str, Tensor], number: int) -> Mapping[str, Tensor]:
    prefix = f"{number}."
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    found = checkpoint.read(path)
    if found is None:
        raise LearnerError(f"{path} is missing or damaged; restore the version.")
    return found


def _read(folder: Path) -> Stored:
    try:
        facts = json.loads((folder / _FACTS).read_text("utf-8"))
        if facts.get("format") != _FORMAT or facts.get("learner") != "diffusion":
            raise LearnerError(
                f"{folder} has format {facts.get('format')!r} of learner {facts.get('learner')!r}; "
                f"this is format {_FORMAT} of diffusion."
            )
        return Stored(facts["source"], facts["rank"], tuple(facts["residual"]), facts["base"])
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise LearnerError(
            f"{folder} was not written by this learner (no readable {_FACTS}: {error}); use "
            "`begin` for a pipeline of your own."
        ) from error
