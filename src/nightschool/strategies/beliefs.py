"""Beliefs: what the model expects as the answers of a whole pool, one row a context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.strategies.scores import mean_probs
from nightschool.types import Blocks, Floats, Ids, Observation

_ROWS = 4096
"""Rows that are worked on at once."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Mean predictions of n contexts over k classes; blocks with fewer classes are padded with 0.

    Kept as one matrix while k is at most `wide`, and read again from the blocks where it would
    take more memory than the embeddings do. Predictions that are no numbers count as 0 (`sound`
    is False there). `likeliest` (n,) is each context's first most probable class.
    """

    blocks: Blocks
    ids: Ids
    k: int
    sound: NDArray[np.bool_]
    likeliest: NDArray[np.int32]
    kept: Floats | None

    def __len__(self) -> int:
        return len(self.ids)

    def chunks(self) -> Iterator[tuple[int, Floats]]:
        """Position of the first row, and rows (m, k) in the pool's order."""
        if self.kept is not None:
            for start in range(0, len(self.kept), _ROWS):
                yield start, self.kept[start : start + _ROWS]
            return
        start = 0
        for block in self.blocks:
            for part in _means(block):
                yield start, _padded(part, self.k)
                start += len(part)

    def rows(self, index: NDArray[np.int64]) -> Floats:
        """The predictions of some positions (m, k), in the order of `index`."""
        if self.kept is not None:
            return self.kept[index]
        out = np.empty((len(index), self.k), np.float32)
        for start, p in self.chunks():
            here = np.flatnonzero((index >= start) & (index < start + len(p)))
            out[here] = p[index[here] - start]
        return out


def believe(blocks: Blocks, wide: int) -> Beliefs:
    """Read a pool's predictions; keep their means if there are at most `wide` classes."""
    ids: list[Ids] = []
    parts: list[Floats] = []
    sound = [np.empty(0, np.bool_)]
    likeliest = [np.empty(0, np.int32)]
    k = 1
    for block in blocks:
        ids.append(np.asarray(block.ids, np.uint64))
        k = max(k, block.probs.shape[-1])
        for part in _means(block):
            sound.append(part.max(axis=1) > 0)
            likeliest.append(part.argmax(axis=1).astype(np.int32))
            if k <= wide:
                parts.append(part)
    kept = None
    if k <= wide:
        end = sum(map(len, parts))
        kept = np.empty((end, k), np.float32)
        while parts:  # each is let go once it is in the matrix
            part = parts.pop()
            kept[end - len(part) : end] = _padded(part, k)
            end -= len(part)
    every = np.concatenate([*ids, np.empty(0, np.uint64)])
    return Beliefs(blocks, every, k, np.concatenate(sound), np.concatenate(likeliest), kept)


def _means(block: Observation) -> Iterator[Floats]:
    """Mean predictions of a block, a few rows at a time; rows that are no numbers are 0."""
    for start in range(0, len(block), _ROWS):
        rows = slice(start, start + _ROWS)
        with np.errstate(invalid="ignore"):
            mean = mean_probs(Observation(block.ids[rows], probs=block.probs[:, rows]))
            good = np.isfinite(mean.sum(axis=1))
        yield mean if good.all() else np.where(good[:, None], mean, np.float32(0))


def _padded(p: Floats, k: int) -> Floats:
    return p if p.shape[1] == k else np.pad(p, ((0, 0), (0, k - p.shape[1])))


__all__ = ["Beliefs", "believe"]
