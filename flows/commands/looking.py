"""``pairwright sql``, ``versions``, ``diff``, ``lineage`` and ``report``: looking at what there is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands.common import json_option, print_json, root_option, table

if TYPE_CHECKING:
    import pyarrow as pa

    from storage.store import Store


@click.command()
@click.argument("query")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "parquet"]), default="table",
              show_default=True, help="Of the result; parquet needs --to.")  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path), help="A file to write the result to, instead of stdout.")
@root_option
@json_option
def sql(query: str, form: str, to: Path | None, root: str, as_json: bool) -> None:
    """Answer QUERY, in DuckDB's SQL, over the lake.

    Every table has its name; `preferences AS OF v1` and `preferences_at('dataset@v1')` are versions. Reads only. Any
    DuckDB client can ask the same of catalog.duckdb in the lake.
    """
    from schemas.errors import UsageError
    from storage.sql import sql as ask
    from storage.store import Store

    found = ask(Store.open(root, create=False), query).read_all()
    form = "json" if as_json else form
    if form == "parquet" and to is None:
        raise UsageError("--format parquet writes a file: give --to FILE")
    if to is not None:
        _write(found, form, to)
    elif form == "json":
        print_json(found.to_pylist())
    elif form == "csv":
        from pyarrow import csv

        csv.write_csv(found, sys.stdout.buffer)
    else:
        table(found.column_names, [list(row.values()) for row in found.to_pylist()])


def _write(found: pa.Table, form: str, to: Path) -> None:
    from storage.files import atomic_file, write_jsonl, write_parquet

    if form == "parquet":
        write_parquet(to, found)
    elif form == "csv":
        from pyarrow import csv

        with atomic_file(to) as draft:
            csv.write_csv(found, draft)
    else:
        write_jsonl(to, found.to_pylist())


@click.command()
@click.argument("dataset", required=False)
@root_option
@json_option
def versions(dataset: str | None, root: str, as_json: bool) -> None:
    """List the versions of DATASET, or of all datasets, oldest first."""
    from storage.store import Store

    store = Store.open(root, create=False)
    found = store.versions(dataset)
    if dataset is not None and not found.height:
        store.resolve(dataset)  # says which there are
    columns = ["dataset", "version", "tags", "status", "rows", "recipe", "created_at", "run_id", "digest"]
    if as_json:
        print_json(found.select(columns).to_dicts())
        return
    rows = [
        [d, v, ", ".join(tags or []), status, f"{rows:,}", recipe, f"{at:%Y-%m-%d %H:%M:%S}", run, digest[:12]]
        for d, v, tags, status, rows, recipe, at, run, digest in found.select(columns).iter_rows()
    ]
    table([name.replace("_", " ") for name in columns], rows)


@click.command()
@click.argument("one")
@click.argument("other")
@root_option
@json_option
def diff(one: str, other: str, root: str, as_json: bool) -> None:
    """Compare two versions, as in `diff v1 v2`.

    Where there are several datasets, name them: `diff quickstart@v1 quickstart@v2`.
    """
    from storage.diff import diff as compare
    from storage.store import Store

    found = compare(Store.open(root, create=False), one, other)
    if as_json:
        keys = {side: getattr(found, side).to_dicts() for side in ("added", "removed", "changed")}
        print_json({**found.summary(), "keys": keys})
        return
    said = found.summary()
    click.echo(
        f"{said['table']} of {said['a']} ({said['rows']['a']:,} rows) and {said['b']} ({said['rows']['b']:,} rows)"
    )
    click.echo(f"  {said['added']:,} added, {said['removed']:,} removed, {said['changed']:,} changed")
    for name, part in (("statistics", found.statistics), ("policies", found.policies)):
        if part.height:
            table(
                [name if i == 0 else c for i, c in enumerate(part.columns)], [list(map(_short, r)) for r in part.rows()]
            )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


@click.command()
@click.argument("pair_id")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with a drawing of it.")
@root_option
@json_option
def lineage(pair_id: str, html: Path | None, root: str, as_json: bool) -> None:
    """Show everything behind a pair, from its prompt to its cost.

    The first letters of its id are enough.
    """
    from storage.lineage import lineage as trace
    from storage.store import Store

    store = Store.open(root, create=False)
    found = trace(store, _whole(store, pair_id))
    if html is not None:
        from flows.describe import readable
        from storage.files import atomic_file
        from tasks.reports.browse_pages import pair_page

        with atomic_file(html) as draft:
            draft.write_text(pair_page(readable(found["pair"]), found, alone=True), encoding="utf-8")
        click.echo(f"page: {html}", err=True)
    print_json(found) if as_json else _print_tree(pair_id, found)


def _whole(store: Store, start: str) -> str:
    """Returns the pair id that begins like this."""
    import polars as pl

    from schemas.errors import UsageError

    if len(start) == 32:
        return start
    begins = pl.col("pair_id").str.starts_with(start)
    found = store.read("preferences", columns=["pair_id"]).filter(begins).unique().collect()["pair_id"].to_list()
    if len(found) > 1:
        raise UsageError(f"{len(found)} pairs begin with {start!r}; give more of the id")
    return found[0] if found else start


def _print_tree(name: str, value: Any) -> None:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    def grow(tree: Tree, item: Any) -> None:
        pairs = item.items() if isinstance(item, dict) else enumerate(item, start=1)
        for key, child in pairs:
            if isinstance(child, dict | list) and child:
                grow(tree.add(Text(str(key), style="bold")), child)
            elif child not in (None, [], {}, ""):
                tree.add(Text.assemble((f"{key}  ", "dim"), str(child)))

    root = Tree(Text(name, style="bold"))
    grow(root, value)
    console = Console(highlight=False)
    console.print(root) if console.is_terminal else Console(highlight=False, width=160).print(root)


@click.command()
@click.argument("dataset")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with plots and pairs.")
@root_option
@json_option
def report(dataset: str, html: Path | None, root: str, as_json: bool) -> None:
    """Describe DATASET or DATASET@VERSION, in numbers and examples."""
    from shutil import get_terminal_size

    from flows.describe import describe
    from flows.describe_text import text
    from storage.store import Store

    store = Store.open(root, create=False)
    found = describe(store, dataset)
    if html is not None:
        from flows.trees import section
        from storage.files import atomic_file
        from tasks.reports.version_page import version_page

        with atomic_file(html) as draft:
            draft.write_text(version_page(found, searches=section(store, dataset)), encoding="utf-8")
        click.echo(f"page: {html}", err=True)
    print_json(found) if as_json else click.echo(text(found, get_terminal_size((120, 40)).columns), nl=False)
