"""Publishing: a dataset's new version, made visible by one row in ``versions`` that is written last."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import StoreError, UsageError, nearest
from schemas.tables import TABLES, Table, conform
from storage import files
from storage.delta import Part, exists
from storage.digest import Seal, combined
from storage.versions import PRIMARY, QUARANTINE, Holding, Version, check_tag, listed, resolve

if TYPE_CHECKING:
    from storage.store import Store

log = logging.getLogger(__name__)

Contents: TypeAlias = pl.DataFrame | pa.RecordBatchReader | Sequence[str | Path]
"""Rows of a table to publish: a frame, a stream, or Parquet files."""

_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def publish(
    store: Store, dataset: str, tables: Mapping[str, Contents], *, run_id: str, recipe: str, recipe_hash: str,
    status: str, gates: str | Mapping[str, Any] | None, meta: str | Mapping[str, Any] | None,
) -> Version:  # fmt: skip
    """Returns the new version of a dataset. Readers see the old one, whole, until the new one is whole.

    The files are written first, in a stream, without a lock; then, under the lock, one commit a table and last the row
    in ``versions``. Publishing the same content again in the same run returns the version there is.

    Args:
        dataset: its name.
        tables: dataset table -> its rows; tables that are not named are empty in this version.
        status: ``published``, or ``quarantined`` (version q1, q2, …, in a partition of its own).
        gates, meta: JSON, as text or as a mapping.

    Raises:
        DataError: rows that do not fit their table, or a key twice.
        StoreError: the disk is full or read-only. The old version stays current.
    """
    _check(dataset, tables, status)
    draft = Version(
        dataset, "", status, 0, "", run_id, datetime.now(UTC), recipe, recipe_hash, (), _json(gates), _json(meta), {}
    )
    seals = {name: Seal(TABLES[name]) for name in tables}
    written: dict[str, list[Part]] = {}
    try:
        for name, data in tables.items():
            rows = _sealed(TABLES[name], data, draft, seals[name])
            written[name] = store.delta(name).write(files.arrow_tables(rows), draft.partition)
        primary = next((name for name in PRIMARY if name in tables), PRIMARY[0])
        draft = replace(draft, rows=seals[primary].rows if seals else 0, digest=combined(seals))
        with store.exclusive("publish"):
            there = _same(store, draft)
            version = there or store.retried(lambda: _commit(store, draft, written))
    except BaseException:
        _abandon(store, written)
        raise
    if there is not None:
        _abandon(store, written)
    show(store)
    return version


def tag(store: Store, text: str, name: str) -> Version:
    """Gives a version a tag, taking it from the dataset's version that had it, and returns the version."""
    check_tag(name)
    with store.exclusive("publish"):
        chosen = resolve(store, text)
        tagged = replace(chosen, tags=tuple(sorted({*chosen.tags, name})))
        changed = [tagged]
        for other in listed(store, chosen.dataset):
            if name in other.tags and other.name != chosen.name:
                changed.insert(0, replace(other, tags=tuple(t for t in other.tags if t != name)))
        _record(store, changed)
    show(store)
    return tagged


def rollback(store: Store, text: str, *, run_id: str) -> Version:
    """Publishes the content of an old version as a new version, without copying a row, and returns that.

    Args:
        text: the old version; its rows keep their own run and time.
    """
    with store.exclusive("publish"):
        old = resolve(store, text)
        if old.status != "published":
            raise UsageError(f"{old.name} is in quarantine; only what was published can be gone back to")
        gone = [
            p.path for name, held in old.tables.items() for p in held.files if not exists(store.root.at(name, p.path))
        ]
        if gone:
            raise StoreError(f"{old.name} lacks its file {gone[0]}; nothing was changed")
        draft = replace(
            old, run_id=run_id, created_at=datetime.now(UTC), tags=(), gates=None, meta=_json({"rollback_of": old.name})
        )
        contents = {name: held.files for name, held in old.tables.items()}
        version = store.retried(lambda: _commit(store, draft, contents))
    show(store)
    return version


def promote(store: Store, text: str, *, because: str) -> Version:
    """Publishes what a gate held back, as a person decided, and returns that version; the quarantined one stays.

    The new version keeps the run, so that it can be verified, and what the gates said; ``meta`` holds the reason.

    Raises:
        UsageError: it is not in quarantine, or there is no reason.
    """
    held = resolve(store, text)
    if held.status != "quarantined":
        raise UsageError(f"{held.name} is published already; only what a gate held back can be promoted")
    if not because.strip():
        raise UsageError(f"{held.name} was refused by a gate; say why it is published all the same")
    tables = {name: [store.root.at(name, part.path) for part in held.tables[name].files] for name in held.tables}
    return publish(
        store, held.dataset, tables, run_id=held.run_id, recipe=held.recipe or "", recipe_hash=held.recipe_hash or "",
        status="published", gates=held.gates, meta={"promoted_from": held.name, "because": because.strip()},
    )  # fmt: skip


def _sealed(table: Table, data: Contents, draft: Version, seal: Seal) -> Iterator[pa.Table]:
    """Returns the rows, conformed and stamped, as they stream into their files; the seal sees each."""
    for frame in _frames(data):
        stamped = frame.with_columns(
            dataset=pl.lit(draft.partition), run_id=pl.lit(draft.run_id),
            created_at=pl.lit(draft.created_at).dt.cast_time_unit("us"),
        )  # fmt: skip
        rows = conform(table, stamped)
        seal.add(rows)
        yield rows.drop_columns(["dataset"])


def _frames(data: Contents) -> Iterator[pl.DataFrame]:
    if isinstance(data, pl.DataFrame):
        yield from files.row_groups(data)
    elif isinstance(data, pa.RecordBatchReader):
        for batch in data:
            yield pl.DataFrame(pl.from_arrow(batch))
    else:
        for path in data:
            with pq.ParquetFile(path) as source:
                for batch in source.iter_batches(files.ROW_GROUP):
                    yield pl.DataFrame(pl.from_arrow(batch))


def _commit(store: Store, draft: Version, written: Mapping[str, Sequence[Part]]) -> Version:
    """Commits each table and last the version; the caller holds the lock."""
    number = 1 + max((v.number for v in listed(store, draft.dataset) if v.status == draft.status), default=0)
    named = replace(draft, version=f"{'v' if draft.status == 'published' else 'q'}{number}")
    note = {"run_id": draft.run_id, "recipe": draft.recipe or "", "recipe_hash": draft.recipe_hash or ""}
    tables = {}
    for name in PRIMARY:
        delta, parts = store.delta(name), written.get(name, ())
        there = delta.parts(draft.partition)
        if {part.path for part in there} != {part.path for part in parts}:
            rows = sum(part.rows for part in parts)
            delta.commit(parts, note={**note, "rows": rows, "version": named.name}, replace=draft.partition)
        if name in written:
            tables[name] = Holding(delta.version, sum(part.rows for part in parts), tuple(parts))
    version = replace(named, tables=tables)
    _record(store, [version])
    log.info("published %s: %d rows, digest %s", version.name, version.rows, version.digest)
    return version


def _record(store: Store, versions: Sequence[Version]) -> None:
    """Writes rows of ``versions`` in one commit; those of the same name give way."""
    frame = pl.DataFrame(
        [{**version.row(), "run_id": version.run_id} for version in versions],
        schema={**TABLES["versions"].empty().schema},
    )
    store.add(
        "versions", frame, run_id=None, recipe=versions[-1].recipe or "", recipe_hash=versions[-1].recipe_hash or ""
    )


def _same(store: Store, draft: Version) -> Version | None:
    """Returns the dataset's last version if this very run published this very content."""
    before = [version for version in listed(store, draft.dataset) if version.status == draft.status]
    last = max(before, key=lambda version: version.number, default=None)
    return last if last and (last.run_id, last.digest) == (draft.run_id, draft.digest) else None


def _abandon(store: Store, written: Mapping[str, Sequence[Part]]) -> None:
    for name, parts in written.items():
        store.delta(name).abandon(parts)


def show(store: Store) -> None:
    """Renews the catalog file; when that fails, the version is there all the same."""
    from storage import catalog

    try:
        catalog.write_catalog(store)
    except StoreError as error:
        log.warning("the catalog file was not renewed: %s", error)


def check_name(dataset: str) -> None:
    """Raises UsageError where a dataset cannot have that name."""
    if not _DATASET.fullmatch(dataset) or dataset.endswith(QUARANTINE):
        raise UsageError(
            f"{dataset!r} cannot name a dataset: letters, digits, '.', '_', '-', and no {QUARANTINE} at its end"
        )


def _check(dataset: str, tables: Mapping[str, Contents], status: str) -> None:
    check_name(dataset)
    for name in tables:
        if name not in PRIMARY:
            raise UsageError(f"{name!r} is not a dataset table: {nearest(name, PRIMARY)}")
    if status not in ("published", "quarantined"):
        raise UsageError(f"found status {status!r}, allowed are published, quarantined")


def _json(value: str | Mapping[str, Any] | None) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
