"""Models and checkpoints as files: safetensors and JSON, whole on the disk or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from nightschool.faults import reach
from nightschool.learners.dynamics.ensemble import Ensemble, fresh
from nightschool.learners.dynamics.lesson import lesson_of
from nightschool.learners.dynamics.settings import parse
from nightschool.types import LearnerError

MODEL, SETTINGS, CHECKPOINT = "model.safetensors", "settings.json", "checkpoint.safetensors"

_SHAPE = ("system", "states", "angles", "stopped", "low", "high", "members", "hidden")


def save_model(ensemble: Ensemble, folder: Path) -> None:
    """model.safetensors and settings.json (the system, the shape) into an empty folder."""
    save_file({k: v.contiguous() for k, v in ensemble.arrays.items()}, folder / MODEL)
    text = json.dumps({k: getattr(ensemble.settings, k) for k in _SHAPE}, sort_keys=True)
    (folder / SETTINGS).write_text(text, encoding="utf-8")


def load_model(folder: Path, settings: Mapping[str, object]) -> Ensemble:
    """The ensemble that `save_model` wrote; how it learns follows `settings`, not the folder.

    Raises LearnerError for a folder without one, and for settings that ask for another shape.
    """
    try:
        body = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        shape = {k: body[k] for k in _SHAPE}
        stored, arrays = parse(shape), load_file(folder / MODEL)
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise _no_model(folder, error) from error
    expected = fresh(stored, lesson_of([], stored), 0).arrays
    shapes = {k: v.shape for k, v in arrays.items()}
    if shapes != {k: v.shape for k, v in expected.items()}:
        raise _no_model(folder, "its arrays have other shapes than its settings say")
    chosen = parse({**shape, **settings})
    for name in _SHAPE:
        if getattr(chosen, name) != getattr(stored, name):
            raise LearnerError(
                f"{name} is {getattr(chosen, name)}, but the model in {folder} has "
                f"{getattr(stored, name)}; set `{name}` back, or begin a new school."
            )
    return Ensemble(chosen, arrays)


def save_checkpoint(
    workspace: Path,
    identity: str,
    step: int,
    trained: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """The state after a step of the fit of that identity."""
    arrays = {f"value.{k}": v.detach() for k, v in trained.items()}
    for name, values in trained.items():
        for key, moment in optimizer.state[values].items():
            arrays[f"{key}.{name}"] = moment.detach()
    arrays["done"] = torch.tensor([step])
    temporary = workspace / "checkpoint.tmp"
    whole = {k: v.contiguous() for k, v in arrays.items()}
    with open(temporary, "wb") as file:
        file.write(save(whole, {"identity": identity}))
        file.flush()
        os.fsync(file.fileno())
    reach("fit.checkpoint")
    os.replace(temporary, workspace / CHECKPOINT)


def load_checkpoint(
    workspace: Path,
    identity: str,
    trained: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> int:
    """Put values and optimizer where a fit of that identity was; its step, 0 where there is none.

    `trained` are the optimizer's own tensors: they are written into.
    """
    path = workspace / CHECKPOINT
    if not path.exists():
        return 0
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("identity") != identity:
                return 0
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError:  # no checkpoint of ours: the fit begins anew
        return 0
    for name, values in trained.items():
        values.copy_(arrays[f"value.{name}"])
        moments = ("step", "exp_avg", "exp_avg_sq")
        optimizer.state[values] = {key: arrays[f"{key}.{name}"] for key in moments}
    return int(arrays["done"])


def _no_model(folder: Path, why: object) -> LearnerError:
    return LearnerError(f"{folder} holds no dynamics learner ({why}); see `nightschool doctor`.")
