"""Encoders as they come: a transformers folder, one of sentence-transformers, and bad ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nightschool.learners.classification.encoder import pool
from nightschool.learners.classification.opening import open_encoder
from nightschool.learners.classification.settings import ClassificationSettings
from nightschool.types import LearnerError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "three", "hat", "hats", "query"]
PLAIN = ClassificationSettings(threads=1)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of random weights, one layer, on ten words."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(str(folder))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=12,
    )  # fmt: skip
    BertModel(config).save_pretrained(str(folder), safe_serialization=True)
    return folder


def dressed(bert: Path, folder: Path, modules: list[str], **pooling: bool) -> Path:
    """The same model as a folder of sentence-transformers."""
    for file in bert.iterdir():
        (folder / file.name).symlink_to(file)
    listed = [
        {"type": f"sentence_transformers.models.{kind}", "path": "" if not i else f"{i}_{kind}"}
        for i, kind in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 5}))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder


def states(folder: Path, text: str) -> Any:
    """The last layer's states of one text, by transformers alone."""
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(str(folder)).eval()
    tokens = AutoTokenizer.from_pretrained(str(folder))(text, return_tensors="pt")
    with torch.no_grad():
        return model(**tokens).last_hidden_state[0]


def test_a_plain_folder_is_averaged_without_its_padding(bert: Path) -> None:
    encoder = open_encoder(str(bert), PLAIN)
    assert (encoder.reading.pooling, encoder.reading.window) == ("mean", 12)
    together = encoder.embed(["red hat", "three blue hats red red red"])
    mean = states(bert, "red hat").mean(0)
    assert together[0] == pytest.approx((mean / mean.norm()).numpy(), abs=1e-5)
    assert np.linalg.norm(together, axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)


def test_a_sentence_transformers_folder_is_read_as_it_says(bert: Path, tmp_path: Path) -> None:
    folder = dressed(
        bert, tmp_path, ["Transformer", "Pooling", "Normalize"], pooling_mode_cls_token=True
    )
    encoder = open_encoder(str(folder), PLAIN)
    assert (encoder.reading.pooling, encoder.reading.window) == ("cls", 5)
    first = states(bert, "red hat")[0]
    assert encoder.embed(["red hat"])[0] == pytest.approx((first / first.norm()).numpy(), abs=1e-5)
    longer = "red hat blue three hats blue"
    assert encoder.embed([longer])[0] == pytest.approx(encoder.embed([longer[:12]])[0], abs=0.2)


def test_a_prefix_stands_before_every_text(bert: Path) -> None:
    asking = open_encoder(str(bert), ClassificationSettings(prefix="query "))
    plain = open_encoder(str(bert), PLAIN)
    assert asking.embed(["hat"])[0] == pytest.approx(plain.embed(["query hat"])[0], abs=1e-6)


def test_every_way_of_pooling() -> None:
    rows = torch.tensor([[[1.0, 5.0], [3.0, 1.0], [9.0, 9.0]]])
    inside = torch.tensor([[True, True, False]])
    found = {how: pool(rows, inside, how)[0].tolist() for how in ("mean", "cls", "last", "max")}
    assert found == {"mean": [2.0, 3.0], "cls": [1.0, 5.0], "last": [3.0, 1.0], "max": [3.0, 5.0]}


def test_a_text_without_words_has_a_vector_too(bert: Path) -> None:
    assert np.isfinite(open_encoder(str(bert), PLAIN).embed(["", " "])).all()
    assert open_encoder(str(bert), PLAIN).embed([]).shape == (0, 16)


def test_what_cannot_be_read_is_refused_with_the_cure(bert: Path, tmp_path: Path) -> None:
    for name in ("dense", "both", "pickled", "empty"):
        (tmp_path / name).mkdir()
    dense = dressed(bert, tmp_path / "dense", ["Transformer", "Pooling", "Dense"])
    with pytest.raises(LearnerError, match="module of type 'Dense'"):
        open_encoder(str(dense), PLAIN)
    both = dressed(
        bert, tmp_path / "both", ["Transformer", "Pooling"],
        pooling_mode_cls_token=True, pooling_mode_max_tokens=True,
    )  # fmt: skip
    with pytest.raises(LearnerError, match="pools by pooling_mode_cls_token, pooling_mode_max"):
        open_encoder(str(both), PLAIN)
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(LearnerError, match="no safetensors weights"):
        open_encoder(str(tmp_path / "pickled"), PLAIN)
    with pytest.raises(LearnerError, match="There is no model folder"):
        open_encoder(str(tmp_path / "nowhere"), PLAIN)
    (tmp_path / "empty" / "model.safetensors").write_bytes(b"")
    with pytest.raises(LearnerError, match="cannot be opened as an encoder"):
        open_encoder(str(tmp_path / "empty"), PLAIN)
