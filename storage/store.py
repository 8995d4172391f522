"""The store: the lake's tables, appended to by every recipe, and the datasets published from them.

    store = Store.open("lake")
    store.append("prompts", frame, run_id=run)
    store.publish("quickstart", {"preferences": pairs}, run_id=run, recipe="quickstart", recipe_hash=recipe.hash)
    store.read("preferences", version="quickstart@v1").collect()

Facts (prompts, completions, judgments, nodes) and logs (runs, versions, audits) are appended to; dataset tables
(preferences, rankings, …) hold one partition a dataset, replaced by each publish. ``versions`` says which files a
version consists of: only its row makes a version visible.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
from deltalake.exceptions import CommitFailedError

from schemas.errors import StoreError, UsageError, nearest
from schemas.tables import TABLES, Table, conform
from storage import append, formats, locks
from storage.delta import Delta, Root
from storage.guard import guarded
from storage.keys import KeyIndex

if TYPE_CHECKING:
    from storage.publish import Contents
    from storage.versions import Version

T = TypeVar("T")
ATTEMPTS = 20
"""How often a commit that another machine overtook is tried again; on one machine the lock makes it once."""


class Store:
    """The tables under one root. Threads may share one; processes open their own.

    Attributes:
        root: where it is.
    """

    def __init__(self, root: Root) -> None:
        self.root = root
        self._tables = {name: Delta(root, table) for name, table in TABLES.items()}
        self._indexes = {name: KeyIndex() for name in TABLES}
        self._mutex = threading.RLock()

    @classmethod
    def open(
        cls, root: str | Path, *, create: bool = True, storage_options: Mapping[str, str] | None = None
    ) -> Store:  # fmt: skip
        """Returns the store at a root (a folder or an object store's URI).

        Args:
            create: make the folder if there is none.
            storage_options: what the object store needs, as delta-rs names it.

        Raises:
            StoreError: there is nothing there and ``create`` is false, it is a file, it cannot be made, or a newer
                Pairwright made it.
        """
        place = Root.of(root, storage_options)
        folder = place.folder
        if folder is not None:
            if re.search("%[0-9A-Fa-f]{2}", str(folder)):
                raise StoreError(f"{folder}: delta-rs takes '%' and two digits in a path for something else; rename it")
            with guarded("opening the lake", folder):
                if folder.exists() and not folder.is_dir():
                    raise StoreError(f"{folder} is a file; the root of a lake is a folder")
                if not folder.exists() and not create:
                    raise StoreError(f"there is no lake at {folder}; run a recipe first, or choose another --root")
                folder.mkdir(parents=True, exist_ok=True)
        formats.format_of(place)  # one that is newer than this program is left alone
        return cls(place)

    def append(
        self, name: str, frame: pl.DataFrame, *, run_id: str | None, recipe: str = "", recipe_hash: str = ""
    ) -> int:  # fmt: skip
        """Returns how many rows were added: those whose key the table did not hold. All land in one commit.

        Args:
            name: a fact or log table.
            frame: its rows; ``created_at`` is set where it is missing.
            run_id: set on every row; null keeps the frame's own.
            recipe, recipe_hash: kept with the commit.

        Raises:
            DataError: rows that do not fit the table.
            StoreError: the disk is full, read-only, or the table cannot be read. Nothing was added.
        """
        if self._known(name).kind == "dataset":
            raise UsageError(f"{name} is part of datasets: publish it")
        with guarded(f"appending to {name}", self.root):
            return self.add(name, frame, run_id=run_id, recipe=recipe, recipe_hash=recipe_hash)

    def add(self, name: str, frame: pl.DataFrame, *, run_id: str | None, recipe: str, recipe_hash: str) -> int:
        """Does what ``append`` does, for steps of the store that say themselves what failed."""
        table = self._known(name)
        if frame.is_empty():
            return 0
        if table.kind == "log":
            frame = frame.unique(subset=list(table.key), keep="last", maintain_order=True)
        rows = conform(table, frame.with_columns(**_stamps(frame, run_id)))
        note = {"run_id": run_id or "", "recipe": recipe, "recipe_hash": recipe_hash}
        with self.exclusive(name):
            return self.retried(lambda: append.append_new(self._tables[name], self._indexes[name], rows, note))

    def read(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        prompt_ids: Sequence[str] | pl.Series | None = None,
        version: str | None = None,
    ) -> pl.LazyFrame:
        """Returns the rows of a table, to be filtered and collected.

        Args:
            columns: those wanted, in this order; all by default.
            prompt_ids: rows of these prompts only.
            version: for dataset tables ``dataset``, ``dataset@v2``, a tag or a time; by default the newest published
                rows of every dataset. For fact tables, the rows there were when that version was published.

        Raises:
            UsageError: no such table, column, dataset or version.
        """
        from storage import versions

        table = self._known(name)
        with guarded(f"reading {name}", self.root):
            if table.kind == "dataset":
                frame = versions.scan(self, table, version)
            else:
                frame = self.scan(table, self.delta(name).files())
                if version is not None:
                    frame = frame.filter(pl.col("created_at") <= self.resolve(version).created_at)
        if prompt_ids is not None:
            if "prompt_id" not in table.schema.names:
                raise UsageError(f"table {name} has no column prompt_id")
            frame = frame.filter(pl.col("prompt_id").is_in(pl.Series(prompt_ids, dtype=pl.String).implode()))
        for column in columns or ():
            if column not in table.schema.names:
                raise UsageError(f"table {name} has no column {column!r}: {nearest(column, table.schema.names)}")
        return frame.select(columns or table.schema.names)

    def publish(
        self,
        dataset: str,
        tables: Mapping[str, Contents],
        *,
        run_id: str,
        recipe: str,
        recipe_hash: str,
        status: str = "published",
        gates: str | Mapping[str, Any] | None = None,
        meta: str | Mapping[str, Any] | None = None,
    ) -> Version:
        """Returns the new version of a dataset; see ``storage.publish.publish``."""
        from storage import publish

        with guarded(f"publishing {dataset}", self.root):
            return publish.publish(
                self, dataset, tables, run_id=run_id, recipe=recipe, recipe_hash=recipe_hash, status=status,
                gates=gates, meta=meta,
            )  # fmt: skip

    def versions(self, dataset: str | None = None) -> pl.DataFrame:
        """Returns the table ``versions``, oldest first, of all datasets or of one."""
        frame = self.read("versions").collect().sort("created_at", "dataset", "version")
        return frame if dataset is None else frame.filter(pl.col("dataset") == dataset)

    def resolve(self, text: str) -> Version:
        """Returns the version that ``dataset[@version|tag|time]`` names; see ``storage.versions.resolve``."""
        from storage import versions

        return versions.resolve(self, text)

    def tag(self, text: str, name: str) -> Version:
        """Gives the version that ``text`` names a tag and returns it; a tag stands for one version of a dataset."""
        from storage import publish

        with guarded("tagging", self.root):
            return publish.tag(self, text, name)

    def rollback(self, text: str, *, run_id: str) -> Version:
        """Returns a new version with the content of an old one; see ``storage.publish.rollback``."""
        from storage import publish

        with guarded("rolling back", self.root):
            return publish.rollback(self, text, run_id=run_id)

    def compact(self) -> dict[str, int]:
        """Returns how many small files each fact and log table's were merged away; see ``storage.upkeep.compact``."""
        from storage import upkeep

        with guarded("compacting", self.root):
            return upkeep.compact(self)

    def vacuum(self, *, keep_hours: float = 24.0, dry_run: bool = False) -> list[str]:
        """Returns the files that were removed because nothing needs them; see ``storage.upkeep.vacuum``."""
        from storage import upkeep

        with guarded("vacuuming", self.root):
            return upkeep.vacuum(self, keep_hours=keep_hours, dry_run=dry_run)

    def verify(self) -> list[str]:
        """Returns what is wrong with the lake, in words; empty when nothing is. See ``storage.upkeep.verify``."""
        from storage import upkeep

        with guarded("verifying", self.root):
            return upkeep.verify(self)

    def run_lock(self, dataset: str) -> contextlib.AbstractContextManager[None]:
        """Returns a lock to hold while a run makes this dataset on this root.

        Raises:
            StoreError: (on entering) another live process holds it, or the root cannot be written to.
        """
        return self._claim(f"run-{dataset}", f"a run for dataset {dataset!r} on {self.root}")

    def delta(self, name: str) -> Delta:
        """Returns the Delta table of a name, looked at anew."""
        delta = self._tables[self._known(name).name]
        with guarded(f"reading {name}", self.root), self._mutex:
            delta.refresh()
        return delta

    def scan(self, table: Table, paths: Sequence[str]) -> pl.LazyFrame:
        """Returns the rows in data files of a table, without the partition column of a dataset table."""
        schema = table.empty().select(self._tables[table.name].schema.names).schema
        if not paths:
            return pl.LazyFrame(schema=schema)
        return pl.scan_parquet(
            list(paths), schema=schema, missing_columns="insert", extra_columns="ignore", glob=False,
            hive_partitioning=False, storage_options=dict(self.root.options),
        )  # fmt: skip

    @contextlib.contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Holds the lock of a table, or of publishing, against threads and the processes of this machine."""
        with self._mutex, locks.locked(self._lock_path(name)):
            yield

    @contextlib.contextmanager
    def _claim(self, name: str, what: str) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            with guarded("locking", self.root):
                stack.enter_context(locks.claimed(self._lock_path(name), what))
            yield

    def _lock_path(self, name: str) -> Path:
        if self.root.folder is not None:
            return self.root.folder / ".locks" / name
        digest = hashlib.blake2b(self.root.uri.encode(), digest_size=8).hexdigest()
        return Path(tempfile.gettempdir()) / f"pairwright-{digest}" / name

    def retried(self, step: Callable[[], T]) -> T:
        """Returns what a step returns, trying again where a commit of another machine came first."""
        for left in reversed(range(ATTEMPTS)):
            try:
                return step()
            except CommitFailedError:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _known(self, name: str) -> Table:
        if name not in TABLES:
            raise UsageError(f"there is no table {name!r}: {nearest(name, TABLES)}")
        return TABLES[name]


def _stamps(frame: pl.DataFrame, run_id: str | None) -> dict[str, pl.Expr]:
    stamps = {} if run_id is None else {"run_id": pl.lit(run_id)}
    if "created_at" not in frame.columns:
        stamps["created_at"] = pl.lit(datetime.now(UTC)).dt.cast_time_unit("us")
    return stamps
