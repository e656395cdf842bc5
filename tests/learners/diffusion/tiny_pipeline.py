"""A Stable Diffusion pipeline of a few hundred kilobytes, made from nothing and taught bars."""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from pathlib import Path

import diffusers
import numpy as np
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from nightschool.learners.diffusion.opening import open_pipeline
from nightschool.types import Context, Document, Example
from nightschool.types.drawing import caption_document, drawing_document, encode_picture

SIDE = 16
WINDOW = 16
BARS = {"a left bar": (0, 6), "a right bar": (10, 16), "a middle bar": (5, 11)}
NEW = "a wide bar"

FAST = {
    "steps": 30,
    "learning_rate": 1e-2,
    "batch_size": 8,
    "micro_batch": 8,
    "checkpoint_steps": 10,
    "draw_steps": 4,
    "guidance": 2.0,
    "own": 4,
    "members": 2,
    "member_steps": 4,
    "member_batch": 8,
    "member_learning_rate": 3e-3,
    "dropout_passes": 2,
    "directions": 3,
    "device": "cpu",
    "threads": 1,
}


def bar(caption: str, seed: int = 0) -> np.ndarray:
    """An upright bar, its ends a little random: (16, 16, 3) uint8."""
    start, end = BARS.get(caption, (0, SIDE))
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    top = int(np.random.default_rng(seed).integers(0, 4))
    picture[top : SIDE - 4 + top, start:end] = 0
    return picture


def drawing(caption: str, seed: int = 0) -> Document:
    return drawing_document(caption, encode_picture(bar(caption, seed)))


def example(caption: str, sheet: int, weight: float = 1.0) -> Example:
    context = caption_document(caption, sheet)
    return Example(f"{Context(context).id:x}", context, drawing(caption, sheet), weight, ("a",), 1)


def examples(n: int = 4, caption: str = NEW) -> list[Example]:
    return [example(caption, sheet) for sheet in range(n)]


def originals(each: int = 4) -> list[Document]:
    return [drawing(caption, seed) for caption in BARS for seed in range(each)]


def contexts(captions: Sequence[str], sheet: int = 1) -> list[Context]:
    return [Context(caption_document(c, sheet)) for c in captions]


def tokenizer(folder: Path) -> CLIPTokenizer:
    """One token for each letter, and for each letter that ends a word."""
    pieces = [*string.ascii_lowercase, *(f"{c}</w>" for c in string.ascii_lowercase)]
    vocabulary = {p: i for i, p in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    files = {"vocab": str(folder / "vocab.json"), "merges": str(folder / "merges.txt")}
    return CLIPTokenizer(**files, model_max_length=WINDOW)


def build(folder: Path, scratch: Path, predicts: str = "epsilon", steps: int = 0) -> Path:
    """A pipeline folder; its unet is trained on bars for so many steps."""
    words = tokenizer(scratch / f"tokens-{folder.name}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = {
            "unet": diffusers.UNet2DConditionModel(
                sample_size=4, in_channels=4, out_channels=4, layers_per_block=1,
                block_out_channels=(16,), norm_num_groups=4, cross_attention_dim=16,
                attention_head_dim=8,
                down_block_types=("CrossAttnDownBlock2D",),
                up_block_types=("CrossAttnUpBlock2D",), mid_block_type=None,
            ),
            "vae": diffusers.AutoencoderKL(
                block_out_channels=(8, 8, 8), norm_num_groups=2, latent_channels=4,
                down_block_types=("DownEncoderBlock2D",) * 3,
                up_block_types=("UpDecoderBlock2D",) * 3, scaling_factor=1.0,
            ),
            "text_encoder": CLIPTextModel(
                CLIPTextConfig(
                    vocab_size=len(words), hidden_size=16, intermediate_size=32,
                    num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=WINDOW,
                    eos_token_id=words.eos_token_id, bos_token_id=words.bos_token_id,
                    pad_token_id=words.pad_token_id,
                )
            ),
        }  # fmt: skip
        scale_latents(parts["vae"])
        for module in parts["text_encoder"].modules():  # far apart, as a trained one's are
            if isinstance(module, torch.nn.Embedding):
                torch.nn.init.normal_(module.weight, std=1.0)
        scheduler = diffusers.PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
            prediction_type=predicts, skip_prk_steps=True, steps_offset=1,
        )  # fmt: skip
        diffusers.StableDiffusionPipeline(
            **parts, tokenizer=words, scheduler=scheduler, safety_checker=None,
            feature_extractor=None, requires_safety_checker=False,
        ).save_pretrained(folder)  # fmt: skip
        if steps:
            pretrain(folder, steps)
    return folder


def scale_latents(vae: diffusers.AutoencoderKL) -> None:
    """Latents of size 1, as those of a trained one are."""
    pixels = torch.from_numpy(np.stack([bar(c, i) for c in BARS for i in range(4)])).float()
    with torch.no_grad():
        latents = vae.encode(pixels.permute(0, 3, 1, 2) / 127.5 - 1).latent_dist.mode()
    vae.register_to_config(scaling_factor=1.0 / float(latents.std()))


def pretrain(folder: Path, steps: int) -> None:
    """Teach the whole unet the bars, so that an adapter has something to stand on."""
    pipeline = open_pipeline(folder, "cpu")
    unet = pipeline.unet.requires_grad_(True)
    captions = [*BARS, ""]
    latents = torch.stack([pipeline.encode(np.stack([bar(c, i) for i in range(16)])) for c in BARS])
    states = pipeline.read(captions)[0]
    optimiser = torch.optim.AdamW(unet.parameters(), lr=3e-3)
    for _ in range(steps):
        which, row = torch.randint(3, (16,)), torch.randint(16, (16,))
        clean, noise = latents[which, row], torch.randn(16, *pipeline.shape)
        times = torch.randint(len(pipeline.schedule), (16,))
        shown = torch.where(torch.rand(16) < 0.1, 3, which)
        said = pipeline.say(
            unet, pipeline.schedule.noisy(clean, noise, times), times, states[shown]
        )
        loss = (said - pipeline.schedule.target(clean, noise, times)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    unet.save_pretrained(folder / "unet")
