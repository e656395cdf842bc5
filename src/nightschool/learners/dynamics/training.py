"""Teaching the ensemble: AdamW on bootstraps, with checkpoints that a killed fit goes on from."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nightschool.faults import reach
from nightschool.learners.dynamics.ensemble import LAYERS, Ensemble, forward, fresh, tensor
from nightschool.learners.dynamics.lesson import Lesson
from nightschool.learners.dynamics.settings import Settings
from nightschool.learners.dynamics.storing import load_checkpoint, save_checkpoint
from nightschool.types import LearnerError, Progress

_WARM_UP = 20
_BETAS = (0.9, 0.99)
_RIDGE = 1.0
_LEAST_SIGMA = 0.01
_FIRST_SIGMA = math.exp(-1.0)
_LEAST_NOISE = 1e-8


@dataclass(frozen=True, eq=False)
class Classroom:
    """One night's fit: inputs (n, f), targets (n, s) in units, counts (m, n), its seed."""

    settings: Settings
    start: Ensemble
    inputs: Tensor
    targets: Tensor
    counts: Tensor
    seed: int

    @property
    def identity(self) -> str:
        """Names the fit: what is learned, from where, with which settings and seed."""
        facts = json.dumps([asdict(self.settings), self.seed], sort_keys=True)
        digest = hashlib.sha256(facts.encode())
        for each in (self.inputs, self.targets, self.counts):
            digest.update(each.numpy().tobytes())
        return digest.hexdigest()


def teach(
    settings: Settings,
    lesson: Lesson,
    seed: int,
    workspace: Path,
    progress: Progress | None = None,
) -> Ensemble:
    """An ensemble fitted on a lesson: each member on a bootstrap of its own.

    Gaussian likelihood with one variance a coordinate (Chua et al. 2018, eq. 1, with the
    variance held equal over inputs), from a straight line found by ridge regression. It starts
    anew each night: the ensemble is a function of settings, data and seed alone. Raises
    LearnerError where the loss or a weight stops being a number.
    """
    room = _classroom(settings, lesson, seed)
    trained = {k: _own(room.start.arrays[k]) for k in _names()}
    trained["log_sigma"] = torch.full(
        (settings.members, 1, settings.states), math.log(_FIRST_SIGMA)
    )
    optimizer = _optimizer(trained, settings, len(lesson))
    step = load_checkpoint(workspace, room.identity, trained, optimizer)
    for values in trained.values():
        values.requires_grad_()
    while step < settings.steps:
        reach("fit.step")
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _pace(step, settings.steps)
        optimizer.zero_grad()
        loss = _loss(room, trained, step)
        _must_be_finite(loss, step, settings)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        step += 1
        if step % settings.checkpoint == 0:
            save_checkpoint(workspace, room.identity, step, trained, optimizer)
        if progress is not None:
            progress(step, settings.steps)
    taught = _finished(room, trained)
    for name in (*_names(), "noise"):
        _must_be_finite(taught.arrays[name].abs().max(), step, settings)
    return taught


def _must_be_finite(value: Tensor, step: int, settings: Settings) -> None:
    found = float(value.detach())
    if not math.isfinite(found):
        raise LearnerError(
            f"The loss or a weight became {found} after {step} of {settings.steps} steps with "
            f"learning_rate {settings.learning_rate:g}; lower `learning_rate` "
            f"(try {settings.learning_rate / 10:g})."
        )


def _own(values: Tensor) -> Tensor:
    """A copy in one piece: the fused optimizer takes values and moments in their memory's order."""
    return values.clone(memory_format=torch.contiguous_format)


def _names() -> list[str]:
    return [*LAYERS, *(f"{name}.bias" for name in LAYERS)]


def _classroom(settings: Settings, lesson: Lesson, seed: int) -> Classroom:
    start = fresh(settings, lesson, seed)
    inputs = start.inputs(tensor(lesson.states), tensor(lesson.actions))
    unit = start.arrays["unit"]
    targets = tensor(lesson.moves) / torch.where(unit > 0, unit, 1.0)
    rng = np.random.default_rng([seed % 2**63, 1])
    draws = rng.poisson(1.0, (settings.members, len(lesson))).astype(np.float64)
    draws[draws.sum(axis=1) == 0] = 1.0
    counts = tensor(draws * lesson.weights)
    lines = _lines(inputs, targets, counts)
    arrays = {**start.arrays, "linear": lines[:, :-1], "linear.bias": lines[:, -1:]}
    return Classroom(settings, replace(start, arrays=arrays), inputs, targets, counts, seed)


def _lines(inputs: Tensor, targets: Tensor, counts: Tensor) -> Tensor:
    """Each member's ridge regression, (m, f + 1, s), the last row being the intercept."""
    x = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
    weighted = counts.double()[:, :, None] * x
    square = weighted.transpose(1, 2) @ x + _RIDGE * torch.eye(x.shape[1], dtype=torch.float64)
    lines: Tensor = torch.linalg.solve(square, weighted.transpose(1, 2) @ targets.double())
    return lines.float()


def _optimizer(trained: dict[str, Tensor], settings: Settings, n: int) -> torch.optim.AdamW:
    """AdamW with the decay of a prior that is worth `prior` transitions, whatever their number."""
    weights = [v for k, v in trained.items() if k != "log_sigma"]
    groups = [
        {"params": weights, "weight_decay": settings.prior / n},
        {"params": [trained["log_sigma"]], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=_BETAS, fused=True)


def _pace(step: int, steps: int) -> float:
    """The learning rate's share of its peak: a short warm-up, then half a cosine to 0."""
    return min(1.0, (step + 1) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _loss(room: Classroom, trained: dict[str, Tensor], step: int) -> Tensor:
    """Negative log likelihood of a batch, summed over members and coordinates that move."""
    m, n, batch = room.settings.members, len(room.inputs), room.settings.batch
    if n > batch:
        rng = np.random.default_rng([room.seed % 2**63, 2, step])
        rows = torch.from_numpy(rng.integers(n, size=(m, batch)))
        inputs, targets = room.inputs[rows], room.targets[rows]
        counts = torch.gather(room.counts, 1, rows)
    else:
        inputs = room.inputs.expand(m, -1, -1)
        targets, counts = room.targets.expand(m, -1, -1), room.counts
    log_sigma = trained["log_sigma"].clamp(min=math.log(_LEAST_SIGMA))
    error = (forward(trained, inputs) - targets) / log_sigma.exp()
    live = room.start.live.float()
    each = ((0.5 * error**2 + log_sigma) * live).sum(dim=-1)
    return m * (each * counts).sum() / counts.sum().clamp(min=_LEAST_NOISE)


@torch.no_grad()
def _finished(room: Classroom, trained: dict[str, Tensor]) -> Ensemble:
    """The ensemble with its noise: the error of each member on what its bootstrap left out."""
    m = room.settings.members
    arrays = {**room.start.arrays, **{k: trained[k].detach() for k in _names()}}
    predicted = forward(arrays, room.inputs.expand(m, -1, -1))
    out = (room.counts == 0).float()[..., None]
    squared = (out * (predicted - room.targets) ** 2).sum(dim=(0, 1))
    arrays["noise"] = (squared / out.sum().clamp(min=1.0)).clamp(min=_LEAST_NOISE)
    return replace(room.start, arrays=arrays)
