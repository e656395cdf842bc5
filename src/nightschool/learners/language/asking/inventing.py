"""Inventing: contexts written from nothing, by a copy of the model that has read what was answered.

The copy learns for a moment what questions look like, writes, and is thrown away.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from nightschool.learners.language.body import Body
from nightschool.learners.language.lessons import Row, generator
from nightschool.learners.language.members import row_loss
from nightschool.learners.language.text import Text
from nightschool.learners.language.training import Course, clip_together, train
from nightschool.learners.language.writing import sample

STEPS = 40
ROWS = 16
"""Steps of the copy's training and contexts a step: more steps, and it copies what it read."""

LEAST = 20
"""Answered contexts below which nothing is learned from them."""


def invent(
    body: Body,
    text: Text,
    told: Sequence[str],
    n: int,
    *,
    parameters: Mapping[str, nn.Parameter],
    rate: float,
    seed: int,
    longest: int,
) -> list[str]:
    """At most n different texts by a model that learns, in place, to write contexts like `told`.

    `body` is a copy that may be changed, `parameters` what of it learns, at the peak `rate`.
    None where fewer than 20 were told, or where the model has no token for the end of a text.
    """
    if len(told) < LEAST or text.end is None or n <= 0:
        return []
    start, end = text.begin, text.end
    whole = [(*start, *ids, end) for ids in text.encode_all(list(told))]
    rows = [
        Row(ids, len(start), 1 / (ROWS * (len(ids) - len(start))))
        for ids in whole
        if len(ids) <= longest
    ]
    if not rows:
        return []
    rng = generator("invent", seed)
    draws = rng.integers(0, len(rows), (STEPS, ROWS))

    def backward(step: int) -> float:
        loss = row_loss(body, [rows[i] for i in draws[step]])
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    for parameter in parameters.values():
        parameter.requires_grad_(True)
    with tempfile.TemporaryDirectory() as folder, body.threads():
        course = Course(STEPS, rate, Path(folder) / "writer.safetensors", "writer", STEPS)
        train(parameters, backward, course, clip_together(parameters))
    for parameter in parameters.values():
        parameter.requires_grad_(False)
        parameter.grad = None
    written = sample(body, text, n, seed=seed, longest=longest)
    return list(dict.fromkeys(found for found in written if found))
