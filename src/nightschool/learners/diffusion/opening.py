"""Opening a pipeline: from a folder, weights as safetensors only, no foreign code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from nightschool.learners.diffusion.pipeline import Pipeline
from nightschool.learners.diffusion.schedule import PREDICTIONS, Schedule
from nightschool.learners.language.opening import quiet
from nightschool.types import ConfigError, LearnerError

_INDEX = "model_index.json"
_SCHEDULER = Path("scheduler", "scheduler_config.json")
_CLASSES = {
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
    "text_encoder": "CLIPTextModel",
    "tokenizer": "CLIPTokenizer",
}
_CURE = (
    "bring a Stable Diffusion pipeline, saved with "
    "`pipeline.save_pretrained(folder, safe_serialization=True)`"
)


def open_pipeline(folder: Path, device: str) -> Pipeline:
    """The parts of a text-to-image pipeline in fp32; LearnerError for what cannot be taught."""
    _needs_diffusers()
    index, config = _read(folder, _INDEX), _read(folder, _SCHEDULER)
    _check_index(folder, index)
    with quiet(), torch.random.fork_rng(devices=[]):
        try:
            parts = _load(folder)
            schedule = _schedule(folder, config)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise LearnerError(f"{folder} cannot be opened ({lines[0][:300]}); {_CURE}.") from error
    pipeline = Pipeline(
        schedule=schedule, index=index, scheduler=config, tokenizer=parts.pop("tokenizer"),
        **{name: part.to(device).eval().requires_grad_(False) for name, part in parts.items()},
    )  # fmt: skip
    _check_sizes(folder, pipeline)
    return pipeline


def save_pipeline(pipeline: Pipeline, unet: Any, folder: Path) -> None:
    """A pipeline that diffusers (and `open_pipeline`) can open, with that unet in it."""
    with quiet():
        for name, part in (
            ("unet", unet),
            ("vae", pipeline.vae),
            ("text_encoder", pipeline.text_encoder),
            ("tokenizer", pipeline.tokenizer),
        ):
            part.save_pretrained(str(folder / name))
    # A safety checker and its like are no part of what is taught, and are not carried along.
    kept = {k: v for k, v in pipeline.index.items() if k.startswith("_")}
    kept |= {name: pipeline.index[name] for name in (*_CLASSES, "scheduler")}
    kept |= {"feature_extractor": [None, None], "safety_checker": [None, None]}
    kept |= {"image_encoder": [None, None], "requires_safety_checker": False}
    _write(folder / _INDEX, kept)
    _write(folder / _SCHEDULER, pipeline.scheduler)


def _load(folder: Path) -> dict[str, Any]:
    import diffusers
    import transformers

    parts: dict[str, Any] = {}
    for name, kind in _CLASSES.items():
        where: dict[str, Any] = {"subfolder": name, "local_files_only": True}
        if name == "tokenizer":
            parts[name] = transformers.CLIPTokenizer.from_pretrained(str(folder), **where)
            continue
        room, dtype = (
            (transformers, "dtype") if name == "text_encoder" else (diffusers, "torch_dtype")
        )
        parts[name], report = getattr(room, kind).from_pretrained(
            str(folder), use_safetensors=True, output_loading_info=True,
            **{dtype: torch.float32}, **where,
        )  # fmt: skip
        if missing := sorted(report["missing_keys"]):
            raise LearnerError(f"{folder / name} lacks the weights {missing[0]!r}; {_CURE}.")
    return parts


def _schedule(folder: Path, config: dict[str, Any]) -> Schedule:
    from diffusers import DDIMScheduler

    predicts = config.get("prediction_type", "epsilon")
    if "beta_schedule" not in config or predicts not in PREDICTIONS:
        raise LearnerError(
            f"{folder / _SCHEDULER} has no noise schedule that this learner knows (prediction "
            f"{predicts!r}; it knows {', '.join(PREDICTIONS)}); {_CURE}."
        )
    known = {
        k: v
        for k, v in config.items()
        if k.startswith("beta_") or k in {"num_train_timesteps", "rescale_betas_zero_snr"}
    }
    alphas = DDIMScheduler(trained_betas=config.get("trained_betas"), **known).alphas_cumprod
    # Where the last step is all noise, a little signal is left, so that nothing is divided by 0.
    return Schedule(alphas.float().clamp_min(2.0**-24), predicts)


def _read(folder: Path, name: str | Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LearnerError(
            f"{folder} is no text-to-image pipeline (no readable {name}); {_CURE}."
        ) from error
    if not isinstance(found, dict):
        raise LearnerError(f"{folder / name} holds no JSON object; {_CURE}.")
    return found


def _write(path: Path, facts: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", "utf-8")


def _check_index(folder: Path, index: dict[str, Any]) -> None:
    for name, kind in _CLASSES.items():
        found = (index.get(name) or [None, None])[1]
        if (found or "").removesuffix("Fast") != kind:
            raise LearnerError(
                f"{folder} cannot be taught: its {name} is {found or 'missing'}, this learner "
                f"teaches {kind}; {_CURE}."
            )
    if (index.get("text_encoder_2") or [None, None])[1]:
        raise LearnerError(
            f"{folder} cannot be taught: it has a second text encoder, this learner teaches "
            f"pipelines with one; {_CURE}."
        )


def _check_sizes(folder: Path, pipeline: Pipeline) -> None:
    ins, outs = pipeline.unet.config.in_channels, pipeline.vae.config.latent_channels
    if ins != outs or not isinstance(pipeline.unet.config.sample_size, int):
        raise LearnerError(
            f"{folder} cannot be taught: its unet reads {ins} channels of size "
            f"{pipeline.unet.config.sample_size}, its pictures have {outs} and a square size (is "
            f"it made for inpainting?); {_CURE}."
        )


def _needs_diffusers() -> None:
    if find_spec("diffusers") is None or find_spec("PIL") is None:
        raise ConfigError(
            "Text-to-image models need diffusers and Pillow, which are not installed: "
            'pip install "nightschool[drawing]".'
        )
