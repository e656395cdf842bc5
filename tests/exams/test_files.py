from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nightschool.exams import read_exam_file
from nightschool.types import ExamError

ROWS: list[dict[str, object]] = [
    {"context": "2 + 2 =", "answers": ["4", "four"], "group": "sums"},
    {"context": "The sky is", "answers": ["blue, or grey"], "group": ""},
]


def written(folder: Path, kind: str) -> Path:
    path = folder / f"exam.{kind}"
    if kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n", encoding="utf-8")
    elif kind == "csv":
        text = 'context,answer,answers,group\n2 + 2 =,,"[""4"", ""four""]",sums\n'
        path.write_text("\ufeff" + text + 'The sky is,"blue, or grey",,\n', encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_three_formats_say_the_same(tmp_path: Path, kind: str) -> None:
    items = read_exam_file(written(tmp_path, kind))
    assert [(i.context.body, [a.body for a in i.accepted], i.group, i.source) for i in items] == [
        ("2 + 2 =", ["4", "four"], "sums", "file"),
        ("The sky is", ["blue, or grey"], "", "file"),
    ]


def test_duplicates_are_merged(tmp_path: Path) -> None:
    path = tmp_path / "exam.jsonl"
    rows = [("a", "1", ""), ("b", "2", ""), (" A.", "one", "g"), ("a", "1.", "h")]
    lines = (json.dumps({"context": c, "answer": a, "group": g}) for c, a, g in rows)
    path.write_text("\n".join(lines), encoding="utf-8")
    first, second = read_exam_file(path)
    assert [a.body for a in first.accepted] == ["1", "one"]
    assert (first.context.body, first.group, second.context.body) == ("a", "g", "b")


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_an_exported_exam_keeps_every_accepted_answer(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"exam.{kind}"
    row = {"context": "2 + 2 =", "answer": "4", "accepted": ["4", "four"]}
    text = 'context,answer,accepted\n2 + 2 =,4,"[""4"", ""four""]"\n'
    path.write_text(text if kind == "csv" else json.dumps(row), encoding="utf-8")
    (item,) = read_exam_file(path)
    assert [a.body for a in item.accepted] == ["4", "four"]


def test_numbers_count_as_written(tmp_path: Path) -> None:
    path = tmp_path / "exam.jsonl"
    path.write_text('{"context": "2 + 2 =", "answer": 4}', encoding="utf-8")
    assert read_exam_file(path)[0].accepted[0].body == "4"


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("e.jsonl", '{"context": "a", "answer": "1"}\n{"context": ', r"e\.jsonl, line 2: not JSON"),
        ("e.jsonl", "[1]", r"line 1: a list, not an object"),
        ("e.jsonl", '\n{"answer": "1"}', r'line 2: "context" is None'),
        ("e.jsonl", '{"context": " ", "answer": "1"}', r"line 1: \"context\" is ' '"),
        ("e.jsonl", '{"context": "a"}', r"line 1: the answer is None"),
        ("e.jsonl", '{"context": "a", "answers": []}', r"line 1: the answer is \[\]"),
        ("e.jsonl", '{"context": "a", "answer": true}', r"line 1: the answer is True"),
        ("e.jsonl", '{"context": "a", "answer": "1", "answers": ["2"]}', r"keep one"),
        ("e.jsonl", '{"context": "a", "answer": "1", "group": 3}', r'"group" is 3'),
        ("e.jsonl", "\n \n", r"empty; add rows"),
        ("e.csv", "", r"empty; add rows"),
        ("e.csv", "context,answer\n", r"empty; add rows"),
        ("e.csv", "question,answer\na,1\n", r"line 1: the header has question, answer"),
        ("e.csv", "context,answer\na,1,2\n", r"line 2: more cells"),
        ("e.csv", "context,answer\na,1\nb,\n", r"line 3: the answer is None"),
        ("e.csv", 'context,answers\na,"[4"\n', r'line 2: "answers" is not a JSON list'),
        ("e.csv", 'context,answer\na,"b"c\n', r"line 2: .*check the quotes"),
        ("e.parquet", "nonsense", r"not a Parquet file"),
        ("e.jsonl", r'{"context": "a\ud800", "answer": "1"}', r"line 1: .*half a character"),
        ("e.jsonl", r'{"context": "a", "answers": ["1", "\udc00"]}', r"line 1: .*take it out"),
        ("e.jsonl", r'{"context": "a", "answer": "1", "group": "\u0000"}', r"line 1: .*NUL"),
        ("e.txt", "a", r"is \.jsonl, \.csv or \.parquet, not \.txt"),
    ],
)
def test_errors_name_file_line_and_cure(tmp_path: Path, name: str, body: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(body, encoding="utf-8")
    with pytest.raises(ExamError, match=says) as error:
        read_exam_file(path)
    assert str(path) in str(error.value)


def test_missing_file_and_other_encodings(tmp_path: Path) -> None:
    with pytest.raises(ExamError, match=r"no such exam file; .*--exam or `nightschool exam add`"):
        read_exam_file(tmp_path / "none.jsonl")
    path = tmp_path / "latin.csv"
    path.write_bytes("context,answer\nça,é\n".encode("latin-1"))
    with pytest.raises(ExamError, match="not UTF-8; save the file as UTF-8"):
        read_exam_file(path)


def test_parquet_without_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    pq.write_table(pa.table({"question": ["a"]}), path)
    with pytest.raises(ExamError, match="the columns are question"):
        read_exam_file(path)
    pq.write_table(pa.table({"context": ["a", "b"], "answer": ["1", None]}), path)
    with pytest.raises(ExamError, match="line 2: the answer is None"):
        read_exam_file(path)
