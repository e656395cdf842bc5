"""Tiny models of several architectures, with tokenizers trained here, and a small dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from nightschool.types import Document, ExamItem, Example, Manifest

ANIMALS = ("cat", "dog", "cow", "duck", "owl", "frog", "bee", "hen")
SOUNDS = ("meow", "woof", "moo", "quack", "hoot", "ribbit", "buzz", "cluck")
PLACES = ("farm", "yard", "pond", "field")

FAST = {"steps": 60, "learning_rate": 1e-2, "member_steps": 8, "original": 40, "threads": 1}

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
CONFIGS: dict[str, Callable[..., transformers.PretrainedConfig]] = {
    "llama": lambda **k: transformers.LlamaConfig(
        intermediate_size=64, tie_word_embeddings=True, **TINY, **k
    ),
    "gpt2": lambda **k: transformers.GPT2Config(
        n_embd=32, n_layer=2, n_head=2, n_positions=k.pop("max_position_embeddings"), **k
    ),
    "qwen2": lambda **k: transformers.Qwen2Config(
        intermediate_size=64, num_key_value_heads=1, **TINY, **k
    ),
    "gemma": lambda **k: transformers.GemmaConfig(
        intermediate_size=64, num_key_value_heads=1, head_dim=16, **TINY, **k
    ),
    "phi": lambda **k: transformers.PhiConfig(intermediate_size=64, **TINY, **k),
}
ARCHITECTURES = tuple(CONFIGS)


def sentence(animal: str, place: str, sound: str) -> str:
    return f"On the {place} the {animal} says {sound}."


def texts() -> list[str]:
    return [sentence(a, p, s) for p in PLACES for a, s in zip(ANIMALS, SOUNDS, strict=True)]


def context(animal: str, place: str) -> str:
    return f"On the {place} the {animal} says"


def byte_tokenizer(vocabulary: int = 400) -> PreTrainedTokenizerFast:
    """Like GPT-2's: bytes, an end but no beginning and nothing to pad with."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    core.train_from_iterator(texts() * 5, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|endoftext|>")


def piece_tokenizer() -> PreTrainedTokenizerFast:
    """Like Llama's: pieces with a mark for the space, and a beginning before every text."""
    core = Tokenizer(models.BPE(unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=200,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=[chr(i) for i in range(33, 127)] + ["\n"],
        show_progress=False,
    )
    core.train_from_iterator(texts() * 5, trainer)
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", core.token_to_id("<s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def build(folder: Path, kind: str, window: int = 64) -> Path:
    """A folder with a tiny random model of that architecture."""
    tokenizer = piece_tokenizer() if kind in ("llama", "gemma") else byte_tokenizer()
    config = CONFIGS[kind](
        vocab_size=len(tokenizer) + 3,
        max_position_embeddings=window,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=None,
        initializer_range=0.1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class Lessons:
    """A Dataset in memory."""

    def __init__(
        self,
        new: Sequence[Example],
        earlier: Sequence[Example] = (),
        original: Sequence[str] = (),
    ) -> None:
        self.new = tuple(new)
        self._earlier = tuple(earlier)
        self._original = tuple(original)
        ids = " ".join(e.id for e in (*self.new, *self._earlier))
        self.manifest = Manifest(hashlib.sha256(ids.encode()).hexdigest(), 1, (), ())

    def earlier(self, n: int, seed: int) -> Sequence[Example]:
        return Random(seed).sample(self._earlier, min(n, len(self._earlier)))

    def original(self, n: int, seed: int) -> Sequence[Document]:
        drawn = Random(seed).sample(self._original, min(n, len(self._original)))
        return [Document(text) for text in drawn]


def example(shown: str, answer: str, weight: float = 1.0) -> Example:
    name = hashlib.sha256(f"{shown}\0{answer}".encode()).hexdigest()
    return Example(name, Document(shown), Document(answer), weight, (), 1)


def sounds(place: str) -> list[Example]:
    """What each animal says at a place: the pool of these tests."""
    return [example(context(a, place), s) for a, s in zip(ANIMALS, SOUNDS, strict=True)]


def turned(place: str, by: int = 1) -> list[Example]:
    """Other answers: each animal makes the sound of another."""
    other = SOUNDS[by:] + SOUNDS[:by]
    return [example(context(a, place), s) for a, s in zip(ANIMALS, other, strict=True)]


def items(examples: Sequence[Example]) -> list[ExamItem]:
    return [ExamItem(e.id, e.context, (e.target,), "", "file") for e in examples]
