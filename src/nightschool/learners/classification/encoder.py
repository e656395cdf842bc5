"""Encoder: a frozen model that turns texts into unit vectors, and remembers those it made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nightschool.learners.language.body import batches

Floats = NDArray[np.float32]

KEPT = 50_000
"""Vectors kept in memory, the newest (77 MB at 384 numbers each)."""

FEW = 5_000_000
"""Parameters below which one thread is faster than several."""

TOKENS = 8192
"""Padded tokens in one pass."""


@dataclass(frozen=True)
class Reading:
    """How an encoder reads: the `pooling` of its states, at most `window` tokens, a `prefix`.

    Pooling is "mean" over the text's tokens, "cls" (the first), "last" or "max".
    """

    pooling: str = "mean"
    window: int = 512
    prefix: str = ""


@dataclass(frozen=True, eq=False)
class Encoder:
    """A transformers model and its tokenizer; the same text always has the same vector."""

    model: Any
    tokenizer: Any
    reading: Reading
    threads: int | None = None
    memory: dict[bytes, Floats] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """d, the length of a vector."""
        return int(self.model.config.get_text_config().hidden_size)

    def embed(self, texts: Sequence[str], known: Mapping[bytes, Floats] | None = None) -> Floats:
        """Vectors (n, d) of length 1; those in `known` (by `digest`) are not computed again."""
        names = [digest(text) for text in texts]
        found: dict[bytes, Floats] = {}
        missing: dict[bytes, str] = {}
        for name, text in zip(names, texts, strict=True):
            row = self.memory.get(name)
            row = known.get(name) if row is None and known else row
            if row is not None:
                found[name] = row
            else:
                missing[name] = text
        if missing:
            fresh = self._encode(list(missing.values()))
            found |= dict(zip(missing, fresh, strict=True))
            self._remember({name: found[name] for name in missing})
        if not texts:
            return np.zeros((0, self.width), dtype=np.float32)
        return np.stack([found[name] for name in names])

    def _remember(self, rows: Mapping[bytes, Floats]) -> None:
        self.memory.update(rows)
        for name in list(self.memory)[: max(0, len(self.memory) - KEPT)]:
            self.memory.pop(name, None)

    def _encode(self, texts: Sequence[str]) -> Floats:
        rows = self.tokenizer(
            [self.reading.prefix + text for text in texts],
            truncation=True,
            max_length=self.reading.window,
        )["input_ids"]
        rows = [row or [0] for row in rows]  # a text of which the tokenizer keeps nothing
        out = np.zeros((len(rows), self.width), dtype=np.float32)
        with one_or(self._threads), torch.inference_mode():
            for batch in batches([len(row) for row in rows], TOKENS):
                out[batch] = self._pooled([rows[i] for i in batch]).cpu().numpy()
        return out

    @property
    def _threads(self) -> int | None:
        if self.threads is not None:
            return self.threads
        few = sum(p.numel() for p in self.model.parameters()) < FEW
        return 1 if few else None

    def _pooled(self, rows: Sequence[Sequence[int]]) -> Tensor:
        longest = max(len(row) for row in rows)
        device = self.model.device
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
        lengths = torch.tensor([len(row) for row in rows], device=device)
        inside = torch.arange(longest, device=device) < lengths[:, None]
        states = self.model(input_ids=ids, attention_mask=inside.long()).last_hidden_state.float()
        return torch.nn.functional.normalize(pool(states, inside, self.reading.pooling), dim=-1)


def pool(states: Tensor, inside: Tensor, how: str) -> Tensor:
    """One vector (n, d) for each row of states (n, m, d); `inside` (n, m) marks its tokens."""
    if how == "cls":
        return states[:, 0]
    if how == "last":
        return states[torch.arange(len(states)), inside.sum(1) - 1]
    if how == "max":
        return states.masked_fill(~inside[..., None], -torch.inf).amax(1)
    return (states * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)


def digest(text: str) -> bytes:
    """The name of a text, verbatim, in the memory of vectors."""
    return hashlib.sha256(text.encode()).digest()[:16]


@contextmanager
def one_or(threads: int | None) -> Iterator[None]:
    """This thread's number of helpers for a while; None leaves torch's own."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
