"""Plain files: Parquet whose bytes depend on its rows alone, JSON lines, folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import UsageError
from schemas.ids import content_id
from storage.types import narrow

ROW_GROUP = 4_096
"""Rows a row group: small enough to stream rows of several kilobytes, large enough to compress and skip well."""

FILE_BYTES = 256 * 2**20
"""A table's data go on in a new file once one has this many bytes."""

_PLAIN = pl.CompatLevel.oldest()  # strings that every Parquet reader knows

Rows: TypeAlias = pl.DataFrame | pa.Table | pa.RecordBatchReader | Iterable[pa.Table | pa.RecordBatch]


class Written(NamedTuple):
    """One Parquet file that was written: its rows and bytes."""

    path: str
    rows: int
    bytes: int


def arrow_tables(data: Rows) -> Iterator[pa.Table]:
    """Returns the rows as tables of ``ROW_GROUP`` rows (the last may be shorter), each in one chunk.

    Where the caller's batches end then has no influence on the bytes of a file.
    """
    rows = ROW_GROUP
    if isinstance(data, pl.DataFrame):
        data = (part.to_arrow(compat_level=_PLAIN) for part in row_groups(data))
    elif isinstance(data, pa.Table):
        data = [data]
    held: list[pa.Table] = []
    count = 0
    for batch in data:
        table: pa.Table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        while count + table.num_rows >= rows:
            held.append(table.slice(0, rows - count))
            table = table.slice(rows - count)
            yield pa.concat_tables(held).combine_chunks()
            held, count = [], 0
        if table.num_rows:
            held.append(table)
            count += table.num_rows
    if held:
        yield pa.concat_tables(held).combine_chunks()


def row_groups(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Returns the rows, ``ROW_GROUP`` at a time, copied: a mere slice drags the whole of each list column along."""
    for start in range(0, frame.height, ROW_GROUP):
        yield frame[pl.arange(start, min(start + ROW_GROUP, frame.height), eager=True)]


class ParquetSink:
    """One Parquet file being written to an open sink (with ``write``, ``flush``, ``tell`` and ``close``)."""

    def __init__(self, sink: Any, schema: pa.Schema) -> None:
        self._sink = sink
        self._writer = pq.ParquetWriter(sink, schema, compression="zstd", compression_level=3, version="2.6")
        self.rows = 0

    @property
    def bytes(self) -> int:
        """Bytes so far."""
        return int(self._sink.tell())

    def add(self, table: pa.Table) -> None:
        """Writes one row group."""
        self._writer.write_table(table, row_group_size=ROW_GROUP)
        self.rows += table.num_rows

    def finish(self) -> int:
        """Completes the file, waits until it is on the disk, and returns its bytes."""
        self._writer.close()
        size = self.bytes
        settle(self._sink)
        self._sink.close()
        return size

    def drop(self) -> None:
        """Lets go of a file that could not be completed; nothing that fails here is news. Harmless when complete."""
        self._writer.is_open = False  # or it would try to complete the file when it is collected
        with contextlib.suppress(OSError, pa.ArrowException, ValueError):
            self._sink.close()


def write_parts(
    tables: Iterable[pa.Table], schema: pa.Schema, create: Callable[[], tuple[str, Any]]
) -> Iterator[Written]:  # fmt: skip
    """Writes tables into as many Parquet files as needed, and returns each once it is complete.

    Args:
        create: opens the next file; returns its name and its sink.
    """
    name, part = "", None
    try:
        for table in tables:
            if part is None:
                name, sink = create()
                part = ParquetSink(sink, schema)
            part.add(table)
            if part.bytes >= FILE_BYTES:
                yield Written(name, part.rows, part.finish())
                part = None
        if part is not None:
            yield Written(name, part.rows, part.finish())
    finally:
        if part is not None:
            part.drop()


def write_parquet(path: Path, data: Rows, *, metadata: Mapping[str, str] | None = None) -> int:
    """Writes one Parquet file and returns its number of rows; the same rows give the same bytes.

    Strings, lists and binaries are written with 32-bit offsets, as other tools write them: `datasets` refuses to join a
    ``large_list`` with a ``list``.

    Args:
        metadata: key-value pairs for the file's footer.
    """
    tables = map(narrow, arrow_tables(data))
    first = next(tables, None)
    schema = (narrow(_empty(data)) if first is None else first).schema
    if metadata:
        schema = schema.with_metadata({**(schema.metadata or {}), **metadata})
    part = ParquetSink(path.open("wb"), schema)
    try:
        for table in itertools.chain([] if first is None else [first], tables):
            part.add(table.replace_schema_metadata(schema.metadata))
        part.finish()
    finally:
        part.drop()
    return part.rows


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Writes one JSON object a line, keys in the order given, and returns the number of lines."""
    count = 0
    with path.open("wb") as sink:
        for row in rows:
            sink.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY))
            count += 1
        settle(sink)
    return count


def settle(sink: Any) -> None:
    """Waits until what was written to an open file is on the disk, so that a power cut cannot take it back."""
    sink.flush()
    with contextlib.suppress(AttributeError, OSError):  # an object store has no descriptor: its upload is the fsync
        os.fsync(sink.fileno())


def settle_path(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a path to write to; on leaving it takes the place of ``path`` in one step, on an error it is removed."""
    with _said_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path)
    try:
        yield draft
        with _said_of(path):
            settle_path(draft)
            draft.replace(path)
            settle_path(path.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yields a new folder to fill; on leaving it appears as ``path`` with all its files, on an error nothing does.

    Args:
        replace: a folder that is there already makes way; else it is refused, before and after the work.

    Raises:
        UsageError: ``path`` exists and ``replace`` is false, or it is a file.
    """
    _refuse(path, replace)
    with _said_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = _draft(path)
        draft.mkdir()
    try:
        yield draft
        for folder, _, names in os.walk(draft):
            for name in names:
                settle_path(Path(folder) / name)
            settle_path(Path(folder))
        _refuse(path, replace)
        if path.exists():
            old = _draft(path)
            path.rename(old)
            draft.rename(path)
            shutil.rmtree(old)
        else:
            draft.rename(path)
        settle_path(path.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Raises what the disk says of a draft or of a folder above as said of the path that was asked for."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _refuse(path: Path, replace: bool) -> None:
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; a folder was to be written there")
    if path.exists() and not replace and any(path.iterdir()):
        raise UsageError(f"{path} exists and is not empty; choose another folder, or ask to replace it")


def _draft(path: Path) -> Path:
    """Returns a free name beside ``path``, and clears away what dead processes left under such names."""
    for left in path.parent.glob(f".{path.name}.*.draft"):
        pid = left.name.removesuffix(".draft").rsplit(".", 2)[-2]
        if pid.isdigit() and not _alive(int(pid)):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
    return path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.draft"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _empty(data: Rows) -> pa.Table:
    if isinstance(data, pl.DataFrame):
        return data.to_arrow(compat_level=_PLAIN)
    if isinstance(data, Sequence) and data:
        data = data[0]
    schema = getattr(data, "schema", None)
    if schema is None:
        raise UsageError("no rows and no schema: there is nothing to write")
    return pa.Table.from_batches([], schema=schema)  # empty_table() would import pandas


def content_digest(path: Path) -> str:
    """Returns the BLAKE2b-128 of what a file holds, or the files of a folder with their names in it; hex.

    Raises:
        OSError: there is nothing, or it cannot be read.
    """
    if not path.is_dir():
        with path.open("rb") as file:
            return file_digest(file, lambda: blake2b(digest_size=16)).hexdigest()
    held = [(each.relative_to(path).as_posix(), each) for each in sorted(path.rglob("*")) if each.is_file()]
    return content_id("files", [(name, content_digest(each)) for name, each in held])
