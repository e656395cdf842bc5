from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import duckdb
import polars
import pyarrow.parquet as pq
import pytest

from nightschool.types import Document, Example, Manifest, Partition, WarehouseError
from nightschool.warehouse import Warehouse, segments
from nightschool.warehouse.codec import sha256
from nightschool.warehouse.files import file_sha256
from tests.warehouse.helpers import RECIPE, Toy, example, one_night


@pytest.fixture
def original(folder: Path) -> tuple[Warehouse, Manifest]:
    """A school of 5,500 original documents in six row groups."""
    warehouse = Warehouse.create(folder)
    documents = (Document(f"story {i}") for i in range(5_500))
    return warehouse, warehouse.seal_original(documents, "sampled from the model itself")


def test_the_original_dataset_is_sealed_whole_and_says_where_it_came_from(
    original: tuple[Warehouse, Manifest],
) -> None:
    warehouse, manifest = original
    assert manifest.note == "sampled from the model itself"
    assert [(s.role, s.rows, s.night) for s in manifest.segments] == [("original", 5_500, 0)]
    assert warehouse.manifest(manifest.hash) == manifest
    assert warehouse.manifests() == [manifest]
    text = (warehouse.folder / "manifests" / f"{manifest.hash}.json").read_bytes()
    assert sha256(text) == manifest.hash
    assert json.loads(text)["note"] == manifest.note
    path = warehouse.folder / "segments" / f"{manifest.segments[0].sha256}.parquet"
    assert file_sha256(path) == manifest.segments[0].sha256
    assert pq.ParquetFile(path).metadata.num_row_groups == 6
    with pytest.raises(WarehouseError, match="no manifest 'nothing'"):
        warehouse.manifest("nothing")


def test_equal_documents_are_sealed_once_and_large_datasets_in_several_segments(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightschool.warehouse.dataset.SEGMENT_ROWS", 4)
    with Warehouse.create(folder) as warehouse:
        texts = [*"aabcdefghij", "A"]
        manifest = warehouse.seal_original(map(Document, texts), "letters")
        assert [s.rows for s in manifest.segments] == [4, 4, 3]
        every = warehouse.dataset(manifest).original(99, seed=0)
        assert sorted(d.body for d in every) == sorted({*texts})
        assert warehouse.seal_original(map(Document, texts), "letters") == manifest


def test_no_original_dataset_is_a_dataset_too(folder: Path) -> None:
    with Warehouse.create(folder) as warehouse:
        manifest = warehouse.seal_original([], "none")
        dataset = warehouse.dataset(manifest)
        assert (manifest.segments, dataset.original(5, seed=0)) == ((), [])
        assert (dataset.earlier(5, seed=0), dataset.new) == ([], [])


def test_the_original_dataset_is_sealed_for_ever_once_there_is_a_model(
    warehouse: Warehouse,
) -> None:
    with pytest.raises(WarehouseError, match="sealed for ever"):
        warehouse.seal_original([Document("more")], "more")


def test_samples_are_distinct_deterministic_and_differ_by_seed(
    original: tuple[Warehouse, Manifest],
) -> None:
    warehouse, manifest = original
    one = warehouse.dataset(manifest).original(300, seed=1)
    assert len({d.body for d in one}) == 300
    assert warehouse.dataset(manifest).original(300, seed=1) == one
    assert warehouse.dataset(manifest).original(300, seed=2) != one
    assert warehouse.dataset(manifest).original(0, seed=1) == []
    assert len({d.body for d in warehouse.dataset(manifest).original(9_999, seed=1)}) == 5_500
    other = warehouse.seal_original((Document(f"story {i}") for i in range(5_500)), "other")
    # The same rows under another manifest: a withdrawal must not change what is replayed.
    assert warehouse.dataset(other).original(300, seed=1) == one


def test_samples_are_uniform(original: tuple[Warehouse, Manifest]) -> None:
    warehouse, manifest = original
    dataset = warehouse.dataset(manifest)
    counts: Counter[int] = Counter()
    for seed in range(40):
        drawn = dataset.original(50, seed=seed)
        counts.update(int(d.body.split()[1]) // 1_000 for d in drawn)
    # 2,000 draws: a full group expects 364 (sd 17), the last, half one 182 (sd 13).
    assert all(280 < counts[group] < 448 for group in range(5))
    assert 120 < counts[5] < 245


def test_a_sample_reads_only_the_row_groups_it_needs(
    original: tuple[Warehouse, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, manifest = original
    read: list[int] = []
    group = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, i: int, *args: object) -> object:
        read.append(i)
        return group(self, i, *args)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    warehouse.dataset(manifest).original(2, seed=3)
    assert 1 <= len(read) <= 2


def test_tonights_examples_are_new_and_others_earlier(warehouse: Warehouse) -> None:
    first = [example(f"e{i}") for i in range(6)]
    one_night(warehouse, first)
    second = [example(f"f{i}", night=2) for i in range(3)]
    manifest, _ = one_night(warehouse, [*first, *second])
    dataset = warehouse.dataset(manifest, night=2)
    assert dataset.new == second
    assert sorted(e.id for e in dataset.earlier(99, seed=1)) == [f"e{i}" for i in range(6)]
    assert len(dataset.earlier(2, seed=1)) == 2
    assert list(warehouse.dataset(manifest).new) == [*first, *second]
    assert len(dataset.original(99, seed=0)) == 50


def test_excluded_examples_are_left_out_of_everything(warehouse: Warehouse) -> None:
    many = [example(f"e{i}") for i in range(20)]
    one_night(warehouse, many)
    kept = many[:4]
    manifest, _ = one_night(warehouse, kept)
    assert manifest.excluded == tuple(sorted(e.id for e in many[4:]))
    assert len(manifest.segments) == 2
    dataset = warehouse.dataset(manifest, night=2)
    assert dataset.new == []
    for seed in range(5):
        drawn = dataset.earlier(4, seed=seed)
        assert {e.id for e in drawn} == {e.id for e in kept}
        assert len(drawn) == 4
    assert warehouse.dataset(manifest).new == kept
    assert warehouse.counts().examples == 4


def test_examples_come_back_as_they_were_sealed(warehouse: Warehouse) -> None:
    blobs = {"png": "ab" * 32}
    rich = Example(
        id="rich",
        context=Document('{"caption":"a cat"}', "drawing", blobs),
        target=Document("Ünïcode\n\x00\U0001f600", blobs={"svg": "cd" * 32}),
        weight=0.1 + 0.2,
        answers=("a1", "a2"),
        night=1,
        group="cats",
    )
    manifest, _ = one_night(warehouse, [rich, example("plain")])
    found = {each.id: each for each in warehouse.dataset(manifest).new}["rich"]
    assert found == rich
    assert found.context.blobs == blobs
    assert found.target.body == rich.target.body


def test_duckdb_polars_and_datasets_read_the_segments(warehouse: Warehouse, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    manifest, _ = one_night(warehouse, [example("e1"), example("e2")])
    names = [str(warehouse.folder / "segments" / f"{s.sha256}.parquet") for s in manifest.segments]
    rows = duckdb.sql(
        f"SELECT id, target, answers, weight FROM read_parquet({names}) WHERE night = 1 ORDER BY id"
    ).fetchall()
    assert rows == [
        ("e1", "target of e1", ["a-e1"], 0.5),
        ("e2", "target of e2", ["a-e2"], 0.5),
    ]
    frame = polars.read_parquet(names)
    assert frame.shape == (52, 10)
    assert frame["target"].null_count() == 50
    assert frame.filter(polars.col("group") == "").height == 52
    table = datasets.load_dataset(
        "parquet", data_files=names, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(table) == 52
    assert table[51]["answers"] == ["a-e2"]
    assert table.column_names == segments.SCHEMA.names


def test_an_unfinished_row_is_not_a_segment(warehouse: Warehouse) -> None:
    bad = dataclasses.replace(example("e1"), context=Document(None))  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"None|null"), warehouse.begin_night() as night:
        night.seal([bad])
    names = [path.name for path in (warehouse.folder / "segments").glob("*.parquet")]
    assert len(names) == 1
    assert warehouse.answered(Partition.TRAINING) == []
    assert Toy.recipe == RECIPE
