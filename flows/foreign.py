"""``pairwright audit-dataset``: the report's numbers for a preference dataset that somebody else made."""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from flows.describe import examples
from schemas.errors import DataError, boundary
from schemas.ids import content_id
from schemas.tables import JUDGMENTS, PREFERENCES
from tasks import registry
from tasks.check import check
from tasks.fetch import files
from tasks.importers.pairs import as_pairs
from tasks.importers.rows import Reader
from tasks.intake import Intake
from tasks.read import Record, records
from tasks.reports.figures import figures
from tasks.reports.measures import measures
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
    path: Path, *, mapping: dict[str, str] | None = None, against: Path | None = None, limit: int | None = None,
    skip_bad: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Returns figures, defects, checks and examples of a published preference dataset; nothing is generated or stored.

    Args:
        path: a data file, a folder, or ``hf:ORG/NAME``.
        mapping: prompt, chosen, rejected … -> the file's columns, where they have other names.
        against: a list of benchmark items to look for in the prompts. limit: only the first so many rows.
        skip_bad: file for the rows that cannot be read; without it the first of them is raised.

    Raises:
        DataError: no shape of preference data fits the columns, or a row cannot be read.
    """
    intake = Intake(skip_bad)
    parts: dict[str, list[pl.DataFrame]] = {}
    columns: dict[str, None] = {}
    left, count = limit, 0
    for file in files(path, intake.note):
        rows = list(islice(records(file, intake.refuse), left))
        for name, pairs in _pairs(file, rows, mapping or {}, intake).items():
            parts.setdefault(name, []).append(pairs)
        columns |= dict.fromkeys(name for record in rows for name in record.row)
        count += len(rows)
        left = None if left is None else left - len(rows)
        if left == 0:
            break
    intake.write()
    sets = {name: _together(frames) for name, frames in parts.items()}
    found = {name: _audited(pairs, against) for name, pairs in sets.items()}
    log.info("%s: %d rows, sets of labels: %s", path, count, ", ".join(found))
    return {"version": path.name, "file": str(path), "rows": count, "columns": list(columns), "labels": found,
            "notes": intake.lines}  # fmt: skip


def _pairs(file: Path, rows: list[Record], mapping: dict[str, str], intake: Intake) -> dict[str, pl.DataFrame]:
    reader = Reader(mapping, str(file), brings=True)
    try:
        sets = as_pairs(rows, mapping, file=str(file), reader=reader, refuse=intake.refuse)
    except ValueError as error:
        raise DataError(str(error), file=str(file)) from error
    if reader.unused:
        intake.note(f"{file}: columns not used: {', '.join(reader.unused)}")
    return sets


def _together(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Returns the pairs of several files, with ids by their place among all."""
    if len(frames) == 1:
        return frames[0]
    pairs = pl.concat(frames, how="diagonal_relaxed")
    names = [content_id("pair", place, texts) for place, texts in enumerate(pairs["content_id"])]
    return pairs.with_columns(pair_id=pl.Series(names, dtype=pl.String))


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
