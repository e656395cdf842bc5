"""Opening a model: from a folder or the hub, weights as safetensors only, no foreign code."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from nightschool.types import LearnerError

_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json",
)  # fmt: skip
_HUB_NAME = re.compile(r"(?P<name>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[\w./-]+))?")
_ONE_AT_A_TIME = threading.RLock()
_COMMIT = re.compile(r"[0-9a-f]{40}")


def locate(source: str) -> tuple[str, str | None]:
    """A folder with no revision, or a hub name with the commit that it is pinned to.

    Raises LearnerError for what is neither, or for a name whose commit cannot be found out.
    """
    if Path(source).is_dir():
        return source, None
    if Path(source).is_file():
        raise LearnerError(f"{source!r} is a file; a model is a folder, or NAME@REVISION.")
    found = _HUB_NAME.fullmatch(source)
    if found is None or source.startswith((".", "/")):
        raise LearnerError(f"There is no model folder {source!r}; give a folder or NAME@REVISION.")
    name, revision = found["name"], found["revision"]
    if revision and _COMMIT.fullmatch(revision):
        return name, revision
    return name, resolve_commit(name, revision)


def resolve_commit(name: str, revision: str | None) -> str:
    """The commit that a hub name (or one of its branches) stands for today."""
    from huggingface_hub import HfApi

    try:
        found = HfApi().model_info(name, revision=revision).sha
    except Exception as error:  # network, missing repository, missing branch: one cure
        raise LearnerError(
            f"{name!r} is no folder, and its newest commit could not be asked from the hub "
            f"({type(error).__name__}); give a folder, or pin it as `{name}@REVISION`."
        ) from error
    if found is None:
        raise LearnerError(f"The hub names no commit of {name!r}; pin it as `{name}@REVISION`.")
    return str(found)


def open_model(source: str, revision: str | None, device: str) -> tuple[Any, Any]:
    """Model (fp32) and tokenizer; raises LearnerError for anything that cannot be taught."""
    if revision is None:
        _check_files(Path(source))
    from transformers import AutoConfig, AutoTokenizer

    where = {"revision": revision} if revision else {"local_files_only": True}
    with quiet():
        try:
            config = AutoConfig.from_pretrained(source, trust_remote_code=False, **where)
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, **where)
        except Exception as error:  # transformers raises many kinds here; the cure is the same
            raise _cannot(source, error) from error
        _check_causal(source, config)
        model = _load(source, where)
    _check_sizes(source, model, tokenizer)
    return model.to(device), tokenizer


def _load(source: str, where: dict[str, Any]) -> Any:
    from transformers import AutoModelForCausalLM

    try:
        with torch.random.fork_rng(devices=[]):
            model, report = AutoModelForCausalLM.from_pretrained(
                source,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                **where,
            )
    except Exception as error:  # as above
        raise _cannot(source, error) from error
    if missing := sorted(report["missing_keys"]):
        raise LearnerError(
            f"{source} lacks the weights {', '.join(missing[:3])}"
            f"{' and more' if len(missing) > 3 else ''}; export the whole model again."
        )
    return model


def choose_device(wanted: str) -> str:
    """ "cuda" where it is wanted (or left to us) and there is one, else "cpu"."""
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise LearnerError("device is 'cuda', but torch sees no such device; set 'cpu' or 'auto'.")
    return "cuda" if there and wanted != "cpu" else "cpu"


def _cannot(source: str, error: Exception) -> LearnerError:
    lines = str(error).strip().splitlines()
    first = lines[0][:300] if lines else type(error).__name__
    return LearnerError(
        f"{source} cannot be opened as a causal language model ({first}); save it with "
        "`model.save_pretrained(folder)` and `tokenizer.save_pretrained(folder)`."
    )


def _check_files(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise LearnerError(f"{folder} has no config.json; save the model there with transformers.")
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise LearnerError(
            f"{folder} has no tokenizer; put one there with `tokenizer.save_pretrained(folder)`."
        )
    if not any(folder.glob("*.safetensors")):
        other = " (only pickled ones, which are never opened)" if any(folder.glob("*.bin")) else ""
        raise LearnerError(
            f"{folder} has no safetensors weights{other}; save the model there with "
            "`model.save_pretrained(folder)`."
        )


def _check_causal(source: str, config: Any) -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    causal = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
    named = list(getattr(config, "architectures", None) or [])
    if getattr(config, "is_encoder_decoder", False) or (named and not causal & set(named)):
        raise LearnerError(
            f"{source} is not a causal language model (its architecture is "
            f"{', '.join(named) or config.model_type}); bring one that ends in ForCausalLM."
        )


def _check_sizes(source: str, model: Any, tokenizer: Any) -> None:
    words, rows = len(tokenizer), model.get_input_embeddings().weight.shape[0]
    if words > rows:
        raise LearnerError(
            f"{source}: the tokenizer has {words} tokens, the model only {rows}; "
            "put the model's own tokenizer there."
        )
    if words == 0:
        raise LearnerError(f"{source}: the tokenizer is empty; put the model's own one there.")


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars or remarks of transformers for a while; errors still come through.

    What it turns off is the whole process's, so one thread is quiet at a time.
    """
    from transformers.utils import logging

    with _ONE_AT_A_TIME:
        bars, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
        logging.disable_progress_bar()
        logging.set_verbosity_error()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()
