"""Reads what a user brings: prompts, and completions one already has.

Parquet, JSONL, JSON and CSV, plain or gzipped. Columns are mapped by name; every fault names file, row and field.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from schemas.errors import DataError, UsageError, nearest
from schemas.ids import content_id
from schemas.messages import to_rows
from schemas.tables import PROMPTS

PROMPT_FIELDS = ("prompt", "reference", "task", "tests", "source", "split", "language", "group", "prompt_id")
COMPLETION_FIELDS = ("completion", "policy", "label", "logprob", "sample")
FORMATS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")


def parse_map(text: str | None) -> dict[str, str]:
    """Returns the column mapping written as ``field=column,field=column``.

    Raises:
        UsageError: not of that form, or a field there is not.
    """
    mapping = {}
    for part in filter(None, (text or "").split(",")):
        name, equals, column = part.partition("=")
        if not equals or not column:
            raise UsageError(f"--map {text}: {part!r} is not of the form field=column")
        known = (*PROMPT_FIELDS, *COMPLETION_FIELDS)
        if name.strip() not in known:
            raise UsageError(f"--map {text}: no field {name.strip()!r}; {nearest(name.strip(), known)}")
        mapping[name.strip()] = column.strip()
    return mapping


def read_rows(path: Path) -> pl.DataFrame:
    """Returns a data file as it is, one row a record.

    Raises:
        DataError: missing, a folder, empty, an unknown format, or broken at a row that the message names.
    """
    if not path.exists():
        raise DataError("no such file", file=str(path))
    if path.is_dir():
        raise DataError("is a folder, expected a file (" + ", ".join(FORMATS) + ", optionally .gz)", file=str(path))
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind not in FORMATS:
        raise DataError(f"unknown format {kind or 'without a suffix'}; known are {', '.join(FORMATS)}", file=str(path))
    data = _bytes(path)
    if not data.strip():
        raise DataError("the file is empty", file=str(path))
    frame = _parse(data, kind, path)
    if not frame.height:
        raise DataError("the file has no rows", file=str(path))
    return frame


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError) as error:
        raise DataError(f"cannot be read: {error}", file=str(path)) from error


def _parse(data: bytes, kind: str, path: Path) -> pl.DataFrame:
    try:
        if kind == ".parquet":
            return pl.read_parquet(io.BytesIO(data))
        if kind == ".csv":
            return pl.read_csv(io.BytesIO(data), infer_schema_length=10_000)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"not {kind[1:]}: {str(error).splitlines()[0]}", file=str(path)) from error
    rows = list(_json_lines(data, path)) if kind != ".json" else _json_rows(data, path)
    return _frame(rows)


def _json_lines(data: bytes, path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataError(f"not JSON: {error}", file=str(path), row=number) from error
        if not isinstance(row, dict):
            raise DataError(f"expected an object, found {type(row).__name__}", file=str(path), row=number)
        yield row


def _json_rows(data: bytes, path: Path) -> list[dict[str, Any]]:
    try:
        rows = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DataError(f"not JSON: {error}", file=str(path)) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError("expected a list of objects", file=str(path))
    return rows


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Returns rows as they are: a column whose values are of several kinds is kept as Python objects."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        try:
            columns[name] = pl.Series(name, values, strict=True)
        except (TypeError, pl.exceptions.PolarsError):
            columns[name] = pl.Series(name, values, dtype=pl.Object)
    return pl.DataFrame(columns)


def prompts(rows: pl.DataFrame, mapping: Mapping[str, str], *, file: str) -> pl.DataFrame:
    """Returns the prompts table of a file's rows: one row a distinct prompt, in the file's order.

    Args:
        rows: the file. mapping: prompt field -> column; a field of the same name needs no mapping.
        file: named in messages.

    Raises:
        DataError: a missing column, a prompt that is neither text nor messages, one id with two contents.
    """
    columns = _columns(rows, mapping, PROMPT_FIELDS, file)
    if "prompt" not in columns:
        hint = nearest("prompt", rows.columns)
        raise DataError(f"no column 'prompt'; map it with --map prompt=COLUMN ({hint})", file=file, field="prompt")
    seen: dict[str, tuple[str, int]] = {}
    out: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows.iter_rows(named=True), start=1):
        record = _prompt(row, columns, file, number)
        given = row[columns["prompt_id"]] if "prompt_id" in columns else None
        if given is not None:
            known = seen.setdefault(str(given), (record["prompt_id"], number))
            if known[0] != record["prompt_id"]:
                raise DataError(
                    f"id {given!r} already names another prompt in row {known[1]}; ids must be unique",
                    file=file, row=number, field=columns["prompt_id"],
                )  # fmt: skip
            record["meta"] = orjson.dumps({"id": given}).decode()
        out.setdefault(record["prompt_id"], record)
    schema = {name: dtype for name, dtype in PROMPTS.empty().schema.items() if name not in ("run_id", "created_at")}
    return pl.DataFrame(list(out.values()), schema=schema)


def prompt_ids(rows: pl.DataFrame, mapping: Mapping[str, str], *, file: str) -> list[str]:
    """Returns the prompt_id of every row, as ``prompts`` gives it."""
    columns = _columns(rows, mapping, PROMPT_FIELDS, file)
    return [
        _prompt(row, columns, file, number)["prompt_id"]
        for number, row in enumerate(rows.iter_rows(named=True), start=1)
    ]


def _columns(rows: pl.DataFrame, mapping: Mapping[str, str], fields: tuple[str, ...], file: str) -> dict[str, str]:
    for name, column in mapping.items():
        if column not in rows.columns:
            raise DataError(f"no such column for {name!r}; {nearest(column, rows.columns)}", file=file, field=column)
    same = {name: name for name in fields if name in rows.columns}
    if "prompt" not in same and "prompt" not in mapping and "messages" in rows.columns:
        same["prompt"] = "messages"
    return {**same, **{name: column for name, column in mapping.items() if name in fields}}


def _prompt(row: Mapping[str, Any], columns: Mapping[str, str], file: str, number: int) -> dict[str, Any]:
    try:
        messages = to_rows(_plain(row[columns["prompt"]]))
    except ValueError as error:
        raise DataError(f"not a prompt: {error}", file=file, row=number, field=columns["prompt"]) from error
    record: dict[str, Any] = {"messages": messages}
    for name in ("reference", "task", "tests", "source", "split", "language", "group"):
        value = row[columns[name]] if name in columns else None
        record[name] = _text(value)
    record["source"] = record["source"] or Path(file).name
    identity = (messages, record["reference"], record["tests"], record["group"])
    return {"prompt_id": content_id("prompt", *identity), **record}


def _plain(value: Any) -> Any:
    """Returns Polars' struct rows as the messages they were: fields that a row did not have come back as null."""
    if isinstance(value, pl.Series):
        value = value.to_list()
    if isinstance(value, list):
        return [{k: v for k, v in item.items() if v is not None} if isinstance(item, dict) else item for item in value]
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
        return parsed if all(isinstance(item, dict) and "role" in item for item in parsed) else value
    return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    return orjson.dumps(value.to_list() if isinstance(value, pl.Series) else value).decode()
