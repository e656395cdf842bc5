"""Contexts from a file: .jsonl, .csv, .parquet or .txt, with errors that name the line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nightschool.types import (
    CAPTION,
    EXPERIMENT,
    LONGEST_CAPTION,
    TEXT,
    Context,
    Document,
    Experiment,
    PoolError,
    caption_document,
    is_storable,
)

FORMATS = (".jsonl", ".csv", ".parquet", ".txt")

STARTER_FILE = "contexts.jsonl"
STARTER_POOL = (
    f"nightschool starter contexts {STARTER_FILE}",
    f"nightschool pool add {STARTER_FILE}",
)
"""The commands that give a school of the starter its pool."""


def empty_pool(starter: bool) -> str:
    """What to do about a pool without contexts, in a sentence."""
    told = "The pool is empty, so nothing can be asked: "
    if starter:
        write, add = STARTER_POOL
        return f"{told}write contexts for the starter with `{write}`, then add them with `{add}`."
    add = "`nightschool pool add FILE`"
    return f"{told}put contexts, one a line, into a text file, then add it with {add}."


def read_contexts(path: Path, limit: int, kind: str = TEXT, sheets: int = 1) -> Iterator[Context]:
    """The contexts of a pool file, checked.

    A row needs a text under "context" (or "text", "prompt", "caption") and may have a "group".
    For a school that draws, each is a caption and makes `sheets` contexts, sheet by sheet; for
    one that experiments, a row is an experiment (system, start, state, actions). The file is
    read as a stream; a broken line raises PoolError with file and line.
    """
    if path.suffix not in FORMATS:
        raise PoolError(f"{path}: a pool file ends in {', '.join(FORMATS)}, not {path.suffix!r}.")
    if not path.is_file():
        raise PoolError(f"{path}: there is no such file.")
    for line, row in _rows(path):
        where = f"{path}, line {line}"
        if kind == EXPERIMENT:
            yield _experiment(row, where)
        elif kind == CAPTION:
            yield from _sheets(_context(row, where, min(limit, LONGEST_CAPTION)), sheets)
        else:
            yield _context(row, where, limit)


def read_texts(path: Path) -> Iterator[str]:
    """The texts of an original dataset, from the same formats (a .txt file: one a line)."""
    for context in read_contexts(path, 10_000_000):
        yield context.text


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    try:
        with open(
            path, encoding="utf-8-sig", newline="" if path.suffix == ".csv" else None
        ) as file:
            if path.suffix == ".csv":
                reader = csv.DictReader(file)
                for row in reader:
                    yield reader.line_num, row
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _line(line, path, number)
    except UnicodeDecodeError as error:
        raise PoolError(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8.") from error
    except csv.Error as error:
        raise PoolError(f"{path}: broken CSV ({error}).") from error


def _line(line: str, path: Path, number: int) -> Any:
    if path.suffix == ".txt":
        return {"context": line.rstrip("\r\n")}
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise PoolError(
            f"{path}, line {number}: broken JSON ({error.msg}, column {error.colno}); nothing was "
            "added. Mend that line and add the file again."
        ) from error


def _parquet(path: Path) -> Iterator[tuple[int, Any]]:
    import pyarrow
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise PoolError(f"{path}: not a Parquet file ({error}).") from error
    number = 0
    for batch in file.iter_batches(batch_size=1000):
        for row in batch.to_pylist():
            number += 1
            yield number, row


def _sheets(caption: Context, sheets: int) -> Iterator[Context]:
    for sheet in range(1, sheets + 1):
        yield Context(caption_document(caption.text, sheet), "pool", caption.group or caption.text)


def _experiment(row: Any, where: str) -> Context:
    body = json.dumps(row["experiment"] if isinstance(row, dict) and "experiment" in row else row)
    try:
        experiment = Experiment.of(Document(body, EXPERIMENT))
    except PoolError as error:
        raise PoolError(f"{where}: {error}") from error
    group = str(row.get("group") or "") if isinstance(row, dict) else ""
    return Context(experiment.document(), "pool", group)


def _context(row: Any, where: str, limit: int) -> Context:
    if isinstance(row, str):
        row = {"context": row}
    if not isinstance(row, dict):
        raise PoolError(f'{where}: needs an object with a "context", not {row!r}.')
    text = next((row[k] for k in ("context", "text", "prompt", "caption") if row.get(k)), None)
    if not isinstance(text, str) or not text.strip():
        raise PoolError(f'{where}: has no text under "context" (found {sorted(map(str, row))}).')
    if len(text) > limit:
        raise PoolError(
            f"{where}: the context has {len(text):,} characters, {limit:,} are allowed; cut it or "
            "raise max_context_chars."
        )
    group = str(row.get("group") or "")
    for name, value in (("context", text), ("group", group)):
        if not is_storable(value):
            raise PoolError(
                f"{where}: the {name} {value[:60]!r} holds what cannot be stored, NUL or half a "
                "character; take it out and add the file again."
            )
    return Context.of(text.rstrip("\n"), "pool", group)
