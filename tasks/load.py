"""Reads what a user brings: prompts, and completions one already has; in every shape that ``tasks.importers`` knows.

Files, folders and datasets of the Hub. Columns are mapped by name; every fault names file, row and field.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import DataError, UsageError, nearest
from schemas.ids import content_id
from schemas.tables import PROMPTS
from tasks.fetch import files
from tasks.importers.columns import FIELDS
from tasks.importers.rows import Reader, Row, Taken
from tasks.importers.values import dumps
from tasks.intake import Intake
from tasks.read import CHUNK, Record, records

_SCHEMA = {name: dtype for name, dtype in PROMPTS.empty().schema.items() if name not in ("run_id", "created_at")}


def parse_map(text: str | None, known: Collection[str] = FIELDS) -> dict[str, str]:
    """Returns the column mapping written as ``field=column,field=column``.

    Args:
        known: the fields there are.

    Raises:
        UsageError: not of that form, or a field there is not.
    """
    mapping = {}
    for part in filter(None, (text or "").split(",")):
        name, equals, column = part.partition("=")
        if not equals or not column:
            raise UsageError(f"--map {text}: {part!r} is not of the form field=column")
        if name.strip() not in known:
            raise UsageError(f"--map {text}: no field {name.strip()!r}; {nearest(name.strip(), known)}")
        mapping[name.strip()] = column.strip()
    return mapping


class Prompts:
    """The prompts of a run: counted and checked once, then read again in shards, so that a file is never held whole.

    A prompt that comes twice comes once; where it comes from several sources, its source names them all.

    Attributes:
        height: distinct prompts. digest: content id of their ids, in order.
    """

    def __init__(self, read: Callable[[], Iterator[pl.DataFrame]], limit: int | None = None) -> None:
        self._read, self._limit = read, limit
        self._sources: dict[str, dict[str, None]] = {}
        self.height, ids = 0, blake2b(digest_size=16)
        for prompt_id in self._counted():
            self.height += 1
            ids.update(prompt_id.encode())
        self.digest = ids.hexdigest()

    def _counted(self) -> Iterator[str]:
        """Yields the ids of distinct prompts, and notes the sources of those that come from several."""
        first: dict[int, str] = {}
        for frame in self._read():
            for prompt_id, source in frame.select("prompt_id", "source").iter_rows():
                number = int(prompt_id[:16], 16)
                if number not in first:
                    if len(first) == self._limit:
                        continue
                    first[number] = sys.intern(source)
                    yield prompt_id
                elif first[number] != source:
                    self._sources.setdefault(prompt_id, {first[number]: None})[source] = None
            if len(first) == self._limit:
                return

    def shards(self, size: int) -> Iterator[pl.DataFrame]:
        """Yields the prompts table in their order, ``size`` rows at a time; a prompt that comes twice comes once."""
        seen: set[int] = set()
        held, left = PROMPTS.empty().drop("run_id", "created_at"), self._limit
        for frame in self._read():
            numbers = [int(prompt_id[:16], 16) for prompt_id in frame["prompt_id"]]
            new = [number not in seen and not seen.add(number) for number in numbers]  # type: ignore[func-returns-value]
            held = pl.concat([held, self._sourced(frame.filter(new))], how="diagonal_relaxed")
            while held.height >= size or (left is not None and held.height >= left):
                take = size if left is None else min(size, left)
                if take:
                    yield held.head(take)
                held, left = held.slice(take), None if left is None else left - take
                if left == 0:
                    return
        if held.height:
            yield held

    def _sourced(self, frame: pl.DataFrame) -> pl.DataFrame:
        if not self._sources:
            return frame
        names = {prompt_id: ", ".join(sources) for prompt_id, sources in self._sources.items()}
        found = pl.col("prompt_id").replace_strict(names, default=None, return_dtype=pl.String)
        return frame.with_columns(source=pl.coalesce(found, "source"))


def file_prompts(
    path: Path, mapping: Mapping[str, str], limit: int | None = None, *, brings: bool = False,
    intake: Intake | None = None,
) -> Prompts:  # fmt: skip
    """Returns the prompts of a file, a folder or a dataset of the Hub; raises at the first fault.

    Args:
        mapping: field -> column; a field of the same name, or of a published one, needs no mapping.
        brings: whether the rows bring answers; a conversation's last turn is one then. intake: takes notes, and the
            rows that cannot be read if they are to be set aside.

    Raises:
        DataError: a missing column, a prompt that is neither text nor messages, one id with two contents.
    """
    intake = intake or Intake()

    def read() -> Iterator[pl.DataFrame]:
        batch: list[dict[str, Any]] = []
        for _, _, record in taken(path, mapping, intake, brings=brings):
            batch.append(record)
            if len(batch) == CHUNK:
                yield _frame(batch)
                batch = []
        if batch:
            yield _frame(batch)

    prompts = Prompts(read, limit)
    if not prompts.height:
        raise DataError("no row can be read; the reasons stand in the file of rows set aside", file=str(path))
    return prompts


def taken(
    path: Path, mapping: Mapping[str, str], intake: Intake, *, brings: bool
) -> Iterator[tuple[int, Taken, dict[str, Any]]]:
    """Yields every prompt of a path, with its row's number, as it was read and as a row of the prompts table."""
    for file in files(path, intake.note):
        reader = Reader(mapping, str(file), brings=brings)
        given: dict[str, tuple[str, int]] = {}
        for number, row in _looked(file, reader, intake):
            try:
                found = [(each, _record(each, file, number, mapping, given)) for each in reader.read(row, number)]
            except DataError as error:
                intake.refuse(error)
                continue
            for each, record in found:
                if each.stripped and not brings:
                    intake.strip(str(file), number)
                yield number, each, record
        if reader.unused:
            intake.note(f"{file}: columns not used: {', '.join(reader.unused)}")


def _looked(file: Path, reader: Reader, intake: Intake) -> Iterator[Record]:
    rows = records(file, intake.refuse)
    first = list(islice(rows, CHUNK))

    def every() -> Iterator[Row]:
        return (record.row for record in records(file, intake.refuse))

    reader.look([record.row for record in first], every)
    return chain(first, rows)


def _record(
    each: Taken, file: Path, number: int, mapping: Mapping[str, str], given: dict[str, tuple[str, int]]
) -> dict[str, Any]:
    """Returns a row of the prompts table; raises DataError for one id with two contents."""
    record: dict[str, Any] = {"messages": each.messages, **each.fields}
    record["source"] = record["source"] or file.name
    identity = (each.messages, record["reference"], record["tests"], record["group"])
    record = {"prompt_id": content_id("prompt", *identity), **record}
    if each.own is not None:
        known = given.setdefault(str(each.own), (record["prompt_id"], number))
        if known[0] != record["prompt_id"]:
            raise DataError(
                f"id {each.own!r} already names another prompt in row {known[1]}; ids must be unique",
                file=str(file), row=number, field=mapping.get("prompt_id", "prompt_id"),
            )  # fmt: skip
        record["meta"] = dumps({"id": each.own})
    return record


def _frame(records: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(records, schema=_SCHEMA)
