"""Holds tables against a suite: DuckDB computes one row of numbers, Great Expectations validates it.

Source: Great Expectations 1.x (suite files, suite parameters, severities).

Millions of rows stay in DuckDB; Great Expectations sees one row, which takes it a tenth of a second. Importing it takes
three seconds of CPU, more than a recipe over stored answers takes in all: so numbers that plainly lie within plain
bounds pass without it, and it has the word on whatever does not.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa

from tasks.gates._bounds import CHECKS, SEVERITIES, row, within

Rows: TypeAlias = pl.DataFrame | pl.LazyFrame | pa.Table | Sequence[str]
"""A table: in memory, or the paths of its Parquet files."""


def measured(query: str, tables: Mapping[str, Rows]) -> dict[str, float]:
    """Returns the one row of a query over the tables.

    Raises:
        ValueError: the query gives another number of rows than one, or a null.
    """
    with opened(tables) as connection:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        found = cursor.fetchall()
    if len(found) != 1 or None in found[0]:
        raise ValueError(f"the gate's query must give one row without nulls, it gave {found[:2]}")
    return {name: float(value) for name, value in zip(names, found[0], strict=True)}


def asked(query: str, tables: Mapping[str, Rows]) -> pl.DataFrame:
    """Returns the rows of a query over the tables."""
    with opened(tables) as connection:
        found = pl.from_arrow(connection.sql(query).to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found


@contextlib.contextmanager
def opened(tables: Mapping[str, Rows]) -> Iterator[Any]:
    import duckdb

    with duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"}) as connection:
        for name, rows in tables.items():
            if isinstance(rows, pl.LazyFrame):
                rows = rows.collect(engine="streaming")
            if isinstance(rows, pl.DataFrame):
                rows = rows.to_arrow()
            if isinstance(rows, pa.Table):
                connection.register(name, rows)
            else:
                connection.read_parquet(list(rows)).create_view(name)
        yield connection


def checked(
    suite: Path, numbers: Mapping[str, float], parameters: Mapping[str, Any], *, blocks: Collection[str] = (),
    warns: Collection[str] = (),
) -> pl.DataFrame:  # fmt: skip
    """Returns one row an expectation of the suite file: name, severity (block, warn), success, observed, allowed, says.

    Args:
        blocks, warns: checks that block, or only warn, whatever the file says.

    Raises:
        ValueError: an expectation could not be computed; that is a defect of the gate, not a refusal. Or ``blocks`` or
            ``warns`` names no check, or both name the same.
    """
    written = json.loads(suite.read_text(encoding="utf-8"))
    passed = within(written["expectations"], numbers, parameters)
    found = passed if passed is not None else _validated(suite.name, written, numbers, parameters)
    wrong = sorted({*blocks, *warns} - set(found["name"])) or sorted(set(blocks) & set(warns))
    if wrong:
        raise ValueError(f"blocks and warns name {wrong[0]!r}; each may name once one of {', '.join(found['name'])}")
    name = pl.col("name")
    severity = pl.when(name.is_in([*blocks])).then(pl.lit("block")).when(name.is_in([*warns])).then(pl.lit("warn"))
    return found.with_columns(severity=severity.otherwise("severity"))


def _validated(
    name: str, written: Mapping[str, Any], numbers: Mapping[str, float], parameters: Mapping[str, Any]
) -> pl.DataFrame:
    import pandas as pd

    gx = library()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("gate").add_dataframe_asset("numbers")
    frame = {"dataframe": pd.DataFrame([dict(numbers)])}
    batch = asset.add_batch_definition_whole_dataframe("row").get_batch(frame)
    result = batch.validate(
        gx.ExpectationSuite(name=written["name"], expectations=written["expectations"]),
        expectation_parameters=dict(parameters),
    )
    rows = [_check(found, numbers) for found in result.results]
    if len(rows) != len(written["expectations"]):
        raise ValueError(f"{name} has {len(written['expectations'])} expectations, {len(rows)} were checked")
    order = [expectation["kwargs"]["column"] for expectation in written["expectations"]]
    return pl.DataFrame(sorted(rows, key=lambda check: order.index(check["name"])), schema=CHECKS, orient="row")


def library() -> Any:
    """Returns Great Expectations, imported without its telemetry, its notes and warnings about its own imports."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read once, at import
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations
        import great_expectations.data_context.types.base
    for name in ("great_expectations", "great_expectations.data_context.types.base"):  # the second sets a level itself
        logging.getLogger(name).setLevel(logging.WARNING)
    return great_expectations


def _check(found: Any, numbers: Mapping[str, float]) -> dict[str, Any]:
    config = found.expectation_config
    column = config.kwargs["column"]
    failure = _exception(found.exception_info)
    if failure is not None:
        raise ValueError(f"the check {column!r} could not be computed: {failure}")
    severity = SEVERITIES[str(getattr(config.severity, "value", config.severity))]
    low, high = config.kwargs.get("min_value"), config.kwargs.get("max_value")
    return row(column, severity, bool(found.success), numbers[column], low, high, config.description)


def _exception(info: Mapping[str, Any]) -> str | None:
    """Returns the message of the first exception in a result; it sits at the top or one level down, by metric."""
    for part in (info, *(value for value in info.values() if isinstance(value, Mapping))):
        if part.get("raised_exception"):
            return str(part.get("exception_message"))
    return None
