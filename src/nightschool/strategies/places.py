"""Places: where the contexts of a pool lie, read block by block and never gathered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool.types import Blocks, Floats, Ids, Observation

_ROWS = 4096
"""Rows that are worked on at once: they stay in the cache, and a block may be any size."""

_LONGEST = np.float32(1e37)
"""A longer squared length would overflow; such an embedding is no number to reckon with."""

_CLOSE = np.float32(1e-3)
"""Below this share of the lengths, the product formula has cancelled: subtract instead."""


@dataclass(frozen=True, eq=False)
class Places:
    """A pool's ids (n,), squared lengths (n,) and what was asked (a, d); the rest stays in blocks.

    Each question about distances is one pass over the blocks, with O(n) numbers kept between
    passes. An embedding that is no number counts as the origin (`sound` is False there).
    """

    blocks: Blocks
    ids: Ids
    squares: NDArray[np.float32]
    sound: NDArray[np.bool_]
    asked: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def chunks(self) -> Iterator[tuple[int, Floats]]:
        """The embeddings in the pool's order: position of the first row, rows (m, d)."""
        start = 0
        for block in self.blocks:
            for part in _views(block):
                sound = self.sound[start : start + len(part)]
                yield start, part if sound.all() else np.where(sound[:, None], part, np.float32(0))
                start += len(part)

    def rows(self, index: NDArray[np.int64], room: int = 0) -> Floats:
        """The embeddings of some positions (m, d), in the order of `index`; one pass.

        Followed by `room` rows that are not filled yet, for what has no position.
        """
        order = np.argsort(index, kind="stable")
        wanted = index[order]
        out = np.empty((len(index) + room, self.asked.shape[1]), np.float32)
        for start, x in self.chunks():
            a, b = np.searchsorted(wanted, [start, start + len(x)])
            out[order[a:b]] = x[wanted[a:b] - start]
        return out

    def row(self, at: int) -> Floats:
        """One context's embedding (d,): the blocks before it are passed over, not read."""
        start = 0
        for block in self.blocks:
            if at < start + len(block):
                x = np.asarray(block.embeddings[at - start], np.float32)
                return x if self.sound[at] else np.zeros_like(x)
            start += len(block)
        raise IndexError(f"Context {at} of a pool that has {len(self)}.")

    def products(self, vector: Floats) -> NDArray[np.float32]:
        """Each embedding times one vector (d,), (n,): one pass."""
        out = np.empty(len(self), np.float32)
        for start, x in self.chunks():
            np.dot(x, vector, out=out[start : start + len(x)])
        return out

    def squared_to(self, centre: Floats) -> NDArray[np.float32]:
        """Squared distance of each context to one point (d,): exactly 0 where they are the same."""
        out = np.empty(len(self), np.float32)
        size = np.dot(centre, centre)
        for start, x in self.chunks():
            part = out[start : start + len(x)]
            np.dot(x, centre, out=part)
            scale = self.squares[start : start + len(x)] + size
            part *= -2
            part += scale
            close = np.flatnonzero(part < _CLOSE * scale)
            if len(close):
                part[close] = ((x[close] - centre) ** 2).sum(axis=1)
        return out

    def away(self, at: int) -> NDArray[np.float32]:
        """Squared distance of each context to the one at that position (n,): one pass."""
        return self.squared_to(self.row(at))

    def nearest(self, centres: Floats) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Squared distance to the nearest of some points (c, d), and which it is: one pass.

        Infinite, and -1, where there are no points.
        """
        squared = np.full(len(self), np.inf, np.float32)
        which = np.full(len(self), -1, np.int32)
        for start, x in self.chunks() if len(centres) else ():
            rows = slice(start, start + len(x))
            squared[rows], which[rows] = closest(x, centres)
        return squared, which


def survey(blocks: Blocks) -> Places:
    """The first pass over a pool: ids, lengths, and what was asked."""
    ids: list[Ids] = []
    squares: list[NDArray[np.float32]] = []
    before: Floats | None = None
    d = 0
    for block in blocks:
        ids.append(np.asarray(block.ids, np.uint64))
        squares += [_squares(x) for x in _views(block)]
        d = block.embeddings.shape[1]
        if before is None and block.has("asked"):
            before = sane(block.asked)
    lengths = np.concatenate([*squares, np.empty(0, np.float32)])
    sound = lengths < _LONGEST  # False for what is no number
    return Places(
        blocks,
        np.concatenate([*ids, np.empty(0, np.uint64)]),
        np.where(sound, lengths, np.float32(0)),
        sound,
        np.empty((0, d), np.float32) if before is None else before,
    )


def closest(x: Floats, centres: Floats) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Squared distance of each row (n, d) to its nearest centre (c, d), c > 0, and which it is."""
    own = np.einsum("ij,ij->i", x, x)
    squared = np.full(len(x), np.inf, np.float32)
    which = np.zeros(len(x), np.int32)
    row = np.arange(len(x))
    for start in range(0, len(centres), 1024):
        part = centres[start : start + 1024]
        cross = x @ part.T
        cross *= -2
        cross += np.einsum("ij,ij->i", part, part)
        best = cross.argmin(axis=1)
        value = cross[row, best] + own
        nearer = value < squared
        squared[nearer], which[nearer] = value[nearer], start + best[nearer]
    close = np.flatnonzero(squared < _CLOSE * own)
    squared[close] = ((x[close] - centres[which[close]]) ** 2).sum(axis=1)
    return np.maximum(squared, np.float32(0)), which


def sane(embeddings: Floats) -> Floats:
    """The rows (n, d) as float32, those that are no numbers (or too long to square) as origins."""
    x = np.asarray(embeddings, np.float32)
    good = _squares(x) < _LONGEST
    return x if good.all() else np.where(good[:, None], x, np.float32(0))


def _squares(x: Floats) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        squares: NDArray[np.float32] = np.einsum("ij,ij->i", x, x)
    return squares


def _views(block: Observation) -> Iterator[Floats]:
    """A block's embeddings in views of at most _ROWS rows."""
    x = np.asarray(block.embeddings, np.float32)
    for start in range(0, len(x), _ROWS):
        yield x[start : start + _ROWS]


__all__ = ["Places", "closest", "sane", "survey"]
