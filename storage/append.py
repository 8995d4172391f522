"""Appending rows whose key a table does not hold yet: one commit, right under concurrency, cheap at any size.

Two kinds of row give way to a later row with their key: a judgment whose outcome is ``error`` (nothing was answered, so
a real answer takes its place), and any row of a log (a run that goes on reports again). The files that hold such rows
are rewritten without them in the same commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from schemas.tables import Table
from storage import files
from storage.delta import Delta, Part
from storage.keys import Hashes, KeyIndex, key_hash

_JUDGMENTS = "judgments"
_FILE = "file holding the row"


def append_new(delta: Delta, index: KeyIndex, rows: pa.Table, note: Mapping[str, Any]) -> int:
    """Commits the rows that are new and returns their number; the caller holds the table's lock.

    Args:
        index: of this table; brought up to date here.
        note: custom metadata of the commit; ``rows`` is added.
    """
    catch_up(delta, index)
    hashes, gives_way = _keys_of(delta.table, rows)
    known = index.keys.contains(hashes)
    superseding = known & ~_errors(delta.table, gives_way)
    superseding &= np.fromiter((int(h) in index.replaceable for h in hashes), dtype=bool, count=len(hashes))
    wanted = ~known | superseding
    if not wanted.any():
        return 0
    parts: list[Part] = []
    removed = sorted({index.replaceable[int(h)] for h in hashes[superseding]})
    try:
        parts += delta.write(files.arrow_tables(rows.filter(_mask(wanted))))
        old = [part for part in delta.parts() if delta.path(part.path) in removed] if removed else []
        kept = [part for path in removed for part in _without(delta, path, hashes[superseding])]
        parts += kept
        delta.commit(parts, note={**note, "rows": int(wanted.sum())}, remove=old)
    except BaseException:
        delta.abandon(parts)
        raise
    if kept:
        catch_up(delta, index)
    else:
        path = delta.path(parts[0].path)
        again = {int(h): path for h in hashes[wanted & gives_way]}
        index.add([delta.path(part.path) for part in parts], hashes[wanted], again)
        index.version = delta.version
    return int(wanted.sum())


def catch_up(delta: Delta, index: KeyIndex) -> None:
    """Brings the index up to the table's newest version, reading only the keys of files it has not seen."""
    version = delta.refresh()
    if version == index.version:
        return
    current = delta.files()
    new = sorted(set(current) - index.files)
    if new:
        index.add(new, *_load(delta, new))
    index.files.intersection_update(current)
    index.version = version


def _load(delta: Delta, paths: list[str]) -> tuple[Hashes, dict[int, str]]:
    """Returns the key hashes in the files, and which rows give way, with their file."""
    schema = delta.table.empty().select(_key_columns(delta.table)).schema
    scan = pl.scan_parquet(
        paths, schema=schema, extra_columns="ignore", glob=False, hive_partitioning=False, include_file_paths=_FILE,
        storage_options=dict(delta.root.options),
    )  # fmt: skip
    gives_way = _gives_way(delta.table)
    found = scan.select(key_hash(delta.table.key), gives_way, pl.when(gives_way).then(pl.col(_FILE)).alias(_FILE))
    frame = found.collect(engine="streaming")
    replaceable = frame.filter(pl.col("gives way")).select("hash", _FILE)
    return frame["hash"].to_numpy(), dict(replaceable.iter_rows())


def _keys_of(table: Table, rows: pa.Table) -> tuple[Hashes, NDArray[np.bool_]]:
    frame = pl.DataFrame(pl.from_arrow(rows.select(_key_columns(table)))).select(key_hash(table.key), _gives_way(table))
    return frame["hash"].to_numpy(), frame["gives way"].to_numpy()


def _key_columns(table: Table) -> list[str]:
    """Returns the columns that say which row it is, and whether it gives way."""
    return [*table.key, *(["outcome"] if table.name == _JUDGMENTS else [])]


def _gives_way(table: Table) -> pl.Expr:
    """Returns the expression that says whether a stored row gives way to a later one of its key."""
    if table.name == _JUDGMENTS:
        return (pl.col("outcome") == "error").alias("gives way")
    return pl.lit(table.kind == "log").alias("gives way")


def _errors(table: Table, gives_way: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns which new rows must not supersede: another error says nothing new."""
    return gives_way if table.name == _JUDGMENTS else np.zeros(len(gives_way), dtype=bool)


def _without(delta: Delta, path: str, superseded: Hashes) -> list[Part]:
    """Returns new files with the rows of one file that stay."""
    rows = delta.read(path)
    hashes, _ = _keys_of(delta.table, rows)
    stay = rows.filter(_mask(~np.isin(hashes, superseded)))
    return delta.write(files.arrow_tables(stay), schema=stay.schema) if stay.num_rows else []


def _mask(wanted: NDArray[np.bool_]) -> pa.Array:
    return pl.Series(wanted).to_arrow()  # pa.array() of NumPy's would import pandas: a second, and 60 MB
