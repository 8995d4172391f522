"""Reads what a user brings: prompts, and completions one already has.

Parquet, JSONL, JSON and CSV, plain or gzipped. Columns are mapped by name; every fault names file, row and field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from schemas.errors import DataError, UsageError, nearest
from schemas.ids import content_id
from schemas.messages import to_rows
from schemas.tables import PROMPTS
from tasks.read import CHUNK, chunks

PROMPT_FIELDS = ("prompt", "reference", "task", "tests", "source", "split", "language", "group", "prompt_id")
COMPLETION_FIELDS = ("completion", "policy", "label", "score", "logprob", "sample", "on_policy_age", "first_error")


def parse_map(text: str | None, known: Collection[str] = (*PROMPT_FIELDS, *COMPLETION_FIELDS)) -> dict[str, str]:
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

    Attributes:
        height: distinct prompts. digest: content id of their ids, in order.
    """

    def __init__(self, read: Callable[[], Iterator[pl.DataFrame]], limit: int | None = None) -> None:
        self._read, self._limit = read, limit
        self.height, ids = 0, blake2b(digest_size=16)
        for frame in self.shards(CHUNK):
            self.height += frame.height
            ids.update("".join(frame["prompt_id"]).encode())
        self.digest = ids.hexdigest()

    def shards(self, size: int) -> Iterator[pl.DataFrame]:
        """Yields the prompts table in their order, ``size`` rows at a time; a prompt that comes twice comes once."""
        seen: set[int] = set()
        held, left = PROMPTS.empty().drop("run_id", "created_at"), self._limit
        for frame in self._read():
            numbers = [int(prompt_id[:16], 16) for prompt_id in frame["prompt_id"]]
            new = [number not in seen and not seen.add(number) for number in numbers]  # type: ignore[func-returns-value]
            held = pl.concat([held, frame.filter(new)], how="diagonal_relaxed")
            while held.height >= size or (left is not None and held.height >= left):
                take = size if left is None else min(size, left)
                if take:
                    yield held.head(take)
                held, left = held.slice(take), None if left is None else left - take
                if left == 0:
                    return
        if held.height:
            yield held


def file_prompts(path: Path, mapping: Mapping[str, str], limit: int | None = None) -> Prompts:
    """Returns the prompts of a file; raises as ``chunks`` and ``prompts`` do, at the first fault."""

    def read() -> Iterator[pl.DataFrame]:
        given: dict[str, tuple[str, int]] = {}
        start = 1
        for rows in chunks(path):
            yield prompts(rows, mapping, file=str(path), start=start, given=given)
            start += rows.height

    return Prompts(read, limit)


def prompts(
    rows: pl.DataFrame, mapping: Mapping[str, str], *, file: str, start: int = 1,
    given: dict[str, tuple[str, int]] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Returns the prompts table of a file's rows: one row a distinct prompt, in the file's order.

    Args:
        rows: some rows of the file. mapping: prompt field -> column; a field of the same name needs no mapping.
        file: named in messages. start: the number of the first row.
        given: ids the file itself gave to rows before these; added to.

    Raises:
        DataError: a missing column, a prompt that is neither text nor messages, one id with two contents.
    """
    columns = _columns(rows, mapping, PROMPT_FIELDS, file)
    if "prompt" not in columns:
        hint = nearest("prompt", rows.columns)
        raise DataError(f"no column 'prompt'; map it with --map prompt=COLUMN ({hint})", file=file, field="prompt")
    seen = {} if given is None else given
    out: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows.iter_rows(named=True), start=start):
        record = _prompt(row, columns, file, number)
        own = row[columns["prompt_id"]] if "prompt_id" in columns else None
        if own is not None:
            known = seen.setdefault(str(own), (record["prompt_id"], number))
            if known[0] != record["prompt_id"]:
                raise DataError(
                    f"id {own!r} already names another prompt in row {known[1]}; ids must be unique",
                    file=file, row=number, field=columns["prompt_id"],
                )  # fmt: skip
            record["meta"] = orjson.dumps({"id": own}).decode()
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
