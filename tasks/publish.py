"""Verb: writes a version out of the lake, in the shape a trainer loads, with a dataset card beside it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import yaml

from schemas.errors import RefusedError, RowsError, UsageError, boundary
from schemas.recipe import BlockSpec
from schemas.tables import TABLES
from storage.files import atomic_folder, write_jsonl, write_parquet
from storage.store import Store
from storage.versions import Version
from tasks import registry
from tasks.exports._card import card

USUAL = {
    "preferences": ("trl_dpo", "parquet"), "rankings": ("list_rows",), "examples": ("reward_rows",),
    "steps": ("trl_stepwise",), "scores": ("trl_dpo", "parquet"),
}  # fmt: skip
"""The table a dataset is about -> the formats it gets where none is named."""


def usual(version: Version) -> tuple[str, ...]:
    """Returns the formats a version is written in where none is named, the main one first."""
    return USUAL.get(version.primary, USUAL["preferences"])


def write(
    store: Store, dataset: str, form: str | None, to: Path, *, jsonl: bool = False, replace: bool = False,
    quarantined: bool = False, settings: Mapping[str, Any] | None = None, skip: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Writes a version to a folder, whole or not at all, and returns what was written.

    The same version gives the same bytes, wherever and whenever it was made.

    Args:
        dataset: ``name``, ``name@v2`` or ``name@tag``. form: an export block's name; by default what suits it.
        jsonl: JSON lines beside the Parquet file. replace: an existing folder may go.
        quarantined: a version that a gate refused may be written. settings: of the export block.
        skip: a file of JSON lines for the rows that the format cannot hold, with the reason; without it one such row
            refuses the whole.

    Raises:
        UsageError: no such version or format, it has no such rows, or the folder is there already.
        RefusedError: the version is in quarantine.
    """
    version = store.resolve(dataset)
    if version.status == "quarantined" and not quarantined:
        raise RefusedError(f"{version.name} was refused by a gate; --quarantined writes it all the same")
    form = form or usual(version)[0]
    block = registry.find("export", form)
    values = registry.check(BlockSpec(verb="export", name=form, params=dict(settings)), "export") if settings else {}
    odd: dict[str, str] | None = None if skip is None else {}
    shaped = shape(store, version, block, values, odd=odd)
    with atomic_folder(to, replace=replace) as draft:
        files = ["train.parquet"]
        write_parquet(draft / "train.parquet", shaped)
        if jsonl:
            write_jsonl(draft / "train.jsonl", shaped.iter_rows(named=True))
            files.append("train.jsonl")
        files += beside(draft, block, version.dataset)
        (draft / "README.md").write_text(
            described(store, version, rows=shaped.height, columns=shaped.columns), encoding="utf-8"
        )
    if skip is not None:
        write_jsonl(skip, ({block.tables[0]: row, "reason": why} for row, why in (odd or {}).items()))
    return {
        "version": version.name,
        "format": block.name,
        "skipped": len(odd or {}),
        "rows": shaped.height,
        "to": str(to),
        "files": [*files, "README.md"],
    }


def shape(
    store: Store, version: Version, block: registry.Block, settings: Mapping[str, Any],
    rows: pl.DataFrame | None = None, odd: dict[str, str] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Returns a version's rows as an export shapes them.

    Args:
        rows: those of the block's first table that are meant; all by default. Fact tables give what belongs to them.
        odd: takes the ids of rows that the format cannot hold, with the reason, and the others are returned; without it
            such a row is an error.

    Raises:
        UsageError: the version has no rows of the kind that the export takes; the message says which exports it has.
    """
    name = block.tables[0]
    if name not in version.tables and version.primary not in (name, "scores", "removals"):
        fitting = [other.name for other in registry.family("export").values() if other.tables[0] in version.tables]
        raise UsageError(
            f"{version.name} holds {', '.join(version.tables)}, and {block.name} takes {name}; "
            f"what it can be exported as: {', '.join(fitting)}"
        )
    tables = [store.read(name, version=version.name).collect() if rows is None else rows]
    for more in block.tables[1:]:
        tables.append(store.read(more, prompt_ids=tables[0]["prompt_id"].unique(), version=version.name).collect())
    with boundary(f"{version.name}, export {block.name}"):
        while True:
            try:
                shaped: pl.DataFrame = block.function(*tables, **settings)
                return shaped
            except RowsError as error:
                if odd is None:
                    raise ValueError(f"{error}. Leave such rows out with --skip-bad FILE") from error
                odd.update(error.reasons)
                tables[0] = tables[0].filter(~pl.col(TABLES[name].key[-1]).is_in(list(odd)))


def beside(folder: Path, block: registry.Block, name: str) -> list[str]:
    """Writes the files that a trainer wants beside the rows, and returns their names."""
    made = getattr(sys.modules[block.function.__module__], "beside", None)
    files: dict[str, Any] = made(name, "train.parquet") if made else {}
    for file, held in files.items():
        text = yaml.safe_dump(held, sort_keys=False) if file.endswith(".yaml") else json.dumps(held, indent=2) + "\n"
        (folder / file).write_text(text, encoding="utf-8")
    return list(files)


def described(
    store: Store, version: Version, *, rows: int, columns: list[str], license: str | None = None,
    configs: Mapping[str, Mapping[str, str]] | None = None,
) -> str:  # fmt: skip
    """Returns the dataset card of a version.

    Args:
        rows, columns: of the main file. configs: name -> split -> file, where there is more than ``train.parquet``.
    """
    made = version
    while "rollback_of" in (told := orjson.loads(made.meta or "{}")):
        made = store.resolve(told["rollback_of"])  # its content is that of an earlier version, and so is its origin
    runs = store.read("runs").filter(pl.col("run_id") == made.run_id).collect()
    if not runs.height:
        raise UsageError(f"{version.name} names the run {version.run_id!r}, which the lake does not know")
    run = runs.row(0, named=True)
    counts, outcomes = orjson.loads(run["counts"]), orjson.loads(run["outcomes"])
    resolved = orjson.loads(run["resolved"])
    return card(
        name=version.dataset, version=version.version, recipe=str(version.recipe), source=resolved["source"],
        about=resolved["about"], rows=rows, columns=columns, files="train.parquet", configs=configs,
        recipe_yaml=resolved["yaml"], outcomes=outcomes, removed=counts["removed"],
        checks=orjson.loads(version.gates or made.gates or "[]"), digest=version.digest, license=license,
        sources=_sources(store, version),
    )  # fmt: skip


_SOURCES = {
    "prompts": "source", "chosen answers": "chosen_policy", "rejected answers": "rejected_policy", "answers": "policy",
}  # fmt: skip


def _sources(store: Store, version: Version) -> dict[str, dict[str, int]]:
    """Returns where the rows of a version come from: prompts by source, answers by model."""
    rows = store.read(version.primary, version=version.name)
    names = rows.collect_schema().names()
    found = {}
    for what, column in _SOURCES.items():
        if column in names:
            counts = rows.group_by(column).len().drop_nulls().sort(column).collect(engine="streaming")
            found[what] = {str(name): int(count) for name, count in counts.iter_rows()}
    return {what: counts for what, counts in found.items() if counts}
