"""The training loop of nights and of pretraining: AdamW, warm-up, decay, checkpoints."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from nightschool.faults import reach
from nightschool.types import LearnerError, Progress

BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
CLIP = 1.0
WARM_UP = 0.02

Loss = Callable[[int, torch.Generator], Tensor]
"""The loss of a step (numbered from 0); its draws come from the generator, which is its own."""


@dataclass(frozen=True)
class Course:
    """One training: how many steps at which peak rate, and where its checkpoints go, if any.

    `identity` names all that goes in; a checkpoint of another identity is not continued.
    """

    steps: int
    rate: float
    seed: int
    file: Path | None = None
    identity: str = ""
    every: int = 50


def train(model: nn.Module, loss: Loss, course: Course, progress: Progress | None = None) -> None:
    """Teach the model in place; goes on where a killed training of the same identity was.

    Raises LearnerError where the loss is not a number.
    """
    parameters = dict(model.named_parameters())
    optimiser = torch.optim.AdamW(
        parameters.values(), lr=course.rate, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True
    )
    for step in range(_resume(parameters, optimiser, course), course.steps):
        reach("fit.step")
        for group in optimiser.param_groups:
            group["lr"] = course.rate * _schedule(step, course.steps)
        optimiser.zero_grad(set_to_none=False)
        value = loss(step, generator(course.seed, step))
        if not math.isfinite(float(value.detach())):
            raise LearnerError(
                f"The loss became {float(value.detach())} at step {step + 1} of {course.steps} "
                f"with learning_rate {course.rate:g}; lower `learning_rate` "
                f"(try {course.rate / 10:g})."
            )
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters.values(), CLIP)
        optimiser.step()
        if course.file is not None and (step + 1) % course.every == 0:
            _write(course.file, _state(parameters, optimiser), course.identity, step + 1)
        if progress is not None:
            progress(step + 1, course.steps)


def generator(seed: int, *key: int) -> torch.Generator:
    """A generator of its own for each key, whatever was drawn before."""
    words = np.random.SeedSequence([seed & (2**64 - 1), *key]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(words[0]) >> 1)


def digest(tensors: Mapping[str, Tensor], *facts: object) -> str:
    """sha256 over names, values and facts: two fits with one digest are the same fit."""
    state = hashlib.sha256(repr(facts).encode())
    for name in sorted(tensors):
        state.update(name.encode())
        state.update(tensors[name].detach().contiguous().numpy().tobytes())
    return state.hexdigest()


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Work with n threads, then with as many as before: sums depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _schedule(step: int, steps: int) -> float:
    """Share of the peak rate: up in a few steps, then down in a straight line."""
    warm = max(4.0, WARM_UP * steps)
    return min(1.0, (step + 1) / warm) * (1.0 - step / steps)


def _state(parameters: Mapping[str, Tensor], optimiser: torch.optim.AdamW) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        state[f"weights.{name}"] = parameter.detach()
        state[f"first.{name}"] = optimiser.state[parameter]["exp_avg"]
        state[f"second.{name}"] = optimiser.state[parameter]["exp_avg_sq"]
    return state


def _write(path: Path, state: Mapping[str, Tensor], identity: str, step: int) -> None:
    """The state after a step; whole on the disk or not at all."""
    beside = path.with_name(f".{path.name}")
    with open(beside, "wb") as file:
        file.write(save(dict(state), {"identity": identity, "step": str(step)}))
        file.flush()
        os.fsync(file.fileno())
    reach("fit.checkpoint")
    os.replace(beside, path)
    reach("fit.checkpoint")


def _resume(parameters: Mapping[str, Tensor], optimiser: torch.optim.AdamW, course: Course) -> int:
    """Set parameters and moments from a checkpoint of this course; how many steps are done."""
    if course.file is None or not course.file.is_file():
        return 0
    try:
        with safe_open(course.file, framework="pt") as file:
            facts = file.metadata() or {}
            if facts.get("identity") != course.identity:
                return 0
            step = int(facts["step"])
            for name, parameter in parameters.items():
                parameter.detach().copy_(file.get_tensor(f"weights.{name}"))
                optimiser.state[parameter] = {
                    "step": torch.tensor(float(step)),
                    "exp_avg": file.get_tensor(f"first.{name}").clone(),
                    "exp_avg_sq": file.get_tensor(f"second.{name}").clone(),
                }
            return step
    except SafetensorError:  # no checkpoint of ours: the fit begins anew
        return 0
