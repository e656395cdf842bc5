from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nightschool.app.pool import read_contexts, read_texts
from nightschool.types import Experiment, PoolError, caption_of


def texts(path, limit=1000):
    return [(c.text, c.group) for c in read_contexts(path, limit)]


def test_every_format_gives_the_same_contexts(tmp_path):
    rows = [
        {"context": "One and one make", "group": "sum"},
        {"context": "Naïve « text »", "group": ""},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    (tmp_path / "a.csv").write_text('context,group\nOne and one make,sum\n"Naïve « text »",\n')
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.txt").write_text("One and one make\nNaïve « text »\n")
    wanted = [("One and one make", "sum"), ("Naïve « text »", "")]
    for name in ("a.jsonl", "a.csv", "a.parquet"):
        assert texts(tmp_path / name) == wanted
    assert [t for t, _ in texts(tmp_path / "a.txt")] == [t for t, _ in wanted]
    assert list(read_texts(tmp_path / "a.txt")) == [t for t, _ in wanted]


@pytest.mark.parametrize("key", ["text", "prompt"])
def test_the_fields_own_names_are_taken_too(tmp_path, key):
    (tmp_path / "a.jsonl").write_text(json.dumps({key: "Hello"}))
    assert texts(tmp_path / "a.jsonl") == [("Hello", "")]


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("a.jsonl", '{"context": "x"}\n{"context": ', r"a\.jsonl, line 2: broken JSON"),
        ("a.jsonl", '{"context": "x"}\n[1]', r"a\.jsonl, line 2: needs an object"),
        ("a.jsonl", '{"question": "x"}', r"line 1: has no text under"),
        ("a.jsonl", '{"context": "   "}', r"line 1: has no text under"),
        ("a.csv", "context\nx\n,\n", r"a\.csv, line 3: has no text"),
        ("a.csv", "words\nx\n", r"line 2: has no text"),
        ("a.txt", "y" * 1001, r"line 1: the context has 1,001 characters, 1,000 are allowed"),
        ("a.parquet", "not parquet", r"a\.parquet: not a Parquet file"),
        ("a.jsonl", r'{"context": "x\ud800"}', r"a\.jsonl, line 1: the context .*; take it out"),
        ("a.jsonl", r'{"context": "x", "group": "\udfff"}', r"line 1: the group .*take it out"),
        ("a.txt", "fine\nx\0y\n", r"a\.txt, line 2: the context .*NUL"),
        ("a.docx", "x", r"a pool file ends in"),
    ],
)
def test_broken_files_name_file_line_and_cure(tmp_path, name, body, message):
    (tmp_path / name).write_text(body)
    with pytest.raises(PoolError, match=message):
        texts(tmp_path / name)


def test_original_texts_come_through_the_same_door(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "fine"}\n{"text": "x\\ud800"}\n')
    with pytest.raises(PoolError, match=r"a\.jsonl, line 2: .*half a character"):
        list(read_texts(tmp_path / "a.jsonl"))


def test_bytes_that_are_no_utf8_are_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(PoolError, match="UTF-8"):
        texts(tmp_path / "a.txt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PoolError, match="no such file"):
        texts(tmp_path / "nowhere.txt")


def test_captions_become_sheets(tmp_path):
    (tmp_path / "c.txt").write_text("a cat\na dog\n")
    found = list(read_contexts(tmp_path / "c.txt", 300, "caption", 3))
    assert [caption_of(c.document) for c in found] == ["a cat"] * 3 + ["a dog"] * 3
    assert len({c.id for c in found}) == 6
    assert {c.group for c in found} == {"a cat", "a dog"}


def test_experiments_are_read_and_a_broken_one_is_named(tmp_path):
    trial = Experiment("arm", np.zeros(1), np.zeros(2), np.ones((3, 1)))
    row = {"experiment": json.loads(trial.document().body), "group": "slow"}
    (tmp_path / "e.jsonl").write_text(json.dumps(row) + "\n" + trial.document().body + "\n")
    found = list(read_contexts(tmp_path / "e.jsonl", 300, "experiment"))
    assert [c.group for c in found] == ["slow", ""]
    assert found[0].document == found[1].document == trial.document()
    (tmp_path / "b.jsonl").write_text('{"start": [1]}\n')
    with pytest.raises(PoolError, match=r"b\.jsonl, line 1: .*no experiment"):
        list(read_contexts(tmp_path / "b.jsonl", 300, "experiment"))
