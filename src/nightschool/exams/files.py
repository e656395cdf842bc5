"""Reading an owner's test file: JSON lines, CSV or Parquet, with errors that name the line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from nightschool.exams.text import file_item
from nightschool.types import ExamError, ExamItem, is_storable

Row = tuple[int, Mapping[str, object]]
"""The line (or row) number, 1 first, and its fields."""

FIELDS = 'fields "context", "answer" (or "answers", a list) and optionally "group"'


def read_exam_file(path: Path | str) -> list[ExamItem]:
    """The items of a .jsonl, .csv or .parquet file, in its order; equal contexts become one item.

    Raises ExamError that names file, line and cure when the file cannot be read or holds nothing.
    """
    path = Path(path)
    readers = {".jsonl": json_rows, ".csv": csv_rows, ".parquet": parquet_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ExamError(
            f"{path}: an exam file is .jsonl, .csv or .parquet, not {path.suffix or 'nameless'}; "
            f"write one JSON object a line with the {FIELDS}."
        )
    if not path.is_file():
        raise ExamError(
            f"{path}: no such exam file; check the path after --exam or `nightschool exam add`."
        )
    try:
        items = merged(item_of(path, line, row) for line, row in reader(path))
    except UnicodeDecodeError as error:
        raise ExamError(
            f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8."
        ) from error
    except OSError as error:
        raise ExamError(f"{path}: {error.strerror or error}; check its permissions.") from error
    if not items:
        raise ExamError(f"{path}: the exam file is empty; add rows with the {FIELDS}.")
    return items


def merged(items: Iterable[ExamItem]) -> list[ExamItem]:
    """Items of one context as one, accepting what any of them accepts; the first group stays."""
    found: dict[str, ExamItem] = {}
    for item in items:
        old = found.get(item.id)
        if old is not None:
            accepted = {a.digest: a for a in (*item.accepted, *old.accepted)}
            ordered = sorted(accepted.values(), key=(*old.accepted, *item.accepted).index)
            item = ExamItem(item.id, old.context, tuple(ordered), old.group or item.group, "file")
        found[item.id] = item
    return list(found.values())


def json_rows(path: Path) -> Iterator[Row]:
    """One JSON object a line; blank lines are passed over."""
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ExamError(
                    f"{path}, line {number}: not JSON ({error.msg} at column {error.colno}); "
                    'write one object a line, such as {"context": "2 + 2 =", "answer": "4"}.'
                ) from error
            if not isinstance(row, dict):
                raise ExamError(
                    f"{path}, line {number}: a {type(row).__name__}, not an object; give it the "
                    f"{FIELDS}."
                )
            yield number, row


def csv_rows(path: Path) -> Iterator[Row]:
    """Rows under a header line; "answers" holds a JSON list."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            if reader.fieldnames and "context" not in reader.fieldnames:
                raise ExamError(
                    f"{path}, line 1: the header has {', '.join(reader.fieldnames)}; it needs the "
                    f"{FIELDS}."
                )
            for row in reader:
                if None in row:
                    raise ExamError(
                        f"{path}, line {reader.line_num}: more cells than the header names; put "
                        "text that holds commas in double quotes."
                    )
                fields: dict[str, object] = {k: v for k, v in row.items() if v not in (None, "")}
                for name in ("answers", "accepted"):
                    if str(fields.get(name, "")).startswith("["):
                        fields[name] = listed(path, reader.line_num, name, str(fields[name]))
                yield reader.line_num, fields
        except csv.Error as error:
            raise ExamError(
                f"{path}, line {reader.reader.line_num}: {error}; check the quotes of that line."
            ) from error


def listed(path: Path, line: int, name: str, cell: str) -> object:
    """The JSON list in a CSV cell."""
    try:
        return json.loads(cell)
    except json.JSONDecodeError as error:
        raise ExamError(
            f'{path}, line {line}: "{name}" is not a JSON list ({error.msg}); write ["4", "four"].'
        ) from error


def parquet_rows(path: Path) -> Iterator[Row]:
    """Rows of a Parquet file; the number is the row's, 1 first."""
    import pyarrow as pa  # only who brings such a file pays for the import
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise ExamError(f"{path}: not a Parquet file ({error}); write it again.") from error
    if table.num_rows and "context" not in table.column_names:
        raise ExamError(
            f"{path}: the columns are {', '.join(table.column_names)}; it needs the {FIELDS}."
        )
    for number, row in enumerate(table.to_pylist(), start=1):
        yield number, {name: value for name, value in row.items() if value is not None}


def item_of(path: Path, line: int, row: Mapping[str, object]) -> ExamItem:
    """The item in a row, checked."""

    def wrong(what: str) -> ExamError:
        return ExamError(f"{path}, line {line}: {what}; each row needs the {FIELDS}.")

    context = row.get("context")
    if not isinstance(context, str) or not context.strip():
        raise wrong(f'"context" is {context!r}, not a text')
    if "answer" in row and "answers" in row:
        raise wrong('both "answer" and "answers" are there; keep one')
    # What `nightschool export --exam` writes has "accepted", all that "answer" is the first of.
    given = row.get("accepted", row.get("answers", row.get("answer")))
    answers = [as_text(a) for a in given] if isinstance(given, list) else [as_text(given)]
    if not answers or any(a is None for a in answers):
        raise wrong(f"the answer is {given!r}, not a text or a list of texts")
    group = row.get("group", "")
    if not isinstance(group, str):
        raise wrong(f'"group" is {group!r}, not a text')
    texts = [a for a in answers if a is not None]
    for text in (context, *texts, group):
        if not is_storable(text):
            raise wrong(
                f"{text[:60]!r} holds what cannot be stored, NUL or half a character; take it out"
            )
    return file_item(context, texts, group)


def as_text(value: object) -> str | None:
    """An answer as text (a number counts as written); None when it is neither, or blank."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and value.strip() else None
