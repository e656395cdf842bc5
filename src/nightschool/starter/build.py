"""Builds the starter: a tokenizer, and a small language model that has read the stories."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

from nightschool.starter.stories import (
    SKILLS,
    StarterQuestion,
    exam,
    original_texts,
    story,
)
from nightschool.starter.words import (
    ANIMALS,
    COLOURS,
    JOBS,
    MOODS,
    NAMES,
    NUMBERS,
    PLACES,
    WEATHERS,
)

END = "<|endoftext|>"
# 4,400 steps: about twelve minutes on one free core.
TOKENS = 9_011_200
VOCABULARY = 896
ROW = 128
ROWS = 16
PEAK_RATE = 3e-3
MOMENTUM = 0.95
DECAY = 0.1
CLAIM_ITEMS = 200
CLAIM_SEED = 20_261_124

Progress = Callable[[str], None]


def build(
    folder: Path | str,
    *,
    seed: int = 0,
    tokens: int = TOKENS,
    threads: int = 1,
    claim_items: int = CLAIM_ITEMS,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Train tokenizer and model, save both with their measured claims, and return the claims.

    `tokens` is how many tokens of stories are read, `claim_items` how many questions a skill
    measure the result, `progress` gets a line of text now and then. The same seed, budget and
    number of threads give the same bytes on one machine.

    Raises ValueError where an answer is not one token.
    """
    started = time.perf_counter()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        tokenizer = _train_tokenizer(seed)
        tokenizer.save_pretrained(folder)
        model = _pretrain(tokenizer, seed, tokens, progress)
        with _no_bars():
            model.save_pretrained(folder, safe_serialization=True)
        accuracy = _claims(model, tokenizer, claim_items)
    finally:
        torch.set_num_threads(before)
    claims = {
        "accuracy": accuracy,
        "exam_seed": CLAIM_SEED,
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "tokens": tokens,
        "threads": threads,
        "seconds": round(time.perf_counter() - started, 1),
        "seed": seed,
    }
    (folder / "claims.json").write_text(json.dumps(claims, indent=2) + "\n", encoding="utf-8")
    return claims


def accuracy_on(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, items: Sequence[StarterQuestion]
) -> float:
    """The share of questions whose right answer is the most probable next token."""
    rows = [tokenizer(item.context)["input_ids"] for item in items]
    right = 0
    for at in range(0, len(items), 100):
        batch = rows[at : at + 100]
        width = max(map(len, batch))
        ids = torch.zeros(len(batch), width, dtype=torch.long)
        for i, row in enumerate(batch):
            ids[i, : len(row)] = torch.tensor(row)
        # Padding on the right needs no mask: a causal model never looks that way.
        with torch.no_grad():
            hidden = model.model(input_ids=ids).last_hidden_state
            last = hidden[torch.arange(len(batch)), torch.tensor([len(r) - 1 for r in batch])]
            said = model.lm_head(last).argmax(-1).tolist()
        for item, token in zip(items[at : at + 100], said, strict=True):
            right += tokenizer.decode([token]) == item.answer
    return right / len(items)


@contextmanager
def _no_bars() -> Iterator[None]:
    """No progress bars of transformers for a while."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _train_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE in which every word of the little world becomes one token."""
    endings = (*NUMBERS, *PLACES, *COLOURS, *MOODS, *WEATHERS, *ANIMALS, *JOBS)
    # Rare words are repeated, so that the merges that make them whole are surely learned.
    words = [f" {word}" for word in (*endings, *NAMES)] * 300
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[END],
        show_progress=False,
    )
    core.train_from_iterator([*original_texts(5_000, seed), *words], trainer)
    for word in endings:
        if len(core.encode(f" {word}").ids) != 1:
            raise ValueError(f"The answer {word!r} is not one token; raise VOCABULARY.")
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=END,
        clean_up_tokenization_spaces=False,
        model_max_length=2 * ROW,
    )


def _new_model(vocabulary: int, end: int) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=2 * ROW,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=end,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=end)
    return model


def _batches(tokenizer: PreTrainedTokenizerFast, seed: int, steps: int) -> Iterator[torch.Tensor]:
    """Batches `(ROWS, ROW + 1)` of fresh stories; each row begins with the start of a story."""
    rng = Random(f"pretraining {seed}")
    end = tokenizer.eos_token_id
    stock: list[list[int]] = []
    for _ in range(steps):
        rows = np.empty((ROWS, ROW + 1), dtype=np.int64)
        for i in range(ROWS):
            row: list[int] = []
            while len(row) <= ROW:
                if not stock:
                    texts = [story(rng) for _ in range(1024)]
                    stock = tokenizer(texts)["input_ids"]
                row += [*stock.pop(), end]
            rows[i] = row[: ROW + 1]
        yield torch.from_numpy(rows)


def _rate(step: int, steps: int) -> float:
    """Share of the peak rate: a short climb, a plateau, then down a straight line."""
    climb = min(1.0, (step + 1) / 100)
    return climb * min(1.0, (steps - step) / (0.25 * steps))


class _Muon:
    """Momentum made orthogonal, for the inner matrices (Jordan et al. 2024).

    Reaches a loss in far fewer stories than AdamW does; each step is scaled to AdamW's usual size.
    """

    def __init__(self, matrices: Sequence[torch.Tensor]) -> None:
        shapes = sorted({tuple(sorted(weights.shape)) for weights in matrices})
        self._groups = [
            [weights for weights in matrices if tuple(sorted(weights.shape)) == shape]
            for shape in shapes
        ]
        self._momenta = [
            torch.zeros(len(group), *shape)
            for group, shape in zip(self._groups, shapes, strict=True)
        ]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every matrix by its orthogonal momentum; all of one shape in one product."""
        for group, momentum in zip(self._groups, self._momenta, strict=True):
            slopes = torch.stack([_lying(weights, weights.grad) for weights in group])
            momentum.mul_(MOMENTUM).add_(slopes)
            moves = _orthogonal(slopes + MOMENTUM * momentum)
            size = rate * 0.2 * math.sqrt(max(momentum.shape[1:]))
            for weights, move in zip(group, moves, strict=True):
                weights.mul_(1 - rate * DECAY).sub_(_lying(weights, move), alpha=size)


def _lying(weights: torch.Tensor, values: torch.Tensor | None) -> torch.Tensor:
    """Values turned so that they are at least as wide as high, or turned back to fit."""
    if values is None:
        raise ValueError("A matrix has no gradient; call backward before the step.")
    return values.T if weights.shape[0] > weights.shape[1] else values


def _orthogonal(values: torch.Tensor) -> torch.Tensor:
    """A batch `(n, rows, columns)` with all singular values near 1, by five Newton-Schulz steps."""
    x: torch.Tensor = values / (values.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


def _pretrain(
    tokenizer: PreTrainedTokenizerFast, seed: int, tokens: int, progress: Progress
) -> LlamaForCausalLM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _new_model(len(tokenizer), tokenizer.eos_token_id)
    inner = [weights for weights in model.model.layers.parameters() if weights.ndim == 2]
    others = [w for w in model.parameters() if all(w is not weights for weights in inner)]
    muon = _Muon(inner)
    adam = torch.optim.AdamW(others, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    steps = math.ceil(tokens / (ROWS * ROW))
    model.train()
    losses: list[float] = []
    for step, rows in enumerate(_batches(tokenizer, seed, steps)):
        rate = PEAK_RATE * _rate(step, steps)
        adam.param_groups[0]["lr"] = rate
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits
        loss = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        muon.step(rate)
        losses.append(float(loss.detach()))
        if (step + 1) % 250 == 0 or step + 1 == steps:
            marks = ", ".join(
                f"{skill} {accuracy_on(model, tokenizer, exam(60, seed, skills=(skill,))):.2f}"
                for skill in SKILLS[:-1]
            )
            progress(f"step {step + 1} of {steps}, loss {np.mean(losses[-250:]):.3f}, {marks}")
    return model.eval()


def _claims(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, number: int
) -> dict[str, dict[str, float | int]]:
    """Accuracy and number of items, skill by skill, on an exam that never changes."""
    claims: dict[str, dict[str, float | int]] = {}
    for skill in SKILLS[:-1]:
        items = exam(number, CLAIM_SEED, skills=(skill,))
        claims[skill] = {"accuracy": accuracy_on(model, tokenizer, items), "n": len(items)}
    return claims
