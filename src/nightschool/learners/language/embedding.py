"""Embeddings of texts: what the model's last layer makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from nightschool.learners.language.body import Body, batches
from nightschool.learners.language.lessons import fit_window
from nightschool.learners.language.marking import TOKENS_AT_ONCE
from nightschool.learners.language.text import Text
from nightschool.types import Floats


def embed(body: Body, text: Text, texts: Sequence[str], window: int) -> Floats:
    """Unit vectors (n, d): the mean of the last layer's states over each text's tokens."""
    prefix = len(text.prefix)
    rows = [fit_window(ids, window, prefix) for ids in text.contexts(texts)]
    found = np.zeros((len(rows), body.width), dtype=np.float32)
    for batch in batches([len(row) for row in rows], TOKENS_AT_ONCE):
        mean, _ = body.embed([rows[i] for i in batch])
        found[batch] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
    return found
