"""Digests of tables: the same rows have the same digest, in whatever order, run or dataset they were written.

Each row becomes canonical JSON and a BLAKE2b-128 of it; the digest of the table is the BLAKE2b-128 of its sorted row
digests. Columns come by name and those that are null are left out, so a column that the schema gains later changes no
digest. It takes 16 bytes of memory a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
import polars as pl
import pyarrow as pa

from schemas.errors import DataError
from schemas.tables import Table
from storage.keys import KeySet, key_hash

NOT_CONTENT = ("dataset", "run_id", "created_at")
"""Columns that say where a row was written, not what it says."""


class Seal:
    """Counts and digests the rows of one table as they stream by, and refuses a key that comes twice."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows = 0
        self._key = [name for name in table.key if name != "dataset"]
        self._digests = bytearray()
        self._keys = KeySet()

    def add(self, rows: pa.Table) -> None:
        """Takes in more rows.

        Raises:
            DataError: a key was in an earlier batch already.
        """
        frame = pl.DataFrame(pl.from_arrow(rows))
        hashes = frame.select(key_hash(self._key))["hash"].to_numpy()
        twice = self._keys.contains(hashes)
        if twice.any():
            row = int(twice.argmax())
            found = ", ".join(str(frame[row, name]) for name in self._key)
            raise DataError(
                f"table {self.table.name} holds the key ({found}) twice", row=self.rows + row + 1, field=self._key[-1]
            )
        self._keys.add(hashes)
        for text in frame.select(content(frame)).to_series():
            self._digests += blake2b(text.encode(), digest_size=16).digest()
        self.rows += frame.height

    def digest(self) -> str:
        """Returns the digest of all rows so far, as 32 hex digits."""
        np.frombuffer(self._digests, dtype="S16").sort()  # in place: rows come in millions
        return blake2b(self._digests, digest_size=16).hexdigest()


def content(frame: pl.DataFrame) -> pl.Expr:
    """Returns the expression for the canonical JSON of a row's content: an object a column."""
    pieces = []
    for name in sorted(set(frame.columns).difference(NOT_CONTENT)):
        nulls = frame[name].null_count()
        if nulls < frame.height:
            piece = pl.struct(name).struct.json_encode()
            pieces.append(pl.when(pl.col(name).is_not_null()).then(piece).otherwise(pl.lit("")) if nulls else piece)
    return pl.concat_str(pieces).alias("content")


def combined(seals: Mapping[str, Seal]) -> str:
    """Returns the digest of several tables together; a table without rows is as good as absent."""
    whole = blake2b(digest_size=16)
    for name in sorted(seals):
        if seals[name].rows:
            whole.update(f"{name} {seals[name].rows} {seals[name].digest()}\n".encode())
    return whole.hexdigest()
