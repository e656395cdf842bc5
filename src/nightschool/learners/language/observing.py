"""Observation of a pool: embeddings, and what every posterior sample answers to each context.

Answers of one token: the most probable tokens of the mixture. Longer answers: a beam search over
the mixture of all samples; a candidate is a sequence of tokens with its end, or one as long as
answers are, so that no two candidates can both come true. What is left is the last column.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nightschool.learners.language.body import Body, Factors, batches
from nightschool.learners.language.embedding import embed
from nightschool.learners.language.lessons import fit_window
from nightschool.learners.language.marking import TOKENS_AT_ONCE, same_length
from nightschool.learners.language.settings import LanguageSettings
from nightschool.learners.language.text import Text
from nightschool.types import Context, Floats, LearnerError, Observation

_log = logging.getLogger("nightschool")

AGREE = 1e-4
"""Samples whose log-probabilities (nats) all differ by less are one and the same model."""

_KEEP = 20_000
"""Pools up to this size are kept when first seen; larger ones are computed anew each time."""

_LOGITS_AT_ONCE = 64_000_000


@dataclass
class Pool:
    """Blocks of a pool, made while somebody goes through them; the same ones every time.

    `instead` makes other samples, for a pool in whose first block all of `factors` agree.
    """

    body: Body
    text: Text
    settings: LanguageSettings
    contexts: Sequence[Context]
    asked: Sequence[Context]
    factors: Factors
    tokens: int
    window: int
    instead: Callable[[], Factors] | None = None
    _kept: list[Observation] = field(default_factory=list)

    def __iter__(self) -> Iterator[Observation]:
        size = self.settings.block
        starts = range(0, len(self.contexts), size)
        if starts and len(self._kept) == len(starts):
            yield from self._kept
            return
        asked = self._embed([c.text for c in self.asked]) if self.asked else None
        seen = []
        for at in starts:
            contexts = self.contexts[at : at + size]
            logs = self._disagreeing(contexts) if at == 0 else self._logs(contexts)
            block = Observation(
                np.asarray([c.id for c in contexts], dtype=np.uint64),
                embeddings=self._embed([c.text for c in contexts]),
                probs=with_rest(logs),
                asked=asked,
            )
            if len(self.contexts) <= _KEEP:
                seen.append(block)
            yield block
        self._kept = seen

    def _disagreeing(self, contexts: Sequence[Context]) -> NDArray[np.float64]:
        """The answers of samples that differ: the given ones, or else those made instead."""
        logs = self._logs(contexts)
        if self.instead is not None and all_agree(logs):
            _log.warning(
                "All %d posterior members give the same answers; dropout passes observe the pool "
                "instead.",
                self.factors.count,
            )
            self.factors, self.instead = self.instead(), None
            logs = self._logs(contexts)
        if all_agree(logs):
            raise LearnerError(
                f"All {self.factors.count} dropout passes give the same answers with `dropout` "
                f"{self.settings.dropout:g}, so no question can be told from another; raise "
                "`dropout` in `learner_settings` (0.15 is usual)."
            )
        return logs

    def _logs(self, contexts: Sequence[Context]) -> NDArray[np.float64]:
        """Log-probabilities (s, n, k) of the best answers to each context."""
        rows = self._rows([c.text for c in contexts], self.tokens)
        if self.tokens == 1:
            return one_token(self.body, rows, self.factors, self.settings.candidates)
        return self._several(rows)

    def _rows(self, texts: Sequence[str], room: int) -> list[Sequence[int]]:
        return [
            fit_window(ids, self.window - room, len(self.text.prefix))
            for ids in self.text.contexts(texts)
        ]

    def _embed(self, texts: Sequence[str]) -> Floats:
        """Unit vectors (n, d): the mean of the last layer's states over the context's tokens."""
        return embed(self.body, self.text, texts, self.window)

    def _several(self, rows: list[Sequence[int]]) -> NDArray[np.float64]:
        k = self.settings.candidates
        logs = np.full((self.factors.count, len(rows), k), -np.inf)
        beams = self.settings.beams
        budget = min(TOKENS_AT_ONCE, _LOGITS_AT_ONCE // (self.body.vocabulary * beams))
        for batch in same_length([len(r) for r in rows], max(1, budget // self.factors.count)):
            search = Beams(self.body, self.text, self.factors, beams, self.tokens)
            found = search.candidates([list(rows[i]) for i in batch], k)
            logs[:, batch, : found.shape[-1]] = found
        return logs


def one_token(
    body: Body, rows: Sequence[Sequence[int]], factors: Factors, k: int
) -> NDArray[np.float64]:
    """Log-probabilities (s, n, k) of the mixture's k most probable next tokens."""
    k = min(k, body.vocabulary)
    logs = np.empty((factors.count, len(rows), k))
    budget = TOKENS_AT_ONCE // factors.count
    for batch in batches([len(row) for row in rows], max(1, budget)):
        chosen = [rows[i] for i in batch]
        with torch.no_grad():
            found = body.logits(chosen, [[len(row) - 1] for row in chosen], factors)
        found = found.log_softmax(-1)
        top = _mixture(found).topk(k, dim=-1).indices
        logs[:, batch] = found.gather(-1, top.expand(factors.count, -1, -1)).double().cpu().numpy()
    return logs


def all_agree(logs: NDArray[np.float64]) -> bool:
    """Whether no sample's log-probabilities (s, n, k) differ anywhere from the first one's."""
    with np.errstate(invalid="ignore"):
        gaps = np.abs(logs - logs[:1])
    return not bool((gaps[np.isfinite(gaps)] >= AGREE).any())


def _mixture(logs: Tensor) -> Tensor:
    """The log of the mean probability over the samples (first axis)."""
    return logs.logsumexp(0) - math.log(logs.shape[0])


def with_rest(logs: NDArray[np.float64]) -> Floats:
    """Probabilities (s, n, k + 1): the candidates', and what is left for all other answers."""
    probs = np.exp(logs)
    total = probs.sum(-1, keepdims=True)
    probs /= np.maximum(total, 1.0)
    rest = np.maximum(0.0, 1.0 - total)
    return np.concatenate([probs, rest], axis=-1).astype(np.float32)


@dataclass
class Beams:
    """A beam search over the mixture, every beam scored by every sample."""

    body: Body
    text: Text
    factors: Factors
    beams: int
    tokens: int

    def candidates(self, rows: list[list[int]], k: int) -> NDArray[np.float64]:
        """Log-probabilities (s, b, up to k) of answers to b contexts of one length."""
        s, b = self.factors.count, len(rows)
        ends = torch.from_numpy(self.text.is_end).to(self.body.device)
        ids = torch.tensor(rows, device=self.body.device).repeat(s, 1)
        logs, cache = self._step(ids, None, (s, b, 1))
        logs[..., ends] = -math.inf
        start = torch.zeros(s, b, 1, device=logs.device)
        score, parent, token = self._widen(logs, start, self.beams)
        finished = []
        for depth in range(2, self.tokens + 1):
            width = parent.shape[-1]
            logs, cache = self._step(
                *self._next(cache, parent, token, logs.shape[2]), (s, b, width)
            )
            finished.append(score + logs[..., ends].logsumexp(-1))
            logs[..., ends] = -math.inf
            # The last tokens are looked at no further, so more of them can be kept.
            score, parent, token = self._widen(
                logs, score, k if depth == self.tokens else self.beams
            )
        every = torch.cat([*finished, score], dim=-1)
        best = _mixture(every).topk(min(k, every.shape[-1]), dim=-1).indices
        return every.gather(-1, best.expand(s, -1, -1)).double().cpu().numpy()

    def _step(self, ids: Tensor, cache: Any, shape: tuple[int, int, int]) -> tuple[Tensor, Any]:
        logits, cache = self.body.step(ids, cache, self.factors)
        return logits.log_softmax(-1).view(*shape, -1), cache

    def _widen(self, logs: Tensor, score: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
        """The best beams' scores (s, b, width), and for each its parent and token (b, width)."""
        s, b, _, vocabulary = logs.shape
        total = (score[..., None] + logs).view(s, b, -1)
        best = _mixture(total).topk(min(width, total.shape[-1]), dim=-1).indices
        kept = total.gather(-1, best.expand(s, -1, -1))
        return kept, best // vocabulary, best % vocabulary

    def _next(self, cache: Any, parent: Tensor, token: Tensor, before: int) -> tuple[Tensor, Any]:
        """The cache with one row for each beam, ordered sample, context, beam."""
        s, (b, width) = self.factors.count, parent.shape
        places = torch.arange(s * b, device=parent.device).view(s, b, 1) * before + parent
        cache.batch_select_indices(places.flatten())
        return token.expand(s, b, width).reshape(-1, 1), cache
