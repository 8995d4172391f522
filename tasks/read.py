"""Reads data files row by row: Parquet, Arrow, JSONL, JSON, CSV, TSV, plain or compressed; faults name their row."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import orjson
import polars as pl

from schemas.errors import DataError
from tasks.fetch import files
from tasks.importers.values import unpadded

CHUNK = 512
"""Rows read at a time."""

FORMATS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".arrow", ".feather")
COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
_FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError)
_BOM, _UTF16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_ALIKE, _LONG = bytes.maketrans(b"123456789", b"0" * 9), b"0" * 19
"""An integer beyond 64 bits has 19 digits at least."""
_DIGITS = 4000

Refuse = Callable[[DataError], None]
"""What is done with a row that cannot be read: it raises, or sets the row aside."""


class Record(NamedTuple):
    """One row: its number, from 1, and its values as plain Python objects."""

    number: int
    row: dict[str, Any]


def _raise(error: DataError) -> None:
    raise error


def records(path: Path, refuse: Refuse = _raise) -> Iterator[Record]:
    """Yields the rows of a data file as they are.

    Parquet, Arrow and JSONL are streamed; CSV, TSV and JSON are read whole. A field of CSV is text. A null field inside
    a struct of Parquet or Arrow is what that row did not have, and is left out. Integers keep all their digits.

    Raises:
        DataError: missing, empty, an unknown format, or broken at a row that the message names.
    """
    kind = _kind(path)
    last = 0
    reader = {".json": _json, ".jsonl": _lines, ".ndjson": _lines}.get(kind)
    for record in reader(path, refuse) if reader else _rows(path, kind):
        last = record.number
        yield record
    if not last:
        raise DataError("the file has no rows", file=str(path))


def read_rows(path: Path) -> pl.DataFrame:
    """Returns a data file, or all files of a folder, as one frame; the types of CSV columns are inferred."""
    frames = [frame for file in files(path) for frame in _whole(file)]
    if not any(frame.height for frame in frames):
        raise DataError("the file has no rows", file=str(path))
    return pl.concat(frames, how="diagonal_relaxed")


def _whole(path: Path) -> Iterator[pl.DataFrame]:
    kind = _kind(path)
    if kind in (".parquet", ".arrow", ".feather", ".csv", ".tsv"):
        yield from _frames(path, kind, infer=True)
        return
    rows: list[dict[str, Any]] = []
    for record in records(path):
        rows.append(record.row)
        if len(rows) == CHUNK:
            yield _frame(rows)
            rows = []
    if rows:
        yield _frame(rows)


def _kind(path: Path) -> str:
    if not path.exists():
        raise DataError("no such file", file=str(path))
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSED]
    kind = suffixes[-1] if suffixes else ""
    if kind not in FORMATS:
        raise DataError(f"unknown format {kind or 'without a suffix'}; known are {', '.join(FORMATS)}", file=str(path))
    if not path.stat().st_size:
        raise DataError("the file is empty", file=str(path))
    return kind


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".zst":
        import pyarrow as pa

        opened: Any = pa.input_stream(str(path), compression="zstd")
        return cast("IO[bytes]", io.BufferedReader(opened))
    ways: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    return cast("IO[bytes]", ways.get(path.suffix, open)(path, "rb"))


def _bytes(path: Path) -> bytes:
    try:
        with _open(path) as file:
            data = file.read()
    except _FAULTS as error:
        raise DataError(f"cannot be read: {error}", file=str(path)) from error
    if not data.strip():
        raise DataError("the file is empty", file=str(path))
    return _text(data, path)


def _text(data: bytes, path: Path) -> bytes:
    if data.startswith(_UTF16):
        raise DataError("the file is UTF-16; save it as UTF-8", file=str(path))
    return data.removeprefix(_BOM)


def _rows(path: Path, kind: str) -> Iterator[Record]:
    number = 0
    for frame in _frames(path, kind, infer=False):
        nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
        for row in frame.iter_rows(named=True):
            number += 1
            yield Record(number, {**row, **{name: unpadded(row[name]) for name in nested}})


def _frames(path: Path, kind: str, *, infer: bool) -> Iterator[pl.DataFrame]:
    if kind in (".csv", ".tsv"):
        yield _csv(path, kind, infer)
        return
    import pyarrow as pa

    try:
        with _source(path) as source:
            for batch in _parquet(source) if kind == ".parquet" else _arrow(source):
                yield _polars(batch)
    except (pa.ArrowException, OSError) as error:
        name = "Parquet" if kind == ".parquet" else "Arrow"
        raise DataError(f"not {name}: {str(error).splitlines()[0]}", file=str(path)) from error


def _source(path: Path) -> IO[bytes]:
    if path.suffix not in COMPRESSED:
        return path.open("rb")
    try:
        with _open(path) as file:
            return io.BytesIO(file.read())
    except _FAULTS as error:
        raise DataError(f"cannot be read: {error}", file=str(path)) from error


def _parquet(source: IO[bytes]) -> Iterator[Any]:
    import pyarrow.parquet as pq

    yield from pq.ParquetFile(source).iter_batches(CHUNK)


def _arrow(source: IO[bytes]) -> Iterator[Any]:
    """Yields the batches of Arrow's streaming form, as the datasets library keeps it, or of its file form."""
    import pyarrow as pa

    try:
        batches: Any = pa.ipc.open_stream(source)
    except pa.ArrowInvalid:
        source.seek(0)
        held = pa.ipc.open_file(source)
        batches = (held.get_batch(place) for place in range(held.num_record_batches))
    for batch in batches:
        yield from (batch.slice(start, CHUNK) for start in range(0, batch.num_rows, CHUNK))


def _polars(batch: Any) -> pl.DataFrame:
    try:
        return pl.DataFrame(pl.from_arrow(batch))
    except (pl.exceptions.PolarsError, ValueError, TypeError):
        return _frame(batch.to_pylist())


def _csv(path: Path, kind: str, infer: bool) -> pl.DataFrame:
    form: dict[str, Any] = {"infer_schema_length": 10_000} if infer else {"infer_schema": False}
    try:
        return pl.read_csv(io.BytesIO(_bytes(path)), separator="\t" if kind == ".tsv" else ",", **form)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"not {kind[1:].upper()}: {str(error).splitlines()[0]}", file=str(path)) from error


def _lines(path: Path, refuse: Refuse) -> Iterator[Record]:
    count = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                text = _text(line, path) if number == 1 else line
                if not text.strip():
                    continue
                count += 1
                row = _object(text, path, number, count, refuse)
                if row is not None:
                    yield Record(count, row)
    except _FAULTS as error:
        raise DataError(f"cannot be read: {error}", file=str(path)) from error


def _object(line: bytes, path: Path, number: int, count: int, refuse: Refuse) -> dict[str, Any] | None:
    """Returns one line's object; a fault names the line and, where blank lines make it another number, the row."""
    try:
        row = loads(line)
        fault = None if isinstance(row, dict) else f"expected an object, found {type(row).__name__}"
    except orjson.JSONDecodeError as error:
        row, fault = None, f"not JSON: {error.msg}"
    if fault is None:
        return cast("dict[str, Any]", row)
    broken = DataError(fault, file=f"{path}, line {number}" + (f" (row {count})" if count != number else ""))
    broken.file, broken.row = str(path), count
    refuse(broken)
    return None


def loads(data: bytes) -> Any:
    """Returns what JSON says; an integer keeps its digits, where a reader of 64 bits would make it a float.

    Raises:
        orjson.JSONDecodeError: it is not JSON.

    >>> loads(b"[123456789012345678901234567890]")
    [123456789012345678901234567890]
    """
    found = orjson.loads(data)
    if _LONG in data.translate(_ALIKE):
        return json.loads(data, parse_int=lambda digits: int(digits) if len(digits) < _DIGITS else digits)
    return found


def _json(path: Path, refuse: Refuse) -> Iterator[Record]:
    data = _bytes(path)
    try:
        rows = loads(data)
    except orjson.JSONDecodeError as error:
        if data.lstrip().startswith(b"{") and b"\n" in data.strip():  # lines, under a name that many sets give them
            yield from _lines(path, refuse)
            return
        raise DataError(f"not JSON: {error}", file=str(path)) from error
    if not isinstance(rows, list):
        raise DataError("expected a list of objects", file=str(path))
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            yield Record(number, row)
        else:
            why = f"expected a list of objects, found {type(row).__name__}"
            refuse(DataError(why, file=str(path), row=number))


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Returns rows as they are: a column whose values are of several kinds is kept as Python objects."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        try:
            columns[name] = pl.Series(name, values, strict=True)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            columns[name] = pl.Series(name, values, dtype=pl.Object)
    return pl.DataFrame(columns)
