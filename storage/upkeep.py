"""Upkeep of a lake: merging small files, removing what nothing needs, and checking that all is there."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import polars as pl

from schemas.errors import StoreError, UsageError
from schemas.tables import TABLES
from storage import files
from storage.delta import exists
from storage.digest import Seal, combined
from storage.publish import show
from storage.versions import Version, listed, rows_of

if TYPE_CHECKING:
    from storage.store import Store

log = logging.getLogger(__name__)

COMPACT_BYTES = 128 * 2**20
LEAST_HOURS = 1.0
"""Files younger than this always stay: a reader may be at them, or a writer about to commit them."""


def compact(store: Store) -> dict[str, int]:
    """Merges the small files of fact and log tables; returns, for each table, how many files fewer it has.

    Rows do not change; the old files stay for readers until ``vacuum``. Dataset tables need none: a publish writes few
    and large files.
    """
    fewer = {}
    for table in TABLES.values():
        if table.kind == "dataset":
            continue
        with store.exclusive(table.name):
            delta = store.delta(table.name)
            before = len(delta.files())
            if before > 1:
                delta.each(lambda handle: handle.optimize.compact(target_size=COMPACT_BYTES))
                fewer[table.name] = before - len(delta.files())
    show(store)
    return fewer


def vacuum(store: Store, *, keep_hours: float = 24.0, dry_run: bool = False) -> list[str]:
    """Removes data files that neither the newest state of a table nor a named version needs; returns their paths.

    Args:
        keep_hours: files that stopped being needed more recently stay, for those still reading them; at least one.
        dry_run: only says which it would remove.

    Raises:
        UsageError: ``keep_hours`` is under one, or no number of hours.
        StoreError: a file of a named version was about to go; nothing of that table was removed.
    """
    if not LEAST_HOURS <= keep_hours < math.inf:
        raise UsageError(
            f"found keep_hours {keep_hours}, the least is {LEAST_HOURS}: readers may still be at those files"
        )
    return _vacuum(store, keep_hours, dry_run)


def _vacuum(store: Store, keep_hours: float, dry_run: bool) -> list[str]:
    removed = []
    with store.exclusive("publish"):
        if not dry_run:
            show(store)  # the catalog must not name a file that goes
        versions = listed(store)
        for table in TABLES.values():
            with store.exclusive(table.name):
                removed += _vacuum_table(store, table.name, versions, keep_hours, dry_run)
    log.info("vacuum: %d files %s", len(removed), "could go" if dry_run else "removed")
    return removed


def _vacuum_table(store: Store, name: str, versions: list[Version], keep_hours: float, dry_run: bool) -> list[str]:
    delta = store.delta(name)
    held = [version.tables[name] for version in versions if name in version.tables]
    needed = {part.path for holding in held for part in holding.files} | {part.path for part in delta.parts()}
    keep = sorted({holding.version for holding in held})
    found = [str(path) for path in delta.vacuum(keep_hours, keep, dry_run=True)]
    lost = sorted(needed.intersection(found))
    if lost:
        raise StoreError(
            f"vacuum would remove {lost[0]} of table {name}, which a named version needs; nothing was removed"
        )
    if found and not dry_run:
        delta.vacuum(keep_hours, keep, dry_run=False)
    return [delta.path(path) for path in found]


def verify(store: Store) -> list[str]:
    """Returns what is wrong, one sentence each: keys held twice, files gone, versions that are not what they were."""
    wrong = []
    for table in TABLES.values():
        if table.kind == "dataset":
            continue
        paths = store.delta(table.name).files()
        gone = [path for path in paths if not exists(path)]
        broken = [path for path in paths if path not in gone and not _opens(store, path)]
        wrong += [f"table {table.name} lacks its file {path}" for path in gone]
        wrong += [f"table {table.name} has a file that is no Parquet: {path}" for path in broken]
        if broken:
            continue
        keys = store.scan(table, [path for path in paths if path not in gone]).group_by(table.key).len()
        twice = keys.filter(pl.col("len") > 1).select(pl.len()).collect(engine="streaming").item()
        if twice:
            wrong.append(f"table {table.name} holds {twice} keys more than once")
    for version in listed(store):
        wrong += verify_version(store, version)
    return wrong


def _opens(store: Store, path: str) -> bool:
    """Says whether a file has a Parquet footer; what is wrong further in, its rows and the digest tell."""
    try:
        options = dict(store.root.options)
        pl.scan_parquet(path, glob=False, hive_partitioning=False, storage_options=options).collect_schema()
    except pl.exceptions.ComputeError:
        return False
    return True


def verify_version(store: Store, version: Version) -> list[str]:
    """Returns what is wrong with one version: a file that is gone, or content that is not what was published."""
    seals = {}
    for name, holding in version.tables.items():
        gone = [part.path for part in holding.files if not exists(store.root.at(name, part.path))]
        if gone:
            return [f"{version.name} lacks the file {name}/{path}" for path in gone]
        broken = [
            path for path in (store.root.at(name, part.path) for part in holding.files) if not _opens(store, path)
        ]
        if broken:
            return [f"{version.name} has a file that is no Parquet: {path}" for path in broken]
        seals[name] = seal = Seal(TABLES[name])
        frame = rows_of(store, TABLES[name], version)
        for batch in [] if frame is None else frame.collect_batches(chunk_size=files.ROW_GROUP):
            seal.add(batch.to_arrow())
        if seal.rows != holding.rows:
            return [f"{version.name} should have {holding.rows} rows in {name}, found {seal.rows}"]
    if combined(seals) != version.digest:
        return [f"{version.name} does not have the content it was published with: its digest differs"]
    return []
