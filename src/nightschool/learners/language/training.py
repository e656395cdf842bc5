"""The training loop of a night: AdamW, warm-up, decay, clipping, and checkpoints to go on from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from nightschool.faults import reach
from nightschool.learners.language import checkpoint
from nightschool.learners.language.settings import LanguageSettings
from nightschool.types import LearnerError, Progress

WARM_UP = 4
CLIP = 1.0
BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01

Backward = Callable[[int], float]
"""Computes the gradients of one step (numbered from 0) and returns its loss."""


@dataclass(frozen=True)
class Course:
    """One training: how many steps at which peak rate, where its checkpoints go.

    `identity` names all that goes in; a checkpoint of another identity is not continued.
    """

    steps: int
    rate: float
    file: Path
    identity: str
    every: int


def train(
    parameters: Mapping[str, nn.Parameter],
    backward: Backward,
    course: Course,
    clip: Callable[[], None],
    progress: Progress | None = None,
) -> None:
    """Teach the parameters in place; goes on where a killed training of the same identity was.

    Raises LearnerError where the loss is not a number.
    """
    optimiser = torch.optim.AdamW(
        parameters.values(), lr=course.rate, betas=BETAS, weight_decay=WEIGHT_DECAY
    )
    done = _resume(parameters, optimiser, course)
    for step in range(done, course.steps):
        reach("fit.step")
        for group in optimiser.param_groups:
            group["lr"] = course.rate * _schedule(step, course.steps)
        optimiser.zero_grad(set_to_none=False)
        loss = backward(step)
        if not math.isfinite(loss):
            raise LearnerError(
                f"The loss became {loss} at step {step + 1} of {course.steps} with learning_rate "
                f"{course.rate:g}; lower `learning_rate` (try {course.rate / 10:g})."
            )
        clip()
        optimiser.step()
        if (step + 1) % course.every == 0 and step + 1 < course.steps:
            checkpoint.write_checkpoint(
                course.file,
                _state(parameters, optimiser),
                {"identity": course.identity, "step": step + 1},
            )
        if progress is not None:
            progress(step + 1, course.steps)
    if done < course.steps:
        checkpoint.write_checkpoint(
            course.file,
            {f"weights.{name}": p for name, p in parameters.items()},
            {"identity": course.identity, "step": course.steps},
        )


def clip_together(parameters: Mapping[str, nn.Parameter]) -> Callable[[], None]:
    """Clips the joint norm of all gradients."""

    def clip() -> None:
        torch.nn.utils.clip_grad_norm_(parameters.values(), CLIP)

    return clip


def _schedule(step: int, steps: int) -> float:
    """Share of the peak rate: up in a few steps, then down in a straight line."""
    warm = min(WARM_UP, steps)
    if step < warm:
        return (step + 1) / warm
    return (steps - step) / max(1, steps - warm)


def _state(
    parameters: Mapping[str, nn.Parameter], optimiser: torch.optim.AdamW
) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        moments = optimiser.state[parameter]
        state[f"weights.{name}"] = parameter
        state[f"first.{name}"] = moments["exp_avg"]
        state[f"second.{name}"] = moments["exp_avg_sq"]
    return state


def _resume(
    parameters: Mapping[str, nn.Parameter], optimiser: torch.optim.AdamW, course: Course
) -> int:
    """Set parameters and moments from a checkpoint of this course; how many steps are done."""
    found = checkpoint.read(course.file)
    if found is None or found[1].get("identity") != course.identity:
        return 0
    tensors, facts = found
    step = int(facts["step"])
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[f"weights.{name}"])
    if step < course.steps:
        for name, parameter in parameters.items():
            # Fresh tensors of torch's own, so that memory is laid out as in an unbroken run.
            first, second = torch.zeros_like(parameter), torch.zeros_like(parameter)
            optimiser.state[parameter] = {
                "step": torch.tensor(float(step)),
                "exp_avg": first.copy_(tensors[f"first.{name}"]),
                "exp_avg_sq": second.copy_(tensors[f"second.{name}"]),
            }
    return step


def autocast(settings: LanguageSettings, device: torch.device) -> torch.autocast:
    """bf16 where it is set, or where the processor has units for it; a property of the machine."""
    wanted = settings.precision == "bf16" or (settings.precision == "auto" and _has_bf16(device))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in names)
