"""The DuckDB catalog: the lake as views over Parquet files that any DuckDB client opens, without us or an extension.

Facts and logs are views of their files; a dataset table's view holds the newest published version of every dataset, and
its macro ``preferences_at('quickstart@v1')`` any version (``'v1'``: that of every dataset; tags work too). Times show
as UTC timestamps without a zone, because DuckDB's Python client needs another library to return one with a zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

import pyarrow as pa

from schemas.errors import StoreError
from schemas.tables import TABLES, TIME
from storage import files
from storage.delta import Delta
from storage.guard import guarded
from storage.ledger_archive import ARCHIVE
from storage.versions import Version, current, listed

if TYPE_CHECKING:
    import duckdb

    from storage.store import Store

FILE = "catalog.duckdb"
MEASURES = """
create or replace view measures as
select run_id, recipe, dataset, version, found.measure, found."of", found.value, found.n, created_at
from (
    select *, unnest(from_json(json_extract(metrics, '$.measures'),
        '[{"measure": "VARCHAR", "of": "VARCHAR", "value": "DOUBLE", "n": "BIGINT"}]')) as found
    from runs
)
"""
"""What was measured of each run's dataset, one row a measure."""


def write_catalog(store: Store) -> None:
    """Writes the catalog file anew, in one step; readers of the old one go on undisturbed.

    A lake in an object store has none.

    Raises:
        StoreError: the root cannot be written to.
    """
    import duckdb

    if store.root.folder is None:
        return
    path = store.root.folder / FILE
    with guarded("writing the catalog", path), store.exclusive("catalog"), files.atomic_file(path) as draft:
        try:
            with duckdb.connect(str(draft)) as connection:
                define(store, connection)
        except duckdb.Error as error:
            draft.with_name(draft.name + ".wal").unlink(missing_ok=True)
            raise StoreError(f"writing the catalog: {path}: {error}") from error


def define(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the views and macros of the lake's present state in an open database."""
    versions = listed(store)
    newest = list(current(versions).values())
    connection.execute("begin")
    for table in TABLES.values():
        delta = store.delta(table.name)
        paths = delta.files()
        if table.kind == "dataset":
            connection.execute(f"create or replace macro {table.name}_at(version) as table {_at(delta, versions)}")
            paths = _paths(delta, newest)
        connection.execute(f"create or replace view {table.name} as {_select(delta, _list(delta, paths))}")
    _calls(store, connection)
    connection.execute(MEASURES)
    connection.execute("commit")


def _calls(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the view of the calls that ``ledger compact`` has moved into the lake; without any there is none."""
    assert store.root.folder is not None
    paths = sorted((store.root.folder / f"ledger{ARCHIVE}").glob("*.parquet"))
    connection.execute("drop view if exists calls")
    if paths:
        listed = ", ".join(_text(_literal(str(path))) for path in paths)
        connection.execute(
            f"create view calls as select lower(hex(key)) as key, * exclude (key, raw) from read_parquet([{listed}])"
        )


def names(versions: Iterable[Version]) -> dict[str, list[Version]]:
    """Returns every name a version can be asked for by, with the versions it means.

    ``dataset`` and ``dataset@…`` mean one, a bare ``v1`` or tag that of every dataset that has it.
    """
    versions = list(versions)
    found: dict[str, list[Version]] = {dataset: [version] for dataset, version in current(versions).items()}
    for version in versions:
        for label in (version.version, *version.tags):
            found.setdefault(f"{version.dataset}@{label}", []).append(version)
            found.setdefault(label, []).append(version)
    return found


def _at(delta: Delta, versions: list[Version]) -> str:
    """Returns the body of a macro: the file list is chosen by the version's name before anything is read."""
    known = names(versions)
    cases = [f"when {_text(name)} then {_list(delta, _paths(delta, meant))}" for name, meant in known.items()]
    wrong = f"error('there is no version ' || version || {_text('; there are: ' + (', '.join(known) or 'none'))})"
    return _select(delta, f"case version {' '.join(cases)} else {wrong} end" if cases else wrong)


def _select(delta: Delta, paths: str) -> str:
    columns = ", ".join(_column(field) for field in delta.table.schema)
    how = "false" if delta.table.kind != "dataset" else "true, hive_types = {'dataset': varchar}"
    if delta.grown:
        how += ", union_by_name = true"  # this opens every file, a quarter of a millisecond each
    return f"select {columns} from read_parquet({paths}, hive_partitioning = {how})"


def _column(field: pa.Field) -> str:
    name = f'"{field.name}"'
    return f"make_timestamp(epoch_us({name})) as {name}" if field.type == TIME else name


def _paths(delta: Delta, versions: Iterable[Version]) -> list[str]:
    held = (version.tables.get(delta.table.name) for version in versions)
    return [delta.path(part.path) for holding in held if holding for part in holding.files]


def _list(delta: Delta, paths: list[str]) -> str:
    if delta.grown or not paths:
        paths = [_empty(delta), *paths]  # it has every column
    return f"[{', '.join(_text(_literal(path)) for path in paths)}]"


def _empty(delta: Delta) -> str:
    """Returns the path of a Parquet file with the table's columns and no rows, made when first needed."""
    folder = delta.root.folder
    assert folder is not None
    name = blake2b(str(delta.schema).encode(), digest_size=4).hexdigest() + ".parquet"
    path = folder / ".empty" / delta.table.name / ("dataset=none" if delta.table.kind == "dataset" else "") / name
    if not path.exists():
        with files.atomic_file(path) as draft:
            files.write_parquet(draft, pa.Table.from_batches([], schema=delta.schema))
    return str(path)


def _literal(path: str) -> str:
    """Returns a path whose special characters DuckDB will not read as a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
