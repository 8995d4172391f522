"""Answers moved out of the ledger's database into Parquet files beside it, where they take a fraction of the room.

The row stays in the database with its key and its counts; in place of the answer stands where it is now, ``@file:row``.
A file is whole and on the disk before the database says so, and files that it does not name are left-overs of a kill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import StoreError
from storage import files
from storage.ledger_rows import Call

if TYPE_CHECKING:
    import pyarrow as pa

ARCHIVE = "-answers"
"""The folder's name is the ledger's with this."""
FILE_ROWS = 250_000
HELD = 4
"""So many row groups stay in memory: a run reads answers in about the order in which they were bought."""
MOVED = ("choices", "question", "raw")


def is_moved(choices: bytes) -> bool:
    """Whether this stands in place of an answer; an answer is a JSON list."""
    return choices[:1] == b"@"


class Archive:
    """The files of one ledger.

    Args:
        folder: where they are; made with the first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._group: Callable[[int, int], pa.Table] = lru_cache(HELD)(self._read)

    def file(self, number: int) -> Path:
        """Returns the path of one file."""
        return self.folder / f"{number:06d}.parquet"

    def numbers(self) -> list[int]:
        """Returns which files are there."""
        return sorted(int(path.stem) for path in self.folder.glob("[0-9]*.parquet"))

    def sweep(self, named: Iterable[int]) -> int:
        """Deletes files that the ledger does not name, and returns the number that the next file may have."""
        keep = set(named)
        for number in self.numbers():
            if number not in keep:
                self.file(number).unlink()
        return max(keep, default=0) + 1

    def write(self, number: int, calls: Iterable[Call]) -> int:
        """Writes a file in one step and returns its number of rows."""
        with files.atomic_file(self.file(number)) as draft:
            return files.write_parquet(draft, _tables(calls))

    def call(self, call: Call) -> Call:
        """Returns a call with its answers, wherever they are.

        Raises:
            StoreError: the file that holds them is gone or damaged.
        """
        if not is_moved(call.choices):
            return call
        choices, question, raw = self._moved(call.choices)
        return call._replace(choices=choices, question=question, raw=raw)

    def choices(self, choices: bytes) -> bytes:
        """Returns a call's answers, wherever they are.

        Raises:
            StoreError: the file that holds them is gone or damaged.
        """
        return self._moved(choices)[0] if is_moved(choices) else choices

    def _moved(self, place: bytes) -> tuple[bytes, bytes, bytes | None]:
        number, row = map(int, place[1:].split(b":"))
        table = self._group(number, row // files.ROW_GROUP)
        choices, question, raw = (table[name][row % files.ROW_GROUP].as_py() for name in MOVED)
        return choices.encode(), question.encode(), raw

    def _read(self, number: int, group: int) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self.file(number)).read_row_group(group, columns=list(MOVED))
        except (OSError, pa.ArrowException, IndexError) as error:
            raise StoreError(f"{self.file(number)} holds answers of the ledger and cannot be read: {error}") from error


def _tables(calls: Iterable[Call]) -> Iterator[pa.Table]:
    import pyarrow as pa

    schema = pa.schema([
        ("key", pa.binary()), ("first", pa.int64()), ("n", pa.int64()), ("at", pa.timestamp("us", "UTC")),
        ("model", pa.string()), ("prompt_tokens", pa.int64()), ("cached_tokens", pa.int64()),
        ("completion_tokens", pa.int64()), ("cost", pa.float64()), ("latency_s", pa.float64()),
        ("fingerprint", pa.string()), ("outcomes", pa.string()), ("choices", pa.string()), ("question", pa.string()),
        ("raw", pa.binary()),
    ])  # fmt: skip
    held: list[Call] = []
    for call in calls:
        held.append(call)
        if len(held) == files.ROW_GROUP:
            yield _table(held, schema)
            held = []
    yield _table(held, schema)


def _table(calls: list[Call], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    columns = (
        dict(zip(Call._fields, zip(*calls, strict=True), strict=True)) if calls else dict.fromkeys(Call._fields, ())
    )
    return pa.table({name: pa.array(columns[name], schema.field(name).type) for name in schema.names}, schema=schema)
