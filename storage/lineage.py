"""Where a pair comes from: from its id to everything that stands behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from schemas.errors import UsageError
from schemas.tables import TABLES
from storage.guard import guarded
from storage.versions import Version, listed, paths_of, rows_of

if TYPE_CHECKING:
    from storage.store import Store


def lineage(store: Store, pair_id: str) -> dict[str, Any]:
    """Returns a pair and everything behind it.

    Returns:
        ``pair`` (its newest row), ``versions`` (every version that holds it), ``run``, ``prompt``, ``chosen`` and
        ``rejected`` (completions, each with its ``scores``), ``judgments`` (of either, ``about`` saying of which, or of
        both), ``cost`` (of its completions and judgments together, in US dollars). What is not in the lake is null.

    Raises:
        UsageError: no version holds such a pair.
    """
    with guarded("tracing a pair", store.root):
        return _lineage(store, pair_id)


def _lineage(store: Store, pair_id: str) -> dict[str, Any]:
    holders = _holders(store, pair_id)
    if not holders:
        raise UsageError(f"no version of any dataset holds the pair {pair_id!r}")
    newest = holders[-1]
    rows = rows_of(store, TABLES["preferences"], newest)
    assert rows is not None
    pair = rows.filter(pl.col("pair_id") == pair_id).collect().row(0, named=True)
    sides = {"chosen": pair["chosen_id"], "rejected": pair["rejected_id"]}
    completions = {side: _one(store, "completions", "completion_id", row) for side, row in sides.items()}
    judgments = _judgments(store, sides)
    scores = _scores(store, newest, list(sides.values()))
    for side, row in completions.items():
        if row is not None:
            row["scores"] = [score for score in scores if score["completion_id"] == sides[side]]
    costs = [row["cost"] for row in (*completions.values(), *judgments) if row and row["cost"] is not None]
    return {
        "pair": pair,
        "versions": [_named(version) for version in holders],
        "run": _one(store, "runs", "run_id", pair["run_id"]),
        "prompt": _one(store, "prompts", "prompt_id", pair["prompt_id"]),
        **completions,
        "judgments": judgments,
        "cost": sum(costs) if costs else None,
    }


def _holders(store: Store, pair_id: str) -> list[Version]:
    """Returns the versions that hold the pair, the newest published one last."""
    versions = listed(store)
    files = {path: None for version in versions for path in paths_of(store, "preferences", version)}
    if not files:
        return []
    scan = pl.scan_parquet(
        list(files), schema={"pair_id": pl.String}, extra_columns="ignore", glob=False, hive_partitioning=False,
        include_file_paths="file", storage_options=dict(store.root.options),
    )  # fmt: skip
    found = set(scan.filter(pl.col("pair_id") == pair_id).select("file").collect()["file"])
    holders = [version for version in versions if found.intersection(paths_of(store, "preferences", version))]
    return sorted(holders, key=lambda version: (version.status == "published", version.created_at))


def _judgments(store: Store, sides: dict[str, str]) -> list[dict[str, Any]]:
    about = pl.concat_list(
        [pl.when(pl.col("subjects").list.contains(row)).then(pl.lit(side)) for side, row in sides.items()]
    ).list.drop_nulls()
    found = store.read("judgments").with_columns(about=about).filter(pl.col("about").list.len() > 0)
    return found.collect().sort("created_at", "judgment_id").to_dicts()


def _scores(store: Store, version: Version, completions: list[str]) -> list[dict[str, Any]]:
    rows = rows_of(store, TABLES["scores"], version)
    if rows is None:
        return []
    return rows.filter(pl.col("completion_id").is_in(completions)).sort("criterion", "scorer").collect().to_dicts()


def _one(store: Store, table: str, key: str, value: str) -> dict[str, Any] | None:
    found = store.read(table).filter(pl.col(key) == value).collect()
    return found.row(0, named=True) if found.height else None


def _named(version: Version) -> dict[str, Any]:
    return {
        "name": version.name, "status": version.status, "tags": list(version.tags), "recipe": version.recipe,
        "recipe_hash": version.recipe_hash, "run_id": version.run_id, "created_at": version.created_at,
    }  # fmt: skip
