"""Named versions of datasets: what there is, what a name means, and the rows a version consists of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl

from schemas.errors import UsageError, nearest
from schemas.tables import Table
from storage.delta import Part

if TYPE_CHECKING:
    from storage.store import Store

QUARANTINE = ".quarantine"
PRIMARY = ("preferences", "rankings", "examples", "steps", "scores", "removals")
"""The dataset tables, the one a dataset is about first."""

_NUMBER = re.compile(r"[vq]\d+")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


class Holding(NamedTuple):
    """What one table of a version consists of: its Delta version, rows and files."""

    version: int
    rows: int
    files: tuple[Part, ...]


@dataclass(frozen=True)
class Version:
    """One publish of a dataset.

    Attributes:
        version: ``v1``, ``v2``, …, or ``q1``, … for what a gate sent to quarantine.
        rows: of the table the dataset is about.
        digest: of all its rows, without run, time and dataset: equal content has equal digests.
        tables: table -> what it consists of; a table that is not named is empty.
    """

    dataset: str
    version: str
    status: str
    rows: int
    digest: str
    run_id: str
    created_at: datetime
    recipe: str | None = None
    recipe_hash: str | None = None
    tags: tuple[str, ...] = ()
    gates: str | None = None
    meta: str | None = None
    tables: dict[str, Holding] = None  # type: ignore[assignment]

    @property
    def name(self) -> str:
        """``dataset@version``."""
        return f"{self.dataset}@{self.version}"

    @property
    def partition(self) -> str:
        """The value of column ``dataset`` in its rows."""
        return self.dataset + (QUARANTINE if self.status == "quarantined" else "")

    @property
    def primary(self) -> str:
        """The table the dataset is about."""
        return next((name for name in PRIMARY if name in self.tables), PRIMARY[0])

    @property
    def number(self) -> int:
        """The number in its name."""
        return int(self.version[1:])

    def row(self) -> dict[str, Any]:
        """Returns its row of the table ``versions``, but for the run's id."""
        held = {
            name: {"version": h.version, "rows": h.rows, "files": [[p.path, p.rows, p.bytes] for p in h.files]}
            for name, h in self.tables.items()
        }
        return {
            "dataset": self.dataset, "version": self.version, "status": self.status, "rows": self.rows,
            "tables": orjson.dumps(held, option=orjson.OPT_SORT_KEYS).decode(), "digest": self.digest,
            "recipe": self.recipe, "recipe_hash": self.recipe_hash, "tags": list(self.tags), "gates": self.gates,
            "meta": self.meta, "created_at": self.created_at,
        }  # fmt: skip


def listed(store: Store, dataset: str | None = None) -> list[Version]:
    """Returns every version, oldest first."""
    return [_version(row) for row in store.versions(dataset).iter_rows(named=True)]


def current(versions: Iterable[Version]) -> dict[str, Version]:
    """Returns dataset -> its newest published version."""
    found: dict[str, Version] = {}
    for version in versions:
        known = found.get(version.dataset)
        if version.status == "published" and (known is None or version.number > known.number):
            found[version.dataset] = version
    return found


def resolve(store: Store, text: str) -> Version:
    """Returns the version that a name means.

    Args:
        text: ``dataset`` (its newest published version), ``dataset@v2``, ``dataset@tag``, ``dataset@2026-11-20T10:00``
            (the newest at that time, UTC unless it says otherwise), or ``v2`` or a tag alone where one dataset has it.

    Raises:
        UsageError: nothing of that name; the message says what there is.
    """
    versions = listed(store)
    dataset, at, which = text.partition("@")
    names = {version.dataset for version in versions}
    if dataset in names:
        return _pick([version for version in versions if version.dataset == dataset], dataset, which)
    if not at:
        owners = [version for version in versions if text == version.version or text in version.tags]
        if len(owners) == 1:
            return owners[0]
        if owners:
            which = ", ".join(version.name for version in owners)
            raise UsageError(f"several datasets have a {text}: {which}; name one of them")
        if _NUMBER.fullmatch(text):
            known = sorted({version.version for version in versions})
            raise UsageError(f"no dataset here has a version {text!r}: {nearest(text, known)}")
    raise UsageError(f"there is no dataset {dataset!r} here: {nearest(dataset, names)}")


def as_of(versions: Iterable[Version], moment: datetime) -> dict[str, Version]:
    """Returns dataset -> the version that was the newest published one at a moment."""
    return current(version for version in versions if version.created_at <= moment)


def parse_time(text: str) -> datetime | None:
    """Returns the moment an ISO 8601 text means, UTC unless it says otherwise; null when it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def check_tag(tag: str) -> None:
    """Raises UsageError for a tag that could be taken for something else."""
    if not _TAG.fullmatch(tag) or _NUMBER.fullmatch(tag) or tag == "latest":
        raise UsageError(
            f"{tag!r} cannot be a tag: a letter, then letters, digits, '.', '_', '-', and not like v1 or q1"
        )


def scan(store: Store, table: Table, text: str | None) -> pl.LazyFrame:
    """Returns the rows of a dataset table: of one version, or of the newest published one of every dataset."""
    chosen = current(listed(store)).values() if text is None else [resolve(store, text)]
    frames = [part for version in chosen if (part := rows_of(store, table, version)) is not None]
    return pl.concat(frames) if frames else table.empty().lazy()


def rows_of(store: Store, table: Table, version: Version) -> pl.LazyFrame | None:
    """Returns the rows of one table of one version, null when it has none."""
    paths = paths_of(store, table.name, version)
    if not paths:
        return None
    dataset = pl.lit(version.partition).alias("dataset")
    return store.scan(table, paths).with_columns(dataset).select(table.schema.names)


def paths_of(store: Store, table: str, version: Version) -> list[str]:
    """Returns the data files of one table of one version."""
    held = version.tables.get(table)
    return [store.root.at(table, part.path) for part in held.files] if held else []


def _pick(versions: list[Version], dataset: str, which: str) -> Version:
    if which in ("", "latest"):
        newest = current(versions).get(dataset)
        if newest is None:
            raise UsageError(f"{dataset} has only versions in quarantine: {', '.join(v.version for v in versions)}")
        return newest
    for version in versions:
        if which == version.version or which in version.tags:
            return version
    moment = parse_time(which)
    if moment is not None:
        found = as_of(versions, moment).get(dataset)
        if found is not None:
            return found
        first = min(version.created_at for version in versions)
        raise UsageError(
            f"{dataset} had no published version at {moment:%Y-%m-%d %H:%M:%S %Z}; its first is of {first}"
        )
    known = [version.version for version in versions] + [tag for version in versions for tag in version.tags]
    raise UsageError(f"{dataset} has no version, tag or time {which!r}: {nearest(which, known)}")


def _version(row: dict[str, Any]) -> Version:
    tables = {}
    partition = row["dataset"] + (QUARANTINE if row["status"] == "quarantined" else "")
    for name, held in orjson.loads(row.pop("tables")).items():
        parts = tuple(Part(path, rows, size, partition) for path, rows, size in held["files"])
        tables[name] = Holding(held["version"], held["rows"], parts)
    return Version(**{**row, "tags": tuple(row["tags"] or ()), "tables": tables})
