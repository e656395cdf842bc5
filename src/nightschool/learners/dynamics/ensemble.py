"""The ensemble: networks that predict the next state, all members in one batched product."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nightschool.learners.dynamics.lesson import Lesson
from nightschool.learners.dynamics.settings import Settings
from nightschool.types import Floats
from nightschool.types.trajectory import Reals

LAYERS = ("in", "mid", "out", "linear")

# Standard deviations of what has fixed limits anyway (a uniform draw from them).
_UNIT = 1 / math.sqrt(2)
_HALF_TURN = math.pi / math.sqrt(3)
_FURTHEST = 2.0
_STILL = 1e-9


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks and the scales that they work in, float32; `m` members, `s` state coordinates.

    `arrays`: "in", "mid", "out" (two hidden layers) and "linear" (straight from the inputs), each
    with its bias, all with a leading axis of m; `centre` and `spread` (f,) of the inputs; `unit`
    (s,), the usual change of a coordinate in one step, 0 where it never changed; `reach` (s,),
    the largest change seen, in units; `noise` (s,), the variance of an answer in squared units.

    A coordinate that never changed within any trial (a target) is predicted to stay, and is no
    input. Angles enter as cosine and sine and, where the joint has stops, raw as well, because
    cosine and sine alone take the two ends of the range for neighbours.
    """

    settings: Settings
    arrays: dict[str, Tensor]

    @property
    def noise(self) -> Floats:
        """The variance of an answer in squared units, of the coordinates that move, (live,)."""
        noise: Floats = self.arrays["noise"][self.live].numpy()
        return noise

    @property
    def live(self) -> Tensor:
        """Which coordinates move at all, (s,) bool."""
        return self.arrays["unit"] > 0

    def inputs(self, states: Tensor, actions: Tensor) -> Tensor:
        """What the networks see of states (..., s) and actions (..., a): (..., f), normalised."""
        raw = encode(states, actions, self.settings) - self.arrays["centre"]
        return raw * self.arrays["scale"]

    def moves(self, states: Tensor, actions: Tensor) -> Tensor:
        """Each member's change in one step, in units: (m, n, s) from (m, n, s) and (m, n, a).

        No step goes further than twice the furthest that was seen: a rollout cannot explode.
        """
        predicted = forward(self.arrays, self.inputs(states, actions))
        furthest = _FURTHEST * self.arrays["reach"]
        return torch.clamp(torch.nan_to_num(predicted), -furthest, furthest)

    @torch.no_grad()
    def rollout(self, states: Reals, actions: Reals) -> Reals:
        """Each member's own future: states (n, s), actions (n, t, a) -> (m, n, t, s)."""
        m, unit = self.settings.members, self.arrays["unit"]
        now, acts = tensor(states).expand(m, -1, -1), tensor(actions)
        future = []
        for t in range(acts.shape[1]):
            now = now + unit * self.moves(now, acts[:, t].expand(m, -1, -1))
            future.append(now)
        rolled: Reals = torch.stack(future, dim=2).numpy().astype(np.float64)
        return rolled

    @torch.no_grad()
    def expect(self, states: Reals, actions: Reals) -> tuple[Tensor, Tensor]:
        """The mean rollout, and what each member predicts along it.

        States (n, s) and actions (n, t, a) give the states (n, t + 1, s), the first being the
        start, and the members' changes (m, n, t, s) in units.
        """
        m, unit = self.settings.members, self.arrays["unit"]
        now, acts = tensor(states), tensor(actions)
        path, changes = [now], []
        for t in range(acts.shape[1]):
            moves = self.moves(now.expand(m, -1, -1), acts[:, t].expand(m, -1, -1))
            now = now + unit * moves.mean(dim=0)
            path.append(now)
            changes.append(moves)
        return torch.stack(path, dim=1), torch.stack(changes, dim=2)


def tensor(values: Reals | Floats) -> Tensor:
    """An array as float32."""
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def encode(states: Tensor, actions: Tensor, settings: Settings) -> Tensor:
    """Raw inputs (..., f): plain coordinates, cosines, sines, stopped angles, actions."""
    angles, stopped = list(settings.angles), list(settings.stopped)
    turned = states[..., angles]
    parts = [states[..., plain(settings)], torch.cos(turned), torch.sin(turned)]
    return torch.cat([*parts, states[..., stopped], actions], dim=-1)


def plain(settings: Settings) -> list[int]:
    """The coordinates that are no angles."""
    return [i for i in range(settings.states) if i not in settings.angles]


def forward(arrays: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """The networks: inputs (m, n, f) to changes (m, n, s) in units."""
    hidden = torch.nn.functional.silu(_layer(arrays, "in", inputs))
    hidden = torch.nn.functional.silu(_layer(arrays, "mid", hidden))
    return _layer(arrays, "out", hidden) + _layer(arrays, "linear", inputs)


def _layer(arrays: dict[str, Tensor], name: str, inputs: Tensor) -> Tensor:
    return torch.baddbmm(arrays[f"{name}.bias"], inputs, arrays[name])


def fresh(settings: Settings, lesson: Lesson, seed: int) -> Ensemble:
    """An untaught ensemble in the scales of a lesson (which may be empty)."""
    scales = _scales(settings, lesson)
    f, h, s, m = len(scales["centre"]), settings.hidden, settings.states, settings.members
    sizes = {"in": (f, h, 1.0), "mid": (h, h, 1.0), "out": (h, s, 0.1), "linear": (f, s, 0.0)}
    generator = torch.Generator().manual_seed(seed % 2**63)
    arrays = dict(scales)
    for name, (rows, columns, gain) in sizes.items():
        draws = torch.randn(m, rows, columns, generator=generator)
        arrays[name] = gain / math.sqrt(rows) * draws
        arrays[f"{name}.bias"] = torch.zeros(m, 1, columns)
    return Ensemble(settings, arrays)


def _scales(settings: Settings, lesson: Lesson) -> dict[str, Tensor]:
    """Centre and spread of the inputs and the unit of each coordinate's change.

    Angles and actions have known ranges and keep them: scaled by the data, the cosine of a
    pendulum that has only hung still would count a hundredfold once it swings.
    """
    free, q, r = plain(settings), len(settings.angles), len(settings.stopped)
    low, high = np.array(settings.low), np.array(settings.high)
    middle, half = (low + high) / 2, (high - low) / 2
    known = lesson if len(lesson) else None
    unit = np.sqrt((known.moves**2).mean(axis=0)) if known else np.ones(settings.states)
    unit = np.where(unit < _STILL, 0.0, unit)
    reach = np.abs(known.moves / np.where(unit > 0, unit, 1)).max(axis=0) if known else unit
    mean = known.states.mean(axis=0)[free] if known else np.zeros(len(free))
    spread = known.states.std(axis=0)[free] if known else np.ones(len(free))
    moving = unit[free] > 0
    rate = np.where(moving, 1 / np.maximum(spread, unit[free] + _STILL), 0.0)
    angles = np.array([1 / _UNIT] * 2 * q + [1 / _HALF_TURN] * r)
    scale = np.concatenate([rate, angles, math.sqrt(3) / half])
    centre = np.concatenate([mean, np.zeros(2 * q + r), middle])
    arrays = {"centre": centre, "scale": scale, "unit": unit, "reach": reach}
    return {**{k: tensor(v) for k, v in arrays.items()}, "noise": torch.ones(settings.states)}
