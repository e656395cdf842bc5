"""A language learner's folder.

`nightschool.json` says what lies there. A fully trained model is a whole transformers folder. A
model with an adapter has the adapter in PEFT's format, and `"base"` says where the model is that
it stands on: `"../NAME"`, the folder of the version that was saved first, when that lies beside
(so the weights of a large model are kept once and the whole tree can be moved), or else `"base"`,
a folder inside. `members.safetensors` has the posterior, when there is one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from nightschool.learners.language import adapter, checkpoint
from nightschool.learners.language.marking import Habits
from nightschool.learners.language.opening import open_model, quiet
from nightschool.types import LearnerError

_FILE = "nightschool.json"
_MEMBERS = "members.safetensors"
_ADAPTER = "adapter_model.safetensors"
_BASE = "base"
_FORMAT = 1


@dataclass(frozen=True)
class Stored:
    """What a folder says about its learner: where the model came from, where its base lies."""

    source: str
    method: str
    habits: Habits
    base: str | None = None


def save(
    folder: Path,
    stored: Stored,
    model: Any,
    tokenizer: Any,
    wrapped: Any | None,
    members: dict[str, Tensor] | None,
) -> None:
    """Write everything that `load` needs into a folder (made where it is missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    base = None
    if wrapped is None:
        _save_model(folder, model, tokenizer)
    else:
        base = stored.base
        if base is None or not (folder / base).is_dir():
            base = _BASE
            _save_model(folder / base, adapter.without(wrapped, model), tokenizer)
        adapter.save_adapter(wrapped, folder, base)
    if members is not None:
        checkpoint.write(folder / _MEMBERS, members, {"format": _FORMAT})
    facts = {"format": _FORMAT, "learner": "language", **asdict(replace(stored, base=base))}
    data = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    checkpoint.write_bytes(folder / _FILE, data.encode())


def read(folder: Path) -> tuple[Stored, dict[str, Tensor] | None]:
    """What a saved folder says, and its posterior; raises LearnerError when it is not one."""
    try:
        facts = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise LearnerError(
            f"{folder} was not written by this learner (no readable {_FILE}); "
            "use `begin` for a model of your own."
        ) from error
    if facts.get("format") != _FORMAT or facts.get("learner") != "language":
        raise LearnerError(f"{folder} has format {facts.get('format')!r}; this is {_FORMAT}.")
    members = checkpoint.read(folder / _MEMBERS)
    if members is None and (folder / _MEMBERS).exists():
        raise LearnerError(f"{folder / _MEMBERS} is damaged; restore the version.")
    stored = Stored(facts["source"], facts["method"], Habits(**facts["habits"]), facts["base"])
    return stored, members[0] if members else None


def as_base(folder: Path, stored: Stored) -> str | None:
    """Where the base lies as seen from a folder beside this one; None for a fully trained model."""
    if stored.method != "lora":
        return None
    here = f"../{folder.resolve().name}"
    if stored.base is None:
        return here
    return f"{here}/{_BASE}" if stored.base == _BASE else stored.base


def open_base(folder: Path, stored: Stored, device: str) -> tuple[Any, Any]:
    """The model and tokenizer on which the folder's adapter stands, or the folder's own."""
    base = folder if stored.base is None else (folder / stored.base)
    if not base.is_dir():
        raise LearnerError(
            f"{folder} stands on the base {base}, which is not there; keep the folders together."
        )
    return open_model(str(base), None, device)


def _save_model(folder: Path, model: Any, tokenizer: Any) -> None:
    with quiet():
        model.save_pretrained(str(folder), safe_serialization=True)
        tokenizer.save_pretrained(str(folder))


def has_adapter(folder: Path) -> bool:
    """Whether the folder holds an adapter."""
    return (folder / _ADAPTER).is_file()
