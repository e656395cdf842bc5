"""A classifier's folder.

`classifier.json` has the labels and the prior's precision, `classifier.safetensors` the head's
mean with the vectors, classes and weights that it was fitted on. The encoder is kept once: in
`encoder/` of the version that was saved first, to which later versions point (`"../NAME/encoder"`)
as long as it lies beside, so the whole tree can be moved.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from nightschool.learners.classification.encoder import Encoder
from nightschool.learners.language.opening import quiet
from nightschool.types import LearnerError

FILE, ARRAYS, ENCODER = "classifier.json", "classifier.safetensors", "encoder"
FORMAT = 1


def save(
    folder: Path,
    facts: dict[str, Any],
    arrays: dict[str, NDArray[Any]],
    encoder: Encoder,
    base: str | None,
) -> None:
    """Write everything that `read` needs; the encoder too, unless it lies at `base`."""
    folder.mkdir(parents=True, exist_ok=True)
    if base is None or not (folder / base).is_dir():
        base = ENCODER
        with quiet():
            encoder.model.save_pretrained(str(folder / base), safe_serialization=True)
            encoder.tokenizer.save_pretrained(str(folder / base))
        (folder / base / "encoder.json").write_text(json.dumps(asdict(encoder.reading)))
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / ARRAYS)
    body = {"format": FORMAT, "learner": "classification", "encoder": base, **facts}
    (folder / FILE).write_text(json.dumps(body, indent=2, sort_keys=True) + "\n", "utf-8")


def read(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The facts and arrays of a saved folder; LearnerError when it is not one."""
    try:
        facts = json.loads((folder / FILE).read_text(encoding="utf-8"))
        arrays = load_file(folder / ARRAYS)
    except Exception as error:  # missing, cut short, not JSON, not safetensors: one cure
        raise LearnerError(
            f"{folder} holds no classifier ({type(error).__name__}: {error}); "
            "see `nightschool doctor`."
        ) from error
    if facts.get("format") != FORMAT or facts.get("learner") != "classification":
        raise LearnerError(f"{folder} has format {facts.get('format')!r}; this is {FORMAT}.")
    return facts, arrays


def encoder_folder(folder: Path, facts: dict[str, Any]) -> Path:
    """Where a saved folder's encoder lies; LearnerError where it is gone."""
    found = folder / str(facts["encoder"])
    if not found.is_dir():
        raise LearnerError(
            f"{folder} stands on the encoder {found}, which is not there; keep the folders "
            "together."
        )
    return found


def as_base(folder: Path, facts: dict[str, Any]) -> str:
    """Where the encoder lies as seen from a folder beside this one."""
    base = str(facts["encoder"])
    return f"../{folder.resolve().name}/{ENCODER}" if base == ENCODER else base
