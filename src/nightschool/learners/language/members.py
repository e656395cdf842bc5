"""Posterior samples: several slightly different models, to see where they disagree.

Members are LoRA factors of low rank on tonight's weights, each trained on a bootstrap of the
answers of its own. Before there are answers, dropout takes their place: a sample keeps or drops
each feature of every attention and feed-forward output, the same ones for the whole pool (Gal
and Ghahramani 2016, with masks shared by all positions), so that it is a function of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from nightschool.learners.language.body import Body, Factors, padded
from nightschool.learners.language.lessons import Row, generator, turn
from nightschool.learners.language.settings import LanguageSettings
from nightschool.learners.language.training import CLIP, Course, autocast, train
from nightschool.types import LearnerError, Progress


def dropout_passes(body: Body, settings: LanguageSettings, seed: int) -> Factors:
    """One network for each pass, with features dropped by a mask that the seed keys."""
    if not body.parts:
        raise LearnerError("No attention or feed-forward part was found to drop features from.")
    keep = 1.0 - settings.dropout
    masks = {}
    for name in body.parts:
        drawn = generator("dropout", seed, name).random((settings.dropout_passes, body.width))
        mask = torch.from_numpy((drawn < keep).astype("float32")) / keep
        masks[name] = mask.to(body.device)
    return Factors(settings.dropout_passes, masks=masks)


def as_factors(tensors: dict[str, Tensor], device: torch.device) -> Factors:
    """Saved members as factors."""
    down = {n.removeprefix("down."): t.to(device) for n, t in tensors.items() if n[0] == "d"}
    up = {n.removeprefix("up."): t.to(device) for n, t in tensors.items() if n[0] == "u"}
    return Factors(next(iter(down.values())).shape[0], down, up)


@dataclass(frozen=True)
class Bootstraps:
    """Each member's own resampled answers, and rehearsal pairs for all."""

    answers: tuple[tuple[Row, ...], ...]
    rehearsal: tuple[Row, ...]
    batch: int
    seed: int

    def step(self, number: int) -> list[Row]:
        """The rows of a step, member by member, equally many for each."""
        rows: list[Row] = []
        rehearsed = self.batch // 3 if self.rehearsal else 0
        for member, own in enumerate(self.answers):
            taken = [
                own[i]
                for i in turn(len(own), self.batch - rehearsed, number, f"{self.seed} {member}")
            ]
            taken += [
                self.rehearsal[i]
                for i in turn(len(self.rehearsal), rehearsed, number, f"r {self.seed} {member}")
            ]
            total = sum(row.targets for row in taken)
            rows += [Row(row.ids, row.start, row.weight / total) for row in taken]
        return rows


def bootstraps(
    answers: Sequence[Row], rehearsal: Sequence[Row], settings: LanguageSettings, seed: int
) -> Bootstraps:
    """As many answers as there are, drawn with replacement, for each member (Efron 1979)."""
    n = len(answers)
    own = tuple(
        tuple(answers[i] for i in generator("bootstrap", seed, member).integers(0, n, size=n))
        for member in range(settings.members)
    )
    return Bootstraps(own, tuple(rehearsal), settings.member_batch, seed)


def train_members(
    body: Body,
    lessons: Bootstraps,
    settings: LanguageSettings,
    file: Path,
    identity: str,
    progress: Progress | None = None,
) -> dict[str, Tensor]:
    """Trains all members in one batch a step; their factors by name, ready to be saved."""
    parameters = _fresh(body, settings, lessons.seed)
    factors = Factors(
        settings.members,
        {n.removeprefix("down."): p for n, p in parameters.items() if n[0] == "d"},
        {n.removeprefix("up."): p for n, p in parameters.items() if n[0] == "u"},
    )

    def backward(step: int) -> float:
        rows = lessons.step(step)
        each = settings.rows_at_once(body.parameters)
        size = len(rows) // settings.members
        loss = 0.0
        for at in range(0, size, each):
            part = [
                row
                for m in range(settings.members)
                for row in rows[m * size + at : m * size + min(at + each, size)]
            ]
            with autocast(settings, body.device):
                part_loss = row_loss(body, part, factors)
            part_loss.backward()  # type: ignore[no-untyped-call]
            loss += float(part_loss.detach())
        return loss / settings.members

    course = Course(
        settings.member_steps,
        settings.member_rate(body.parameters),
        file,
        identity,
        settings.checkpoint_steps,
    )
    train(parameters, backward, course, _clip_each(parameters), progress)
    return {name: p.detach() for name, p in parameters.items()}


def row_loss(body: Body, rows: Sequence[Row], factors: Factors | None = None) -> Tensor:
    """The weighted sum of cross-entropies (nats) over the rows' targets."""
    where = [(i, at) for i, row in enumerate(rows) for at in range(row.start, len(row.ids))]
    ids = padded([row.ids for row in rows], body.device)
    r = torch.tensor([i for i, _ in where], device=body.device)
    c = torch.tensor([at for _, at in where], device=body.device)
    logits = body.at(ids, r, c - 1, factors)
    loss = nn.functional.cross_entropy(logits, ids[r, c], reduction="none")
    weights = torch.tensor([rows[i].weight for i, _ in where], device=body.device)
    return (loss * weights).sum()


def _fresh(body: Body, settings: LanguageSettings, seed: int) -> dict[str, nn.Parameter]:
    """Factors that change nothing yet: random on the way down, zero on the way up."""
    made = {}
    s, r = settings.members, settings.member_rank
    for name, (width, out) in body.sizes.items():
        drawn = generator("member", seed, name).standard_normal((s, width, r)) / math.sqrt(width)
        down = torch.from_numpy(drawn.astype("float32")).to(body.device)
        made[f"down.{name}"] = nn.Parameter(down)
        made[f"up.{name}"] = nn.Parameter(torch.zeros(s, r, out, device=body.device))
    return made


def _clip_each(parameters: dict[str, nn.Parameter]) -> Callable[[], None]:
    """Clips each member's gradient by its own norm, so that none slows another."""

    def clip() -> None:
        gradients = [p.grad for p in parameters.values() if p.grad is not None]
        squares = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0)
        scale = (CLIP / (squares.sqrt() + 1e-6)).clamp(max=1.0)
        for g in gradients:
            g.mul_(scale[:, None, None])

    return clip
