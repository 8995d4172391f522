"""``pairwright audit-dataset``: the report's numbers for a preference dataset that somebody else made."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import polars as pl

from flows.describe import examples
from schemas.errors import DataError, boundary
from schemas.tables import JUDGMENTS, PREFERENCES
from tasks import registry
from tasks.check import check
from tasks.read import read_rows
from tasks.reports.figures import figures
from tasks.reports.measures import measures
from tasks.reports.published import as_pairs
from tasks.score import Step
from tasks.select import LOG

log = logging.getLogger(__name__)
FILTERS = (
    "identical_texts", "exact_duplicates", "near_duplicates", "length_bounds", "repetitive", "refusals",
    "personal_data", "secrets", "contradictory_pairs",
)  # fmt: skip
"""Filters that say what they would take out; nothing is taken out."""
CHECKS = ("identity_rate", "even_rate", "split_leaks", "near_duplicate_share")
"""Checks of ``gate: trust`` that need nothing but the pairs."""


def audit_dataset(
    path: Path, *, mapping: dict[str, str] | None = None, against: Path | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Returns figures, defects, checks and examples of a published preference dataset; nothing is generated or stored.

    Args:
        path: a data file, or a folder of them, of the first kind there is: Parquet before JSONL before CSV.
        mapping: prompt, chosen, rejected … -> the file's columns, where they have other names.
        against: a list of benchmark items to look for in the prompts. limit: only the first so many rows.

    Raises:
        DataError: no shape of preference data fits the columns.
    """
    rows = _rows(path)
    if limit is not None:
        rows = rows.head(limit)
    try:
        sets = as_pairs(rows, mapping or {})
    except ValueError as error:
        raise DataError(str(error), file=str(path)) from error
    found = {name: _audited(pairs, against) for name, pairs in sets.items()}
    log.info("%s: %d rows, sets of labels: %s", path, rows.height, ", ".join(found))
    return {"version": path.name, "file": str(path), "rows": rows.height, "columns": rows.columns, "labels": found}


def _rows(path: Path) -> pl.DataFrame:
    if not path.is_dir():
        return read_rows(path)
    for kind in ("parquet", "jsonl", "jsonl.gz", "ndjson", "json", "json.gz", "csv", "csv.gz"):
        files = sorted(path.rglob(f"*.{kind}"))
        if files:
            return pl.concat([read_rows(file) for file in files], how="diagonal_relaxed")
    raise DataError("the folder holds no data file: Parquet, JSONL, JSON or CSV", file=str(path))


def _audited(pairs: pl.DataFrame, against: Path | None) -> dict[str, Any]:
    types = {name: kind for name, kind in PREFERENCES.empty().schema.items() if name not in LOG}
    absent = [pl.lit(None, kind).alias(name) for name, kind in types.items() if name not in pairs.columns]
    whole = pairs.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in types.items())
    defects: dict[str, dict[str, int]] = {}
    for name in FILTERS:
        _count(defects, name, whole, {})
    if against is not None:
        _count(defects, "decontaminate", whole, {"against": str(against)})
    empty = {"preferences": whole, "judgments": JUDGMENTS.empty(), "previous": PREFERENCES.empty()}
    gate = Step(registry.find("gate", "trust"), {}, "audit-dataset")
    return {
        "figures": figures(pairs.lazy()), "measures": measures(whole.lazy()).to_dicts(), "defects": defects,
        "gates": [row for row in check([gate], empty) if row["name"] in CHECKS],
        "examples": examples(pairs.lazy()),
    }  # fmt: skip


def _count(defects: dict[str, dict[str, int]], name: str, pairs: pl.DataFrame, params: dict[str, Any]) -> None:
    block = registry.find("filter", name)
    with boundary(f"filter {name}"):
        found: pl.DataFrame = block.function(pairs, **params)
    counts = found.group_by("reason").len().sort("reason").iter_rows()
    if found.height:
        defects[name] = dict(counts)
