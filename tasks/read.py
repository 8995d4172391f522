"""Reads data files in chunks: Parquet, JSONL, JSON and CSV, plain or gzipped; every fault names file and row."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import orjson
import polars as pl

from schemas.errors import DataError

CHUNK = 512
"""Rows read at a time."""

FORMATS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")


def chunks(path: Path, size: int = CHUNK) -> Iterator[pl.DataFrame]:
    """Yields a data file as it is, one row a record, so many rows at a time.

    Parquet and JSONL are streamed; CSV and JSON are read whole.

    Raises:
        DataError: missing, a folder, empty, an unknown format, or broken at a row that the message names.
    """
    kind = _kind(path)
    found = 0
    reader = {".parquet": _parquet, ".csv": _csv, ".json": _json}.get(kind, _json_lines)
    for frame in reader(path, size):
        found += frame.height
        yield frame
    if not found:
        raise DataError("the file has no rows", file=str(path))


def read_rows(path: Path) -> pl.DataFrame:
    """Returns a data file whole; see ``chunks``."""
    return pl.concat(chunks(path), how="diagonal_relaxed")


def _kind(path: Path) -> str:
    if not path.exists():
        raise DataError("no such file", file=str(path))
    if path.is_dir():
        raise DataError("is a folder, expected a file (" + ", ".join(FORMATS) + ", optionally .gz)", file=str(path))
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind not in FORMATS:
        raise DataError(f"unknown format {kind or 'without a suffix'}; known are {', '.join(FORMATS)}", file=str(path))
    if not path.stat().st_size:
        raise DataError("the file is empty", file=str(path))
    return kind


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path) if path.suffix == ".gz" else path.open("rb"))


def _bytes(path: Path) -> bytes:
    try:
        with _open(path) as file:
            data = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be read: {error}", file=str(path)) from error
    if not data.strip():
        raise DataError("the file is empty", file=str(path))
    return data


def _parquet(path: Path, size: int) -> Iterator[pl.DataFrame]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = io.BytesIO(_bytes(path)) if path.suffix == ".gz" else path
        for batch in pq.ParquetFile(source).iter_batches(size):
            yield pl.DataFrame(pl.from_arrow(batch))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"not Parquet: {str(error).splitlines()[0]}", file=str(path)) from error


def _csv(path: Path, size: int) -> Iterator[pl.DataFrame]:
    try:
        frame = pl.read_csv(io.BytesIO(_bytes(path)), infer_schema_length=10_000)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"not CSV: {str(error).splitlines()[0]}", file=str(path)) from error
    yield from frame.iter_slices(size)


def _json_lines(path: Path, size: int) -> Iterator[pl.DataFrame]:
    rows: list[dict[str, Any]] = []
    before = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    rows.append(_object(line, path, number, before + len(rows) + 1))
                if len(rows) == size:
                    yield _frame(rows)
                    before, rows = before + size, []
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be read: {error}", file=str(path)) from error
    if rows:
        yield _frame(rows)


def _object(line: bytes, path: Path, number: int, count: int) -> dict[str, Any]:
    """Returns one line's object; a fault names the line and, where blank lines make it another number, the row."""
    where = f"{path}, line {number}" + (f" (row {count})" if count != number else "")
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg}", file=where) from error
    if not isinstance(row, dict):
        raise DataError(f"expected an object, found {type(row).__name__}", file=where)
    return row


def _json(path: Path, size: int) -> Iterator[pl.DataFrame]:
    try:
        rows = orjson.loads(_bytes(path))
    except orjson.JSONDecodeError as error:
        raise DataError(f"not JSON: {error}", file=str(path)) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError("expected a list of objects", file=str(path))
    yield from _frame(rows).iter_slices(size) if rows else ()


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
