"""The DuckDB catalog: the lake as views over Parquet files that any DuckDB client opens, without us or an extension.

Facts and logs are views of their files; a dataset table's view holds the newest published version of every dataset, and
its macro ``preferences_at('quickstart@v1')`` any version (``'v1'``: that of every dataset; tags work too). Times show
as UTC timestamps without a zone, because DuckDB's Python client needs another library to return one with a zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from schemas.errors import StoreError
from schemas.tables import TABLES, TIME, Table
from storage import files
from storage.guard import guarded
from storage.versions import Version, current, listed, paths_of

if TYPE_CHECKING:
    import duckdb

    from storage.store import Store

FILE = "catalog.duckdb"


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
    for table in TABLES.values():
        if table.kind == "dataset":
            paths = [path for version in newest for path in paths_of(store, table.name, version)]
            connection.execute(
                f"create or replace macro {table.name}_at(version) as table {_at(store, table, versions)}"
            )
        else:
            paths = store.delta(table.name).files()
        connection.execute(
            f"create or replace view {table.name} as {_select(store, table, _list(store, table, paths))}"
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


def _at(store: Store, table: Table, versions: list[Version]) -> str:
    """Returns the body of a macro: the file list is chosen by the version's name before anything is read."""
    cases = []
    known = names(versions)
    for name, meant in known.items():
        paths = [path for version in meant for path in paths_of(store, table.name, version)]
        cases.append(f"when {_text(name)} then {_list(store, table, paths)}")
    wrong = f"error('there is no version ' || version || {_text('; there are: ' + (', '.join(known) or 'none'))})"
    chosen = f"case version {' '.join(cases)} else {wrong} end" if cases else wrong
    return _select(store, table, chosen)


def _select(store: Store, table: Table, paths: str) -> str:
    columns = ", ".join(_column(field) for field in table.schema)
    hive = "true, hive_types = {'dataset': varchar}" if table.kind == "dataset" else "false"
    return f"select {columns} from read_parquet({paths}, hive_partitioning = {hive})"


def _column(field: pa.Field) -> str:
    name = f'"{field.name}"'
    return f"make_timestamp(epoch_us({name})) as {name}" if field.type == TIME else name


def _list(store: Store, table: Table, paths: list[str]) -> str:
    return f"[{', '.join(_text(_literal(path)) for path in paths or [_empty(store, table)])}]"


def _empty(store: Store, table: Table) -> str:
    """Returns the path of a Parquet file with the table's columns and no rows, made when first needed."""
    folder = store.root.folder
    assert folder is not None
    path = folder / ".empty" / table.name / ("dataset=none" if table.kind == "dataset" else "") / "empty.parquet"
    if not path.exists():
        with files.atomic_file(path) as draft:
            files.write_parquet(draft, store.delta(table.name).schema.empty_table())
    return str(path)


def _literal(path: str) -> str:
    """Returns a path whose special characters DuckDB will not read as a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
