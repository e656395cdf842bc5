"""The body of a language model: one forward pass for many rows, in any thread.

Rows are padded on the right and carry no mask: a causal model never looks to the right, so the
padding changes nothing, in every architecture, and positions count from the row's own start.
Only the wanted positions reach the output layer, which would otherwise cost most of the pass.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from nightschool.types import LearnerError

# Padding of so many tokens costs about as much as one more pass through a small model.
_PADDING = 128

_FEW = 5_000_000
"""Below so many parameters one thread is as fast as several, and far faster on a busy machine."""


@dataclass
class Factors:
    """Small changes to every layer, for s models at once (rows come model by model).

    `down` and `up` map a layer's name to LoRA factors (s, in, r) and (s, r, out); `masks` maps a
    part's name to factors (s, d) that multiply its output.
    """

    count: int
    down: dict[str, Tensor] = field(default_factory=dict)
    up: dict[str, Tensor] = field(default_factory=dict)
    masks: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class _Call:
    rows: Tensor
    columns: Tensor
    factors: Factors | None
    hidden: Tensor | None = None


_NOW = threading.local()


class Body:
    """A causal language model whose hooks know the call of their own thread.

    `sizes` gives the (in, out) sizes of every layer that can carry factors, `parts` the names of
    the attention and feed-forward parts.
    """

    def __init__(self, model: nn.Module, threads: int | None = None) -> None:
        layers, self.parts = _find_parts(model)
        named = dict(model.named_modules())
        self.sizes = {name: _in_out(named[name]) for name in layers}
        self.parameters = sum(p.numel() for p in model.parameters())
        self._threads = threads or (1 if self.parameters < _FEW else None)
        self._settle(model)
        model.get_output_embeddings().register_forward_pre_hook(_keep_wanted)  # type: ignore[operator]
        for name in layers:
            named[name].register_forward_hook(partial(_add_factors, name))
        for name in self.parts:
            named[name].register_forward_hook(partial(_mask_output, name))

    def around(self, model: nn.Module) -> Body:
        """The same body around a copy of its model (hooks were copied with it)."""
        body = copy.copy(self)
        body._settle(model)
        return body

    def _settle(self, model: nn.Module) -> None:
        self.model = model.eval().requires_grad_(False)
        self.config: Any = model.config.get_text_config()  # type: ignore[union-attr, operator]
        self.device = next(model.parameters()).device
        head: Any = model.get_output_embeddings()  # type: ignore[operator]
        self.vocabulary, self.width = (int(n) for n in head.weight.shape)

    @contextmanager
    def threads(self) -> Iterator[None]:
        """This thread's number of helpers for a while: as set, one for small models, or torch's."""
        before = torch.get_num_threads()
        torch.set_num_threads(self._threads or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    @property
    def window(self) -> int:
        """The longest row that the model can read, in tokens."""
        for name in (
            "max_position_embeddings",
            "n_positions",
            "n_ctx",
            "max_seq_len",
            "seq_length",
        ):
            value = getattr(self.config, name, None)
            if isinstance(value, int) and value > 0:
                return value
        return 2048

    def logits(
        self,
        rows: Sequence[Sequence[int]],
        wanted: Sequence[Sequence[int]],
        factors: Factors | None = None,
    ) -> Tensor:
        """Logits (s, m, V) at the wanted positions of each row, row by row; s is 1 without factors.

        With factors each of the s models reads all rows.
        """
        ids = padded(rows, self.device)
        where = [(i, at) for i, positions in enumerate(wanted) for at in positions]
        r = torch.tensor([i for i, _ in where], device=self.device)
        c = torch.tensor([at for _, at in where], device=self.device)
        s = factors.count if factors else 1
        if s > 1:
            ids = ids.repeat(s, 1)
            r = torch.cat([r + k * len(rows) for k in range(s)])
            c = c.repeat(s)
        return self.at(ids, r, c, factors).view(s, len(where), -1)

    def at(
        self, ids: Tensor, rows: Tensor, columns: Tensor, factors: Factors | None = None
    ) -> Tensor:
        """Logits (m, V) at m (row, column) places of already stacked rows."""
        with self.threads(), _call(_Call(rows, columns, factors)):
            out = self.model(input_ids=ids, use_cache=False)
        return torch.as_tensor(out.logits[0]).float()

    def embed(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """The last layer's mean and last states (n, d) over each row's tokens."""
        ids = padded(rows, self.device)
        lengths = torch.tensor([len(r) for r in rows], device=self.device)
        first = torch.zeros(1, dtype=torch.long, device=self.device)
        call = _Call(first, first, None)
        with self.threads(), _call(call), torch.no_grad():
            self.model(input_ids=ids, use_cache=False)
        assert call.hidden is not None
        hidden = call.hidden.float()
        inside = torch.arange(ids.shape[1], device=self.device) < lengths[:, None]
        mean = (hidden * inside[..., None]).sum(1) / lengths[:, None]
        return mean, hidden[torch.arange(len(rows), device=self.device), lengths - 1]

    def step(
        self, ids: Tensor, cache: Any | None, factors: Factors | None = None
    ) -> tuple[Tensor, Any]:
        """Logits (n, V) after the last column, and the cache to go on with.

        All rows are equally long, so that no padding ever enters the cache.
        """
        rows = torch.arange(ids.shape[0], device=self.device)
        columns = torch.full_like(rows, ids.shape[1] - 1)
        with self.threads(), _call(_Call(rows, columns, factors)), torch.no_grad():
            out = self.model(input_ids=ids, past_key_values=cache, use_cache=True)
        return torch.as_tensor(out.logits[0]).float(), out.past_key_values


def padded(rows: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    """Rows (n, longest) filled up on the right; any token will do there."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)


def batches(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Positions in batches of at most so many padded tokens, rows of like length together.

    A new batch begins where a longer row would pad the others by more than a pass costs.
    """
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        longer = lengths[i] - lengths[batch[-1]] if batch else 0
        too_many = lengths[i] * (len(batch) + 1) > tokens
        if batch and (too_many or longer * len(batch) > _PADDING):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


@contextmanager
def _call(call: _Call) -> Iterator[None]:
    before = getattr(_NOW, "call", None)
    _NOW.call = call
    try:
        yield
    finally:
        _NOW.call = before


def _keep_wanted(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    call: _Call | None = getattr(_NOW, "call", None)
    if call is None:
        return None
    call.hidden = args[0]
    return (args[0][call.rows, call.columns].unsqueeze(0), *args[1:])


def _add_factors(name: str, module: nn.Module, args: tuple[Any, ...], out: Any) -> Any:
    call: _Call | None = getattr(_NOW, "call", None)
    if call is None or call.factors is None or name not in call.factors.down:
        return None
    down, up = call.factors.down[name], call.factors.up[name]
    x = args[0].reshape(call.factors.count, -1, args[0].shape[-1])
    return out + torch.bmm(torch.bmm(x, down), up).view(out.shape).to(out.dtype)


def _mask_output(name: str, module: nn.Module, args: tuple[Any, ...], out: Any) -> Any:
    call: _Call | None = getattr(_NOW, "call", None)
    if call is None or call.factors is None or name not in call.factors.masks:
        return None
    first = out[0] if isinstance(out, tuple) else out
    mask = call.factors.masks[name]
    kept = (first.reshape(len(mask), -1, mask.shape[-1]) * mask[:, None]).view(first.shape)
    return (kept, *out[1:]) if isinstance(out, tuple) else kept


def _is_layer(module: nn.Module) -> bool:
    """Whether it is a linear layer: torch's own, or GPT-2's Conv1D with its weight turned."""
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def _in_out(module: Any) -> tuple[int, int]:
    a, b = module.weight.shape
    return (b, a) if isinstance(module, nn.Linear) else (a, b)


def _find_parts(model: nn.Module) -> tuple[list[str], list[str]]:
    """Names of the linear layers inside the decoder's blocks, and of their parts.

    The blocks are the longest list of equal modules; a part is a block's child that holds linear
    layers and gives back the block's width (attention, feed-forward), whatever it is called.
    """
    lists = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and any(_is_layer(m) for m in module.modules())
    ]
    if not lists:
        raise LearnerError("The model has no decoder blocks with linear layers; bring another.")
    width = int(model.get_output_embeddings().weight.shape[1])  # type: ignore[operator]
    # Nested lists (experts inside a block) come after the list that holds them.
    stem, blocks = max(lists, key=lambda pair: len(list(pair[1].modules())))
    layers, parts = [], []
    for number, block in enumerate(blocks):
        for name, module in block.named_modules():
            if _is_layer(module) and "expert" not in name and not name.endswith(("gate", "router")):
                layers.append(f"{stem}.{number}.{name}")
        for name, child in block.named_children():
            if any(_is_layer(m) and _in_out(m)[1] == width for m in child.modules()):
                parts.append(f"{stem}.{number}.{name}")
    return layers, parts
