"""One Delta table of the lake: which files it has, new files, and commits. Nothing here knows what the rows mean.

Source: Delta Lake transaction protocol, through delta-rs (package ``deltalake``).

Data files are written and flushed to the disk first; the commit that names them comes last and is what makes them
visible. So a death at any point leaves the table as it was, and at worst a file nobody names (``vacuum`` takes it).
The files are written here rather than by delta-rs because its writer's cost grows with the number of files (32 ms a
commit at 200 files, against 14 ms) and because it does not flush before it commits.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction

from schemas.tables import Table
from storage import files

log = logging.getLogger(__name__)

CHECKPOINT_EVERY = 20
_APP = "pairwright"
_SETTINGS = {
    "delta.checkpointInterval": str(CHECKPOINT_EVERY),
    "delta.logRetentionDuration": "interval 36500 days",  # named versions stay readable for other Delta readers
    "delta.enableExpiredLogCleanup": "false",
    "delta.deletedFileRetentionDuration": "interval 1 days",
}


@dataclass(frozen=True)
class Root:
    """Where a lake is: a folder, or a URI with the options its object store needs."""

    uri: str
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, where: str | Path, options: Mapping[str, str] | None = None) -> Root:
        """Returns the root of a path or URI; paths become absolute."""
        text = str(where)
        if "://" in text and not text.startswith("file://"):
            return cls(text.rstrip("/"), dict(options or {}))
        return cls(str(Path(text.removeprefix("file://")).expanduser().absolute()), dict(options or {}))

    @property
    def folder(self) -> Path | None:
        """The folder, or null where the lake is in an object store."""
        return None if "://" in self.uri else Path(self.uri)

    def at(self, *parts: str) -> str:
        """Returns the path or URI of something below the root."""
        return "/".join((self.uri, *parts))

    def __str__(self) -> str:
        return self.uri


class Part(NamedTuple):
    """A data file: its path below its table, rows, bytes, and the partition it belongs to."""

    path: str
    rows: int
    bytes: int
    partition: str | None = None


class Delta:
    """One Delta table; the folder is made by its first commit."""

    def __init__(self, root: Root, table: Table) -> None:
        self.root, self.table = root, table
        self.uri = root.at(table.name)
        self.schema = pa.schema([f for f in table.schema if not (table.kind == "dataset" and f.name == "dataset")])
        self._handle: DeltaTable | None = None
        self._opened = -1

    @property
    def version(self) -> int:
        """The newest version seen, -1 while there is no table."""
        return -1 if self._handle is None else self._handle.version()

    @property
    def grown(self) -> bool:
        """Whether some of its files may lack columns, because the table is older than a column of its schema."""
        return self._handle is not None and self._names() != self.table.schema.names

    def refresh(self) -> int:
        """Looks for newer versions and returns the newest, -1 while there is no table."""
        if self._handle is None:
            try:
                self._handle = DeltaTable(self.uri, storage_options=dict(self.root.options))
            except TableNotFoundError:
                return -1
            self._opened = self._handle.version()
            return self._opened
        self._handle.update_incremental()
        version = self._handle.version()
        if version - self._opened >= CHECKPOINT_EVERY:
            self._handle = None  # an open table replays its log from where it was opened: 40 ms after 150 commits
            return self.refresh()
        return version

    def files(self) -> list[str]:
        """Returns the paths or URIs of the files of the newest version seen."""
        if self._handle is None:
            return []
        depth = 2 if self.table.kind == "dataset" else 1  # delta-rs percent-encodes the root; its last names are plain
        return [self.path(*uri.rsplit("/", depth)[1:]) for uri in self._handle.file_uris()]

    def path(self, *names: str) -> str:
        """Returns the path or URI of a data file by its name below the table."""
        return "/".join((self.uri, *names))

    def parts(self, partition: str | None = None) -> list[Part]:
        """Returns the files of the newest version seen, or those of one partition."""
        if self._handle is None:
            return []
        rows = pa.table(self._handle.get_add_actions(flatten=True)).to_pylist()
        found = [Part(r["path"], r["num_records"], r["size_bytes"], r.get("partition.dataset")) for r in rows]
        return [part for part in found if partition is None or part.partition == partition]

    def read(self, path: str) -> pa.Table:
        """Returns the rows of one data file as they were written."""
        if self.root.folder is not None:
            with pq.ParquetFile(path) as source:
                return source.read()
        handler = DeltaStorageHandler(self.uri, dict(self.root.options))
        with pq.ParquetFile(handler.open_input_file(path.removeprefix(self.uri + "/"))) as source:
            return source.read()

    def write(
        self, tables: Iterable[pa.Table], partition: str | None = None, *, schema: pa.Schema | None = None
    ) -> list[Part]:  # fmt: skip
        """Writes data files, flushed but not yet visible, and returns them; on an error they are removed again.

        Args:
            schema: of the rows, where it is not the table's.
        """
        folder = "" if partition is None else f"dataset={partition}/"
        opened: list[str] = []

        def create() -> tuple[str, Any]:
            name = f"{folder}part-{secrets.token_hex(12)}.parquet"
            opened.append(name)
            return name, self._create(name)

        try:
            return [Part(*part, partition) for part in files.write_parts(tables, schema or self.schema, create)]
        except BaseException:
            self.forget(opened)
            raise

    def commit(
        self, parts: Iterable[Part], *, note: Mapping[str, Any], replace: str | None = None,
        remove: Iterable[Part] = (), whole: bool = False,
    ) -> int:  # fmt: skip
        """Makes files visible in one commit and returns its version.

        Args:
            note: custom metadata of the commit (run, recipe, rows).
            replace: the partition whose files these take the place of.
            remove: files that stop being part of the table.
            whole: these files take the place of all others.

        Raises:
            deltalake.exceptions.CommitFailedError: another writer was first; refresh and try again.
        """
        handle = self._existing()
        before = handle.version()
        now = int(time.time() * 1000)
        values: dict[str, str | None] = {} if replace is None else {"dataset": replace}
        actions: list[AddAction | RemoveAction] = [
            AddAction(p.path, p.bytes, {} if p.partition is None else {"dataset": p.partition}, now, True,
                      orjson.dumps({"numRecords": p.rows}).decode())
            for p in parts
        ]  # fmt: skip
        actions += [RemoveAction(p.path, True, now, p.bytes, values) for p in remove]
        handle.create_write_transaction(
            actions,
            "overwrite" if whole or replace is not None else "append",
            self.table.schema,
            partition_by=["dataset"] if self.table.kind == "dataset" else None,
            partition_filters=[("dataset", "=", replace)] if replace is not None else None,
            # The transaction makes two writers that start from the same version collide, wherever the lake is.
            commit_properties=CommitProperties(
                custom_metadata=dict(note), app_transactions=[Transaction(_APP, before + 1)]
            ),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False),
        )
        handle.update_incremental()
        version = handle.version()
        self._settle(version)
        self._checkpoint(before, version)
        return version

    def forget(self, names: Iterable[str]) -> None:
        """Removes data files that no commit names (after a failed write)."""
        for name in names:
            if self.root.folder is not None:
                (Path(self.uri) / name).unlink(missing_ok=True)

    def abandon(self, parts: Iterable[Part]) -> None:
        """Removes files whose commit failed, unless the table names them after all; in doubt they stay."""
        with contextlib.suppress(OSError, DeltaError):
            self.refresh()
            named = set(self.files())
            self.forget(part.path for part in parts if self.path(part.path) not in named)

    def each(self, step: Callable[[DeltaTable], Any]) -> Any:
        """Returns what delta-rs' own maintenance (optimize, vacuum) says about the table."""
        if self._handle is None:
            return None
        result = step(self._handle)
        self._handle.update_incremental()
        return result

    def vacuum(self, keep_hours: float, keep_versions: Sequence[int], *, dry_run: bool) -> list[str]:
        """Removes files that no listed version names and that went out of use that long ago; returns their names."""
        if self._handle is None:
            return []
        names = self._handle.vacuum(
            retention_hours=int(keep_hours), dry_run=dry_run, enforce_retention_duration=False, full=True,
            keep_versions=list(keep_versions),
        )  # fmt: skip
        self._handle.update_incremental()
        return list(names)

    def _names(self) -> list[str]:
        return [] if self._handle is None else [column.name for column in self._handle.schema().fields]

    def _existing(self) -> DeltaTable:
        """Returns the table, made now if there is none, with every column of its schema."""
        if self._handle is None:
            self._handle = DeltaTable.create(
                self.uri,
                self.table.schema,
                mode="ignore",
                partition_by=["dataset"] if self.table.kind == "dataset" else None,
                name=self.table.name,
                configuration=_SETTINGS,
                storage_options=dict(self.root.options),
            )
        names = self._names()
        new = [column.with_nullable(True) for column in self.table.schema if column.name not in names]
        if new:
            self._handle.alter.add_columns(Schema.from_arrow(pa.schema(new)).fields)
            self._handle.update_incremental()
        return self._handle

    def _create(self, name: str) -> Any:
        if self.root.folder is None:
            handler = DeltaStorageHandler(self.uri, dict(self.root.options))
            return handler.open_output_stream(name)
        path = Path(self.uri) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")

    def _settle(self, version: int) -> None:
        """Flushes the commit's log entry and the names of new files to the disk."""
        if self.root.folder is None:
            return
        logs = Path(self.uri) / "_delta_log"
        files.settle_path(logs / f"{version:020d}.json")
        for folder in (logs, Path(self.uri)):
            files.settle_path(folder)

    def _checkpoint(self, before: int, after: int) -> None:
        """Writes a checkpoint when a multiple of the interval was passed; its failure loses nothing but speed."""
        if self._handle is None or before // CHECKPOINT_EVERY == after // CHECKPOINT_EVERY:
            return
        try:
            self._handle.create_checkpoint()
        except (OSError, DeltaError) as error:
            log.warning("no checkpoint of %s at version %d: %s", self.uri, after, error)


def exists(path: str) -> bool:
    """Returns whether a local data file is there; what is in an object store is taken to be."""
    return "://" in path or os.path.exists(path)
