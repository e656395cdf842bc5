"""The language learner passes the suite that a stranger's learner passes."""

from __future__ import annotations

import torch

from nightschool.learners.language import KIND
from nightschool.testing import check_learner

from .language import tiny_models as tiny


def test_conformance(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        learner = KIND.begin(str(tiny.build(tmp_path / "model", "llama")), tiny.FAST)
        pairs = zip(tiny.ANIMALS, tiny.SOUNDS, strict=True)
        lessons = [(tiny.context(a, "farm"), s) for a, s in pairs]
        check_learner(KIND, learner, lessons, tiny.texts())
    finally:
        torch.set_num_threads(before)
