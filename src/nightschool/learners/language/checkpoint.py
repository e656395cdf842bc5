"""Checkpoints: everything that a step leaves behind, in one file that is whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nightschool.faults import reach

_KEY = "nightschool"


def write(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Tensors and facts (as JSON in the header) in one safetensors file, atomically.

    Written beside its place, flushed to the disk, then renamed.
    """
    whole = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    data = save(whole, {_KEY: json.dumps(facts, sort_keys=True)})
    write_bytes(path, data)


def write_bytes(path: Path, data: bytes) -> None:
    """A whole file, or the one that was there before."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(beside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """A checkpoint of a fit; a test may kill the process before or after it is in place."""
    reach("fit.checkpoint")
    write(path, tensors, facts)
    reach("fit.checkpoint")


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and facts of a file, or None where there is none (or not one of ours)."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})[_KEY])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except (SafetensorError, KeyError, json.JSONDecodeError):
        return None


def digest(tensors: Mapping[str, Tensor], *facts: object) -> str:
    """sha256 over names, values and facts: two fits with one digest are the same fit."""
    state = hashlib.sha256(repr(facts).encode())
    for name in sorted(tensors):
        state.update(name.encode())
        value = tensors[name].detach().cpu().contiguous()
        state.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return state.hexdigest()
