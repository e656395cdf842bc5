"""Rows as files: JSON lines for training and for reading, CSV and Parquet, made bit by bit.

The training formats are those that TRL's SFTTrainer takes as they are ("prompt-completion" and
"conversational language modeling" in its page on dataset formats).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

from nightschool.app.exchange.rows import COLUMNS, Row, What, told
from nightschool.types import TEXT, ConfigError, Reply
from nightschool.types.spelling import target_text

AT_ONCE = 1_000
"""Rows that are written together."""


class Format(StrEnum):
    """How an export is written."""

    PROMPT = "prompt"
    """JSON lines: {"prompt": …, "completion": …}; one put after the other reads as one text."""
    CHAT = "chat"
    """JSON lines: {"messages": [{"role": "user", …}, {"role": "assistant", …}]}."""
    JSONL = "jsonl"
    """JSON lines with every column."""
    CSV = "csv"
    PARQUET = "parquet"


ENDING: Mapping[Format, str] = {
    Format.PROMPT: "jsonl",
    Format.CHAT: "jsonl",
    Format.JSONL: "jsonl",
    Format.CSV: "csv",
    Format.PARQUET: "parquet",
}

MEDIA: Mapping[Format, str] = {
    Format.PROMPT: "application/jsonl",
    Format.CHAT: "application/jsonl",
    Format.JSONL: "application/jsonl",
    Format.CSV: "text/csv; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def write(rows: Iterable[Row], form: Format, what: What) -> Iterator[bytes]:
    """The bytes of a file, in pieces; memory holds one piece at a time."""
    if form is Format.CSV:
        return _csv(rows, what)
    if form is Format.PARQUET:
        return _parquet(rows, what)
    makers: Mapping[Format, Callable[[Row], Row]] = {Format.PROMPT: prompt, Format.CHAT: chat}
    if form in makers:
        # A skip teaches nothing; who wants to see them takes a format with every column.
        rows = (makers[form](row) for row in rows if row.get("reply", Reply.ANSWER) == Reply.ANSWER)
    return _lines(rows)


def prompt(row: Row) -> Row:
    """A row as prompt and completion, with the space that belongs between them."""
    context, answer = texts(row)
    # Where the context ends with a space of its own, that is the space.
    completion = answer if context.endswith(" ") else target_text(context, answer)
    return {"prompt": context, "completion": completion}


def chat(row: Row) -> Row:
    """A row as a conversation of one question and its answer."""
    context, answer = texts(row)
    return {
        "messages": [
            {"role": "user", "content": context},
            {"role": "assistant", "content": answer},
        ]
    }


def texts(row: Row) -> tuple[str, str]:
    """Context and answer of a row that holds texts; ConfigError for drawings and trajectories."""
    for kind in (row["context_kind"], row["answer_kind"]):
        if kind != TEXT:
            raise ConfigError(
                f"A {kind} is no text to train a language model on; export as jsonl, csv or "
                "parquet, where it stands as JSON."
            )
    return row["context"], row["answer"].strip()


def _lines(rows: Iterable[Row]) -> Iterator[bytes]:
    for group in _groups(rows):
        yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in group).encode()


def _csv(rows: Iterable[Row], what: What) -> Iterator[bytes]:
    out = io.StringIO()
    table = csv.DictWriter(out, list(COLUMNS[what]), lineterminator="\r\n")
    table.writeheader()
    for group in _groups(rows):
        table.writerows({name: told(value) for name, value in row.items()} for row in group)
        yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode()


def _parquet(rows: Iterable[Row], what: What) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}
    types |= {list: pa.list_(pa.string())}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS[what].items()])
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that only grows, of which what was written is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        """What was written since it was last taken."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def format_of(name: str, path: str, what: What = What.EXAMPLES) -> Format:
    """The format of that name, or the one that a file's ending says; ConfigError otherwise.

    Answers are written whole; a training format would lose whose they are and their notes.
    """
    lines = Format.JSONL if what is What.ANSWERS else Format.PROMPT
    endings = {".jsonl": lines, ".csv": Format.CSV, ".parquet": Format.PARQUET}
    if name:
        if name in set(Format):
            return Format(name)
        raise ConfigError(f"There is no format {name!r}; choose {', '.join(Format)}.")
    for ending, form in endings.items():
        if path.endswith(ending):
            return form
    raise ConfigError(
        f"{path!r} does not say how to write it; name a format ({', '.join(Format)}) or end the "
        "file's name in .jsonl, .csv or .parquet."
    )
