"""Builds a base from nothing, to be shipped: pretrained, and stored in 16 bits."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightschool.learners.drawing import storing
from nightschool.learners.drawing.settings import DrawingSettings
from nightschool.learners.drawing.teaching import PRETRAINING_STEPS, pretrain
from nightschool.learners.drawing.training import threads as with_threads
from nightschool.types import Progress


def build(
    folder: Path | str,
    captions: Sequence[str],
    pictures: NDArray[np.uint8],
    *,
    seed: int = 0,
    threads: int = 1,
    steps: int = PRETRAINING_STEPS,
    settings: DrawingSettings | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Pretrain on captions (n) and pictures (n, side, side) uint8, save, and return the claims.

    The claims (how it was built) are written beside the weights. The same pictures, seed, steps
    and number of threads give the same weights on one machine. Raises LearnerError for no
    pictures.
    """
    started = time.perf_counter()
    folder = Path(folder)
    chosen = settings or DrawingSettings()
    with with_threads(threads):
        brain = pretrain(captions, pictures, chosen, seed, steps=steps, progress=progress)
    storing.save(folder, brain, chosen, half=True)
    claims = {
        "captions": len(brain.taught),
        "drawings": len(captions),
        "parameters": sum(p.numel() for p in brain.network.parameters()),
        "residual": [round(float(r), 4) for r in brain.residual],
        "seconds": round(time.perf_counter() - started, 1),
        "seed": seed,
        "steps": steps,
        "threads": threads,
    }
    (folder / "claims.json").write_text(json.dumps(claims, indent=2) + "\n", encoding="utf-8")
    return claims
